"""What moves the weights: optimizers, schedules, clipping and the rest of a step."""
