"""A sweep as a process: ``sweep_process.py FOLDER [STORAGE]`` runs a 2 x 3 grid with the stand-in for fit."""

import sys
from pathlib import Path

from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import Fit

FAKE = (sys.executable, "-S", str(Path(__file__).parent / "fake_fit.py"))
GRID = Space((Axis("x", choices=(1, 2)), Axis("y", choices=(0, 1, 2))), metric="val/acc1")

if __name__ == "__main__":
    folder, storage = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    folder.mkdir(parents=True, exist_ok=True)
    with StopSignals() as stop:
        Sweep(folder, GRID, {}, storage).run(Fit(Path("recipe.yaml"), (), FAKE), stop)
