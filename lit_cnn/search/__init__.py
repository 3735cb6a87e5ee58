"""Architecture search: what is chosen from, how, and by which estimate; runs on the engine of sweeps."""
