"""What draws the pictures of a run: the curves after every epoch, and what a task adds. They are drawn in a process of
their own while the training goes on, and never end a run.
"""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from lit_cnn.reports.artist import Artist
from lit_cnn.tracking import log_picture
from lit_cnn.training.announce import announce
from lit_cnn.training.metrics_file import METRICS

END_SECONDS = 30.0
"""How long the end of a run waits for its pictures."""
STOP_SECONDS = 5.0
"""How long a run waits for them that was stopped or has failed."""


class RunPictures(pl.Callback):
    """Draw into the run folder and hand the pictures to the tracker.

    Args:
        folder: The run folder.
        tracker: The W&B logger, or None.
        title: What the run is.
    """

    def __init__(self, folder: Path, tracker: Any = None, title: str = "") -> None:
        self.folder = folder
        self.tracker = tracker
        self.title = title
        self._artist = Artist()
        self._asked: dict[Path, int] = {}  # picture -> step, for the tracker
        self._failed = False

    def draw_validation(self, trainer: pl.Trainer) -> None:
        """Draw the validation that has just ended: it is the best so far, and its weights become ``best.ckpt``."""
        raise NotImplementedError

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the curves up to the epoch before, whose metrics are written by now."""
        self._draw_curves(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._draw_curves(trainer)
        self._artist.hurry()  # while the last checkpoint gets to the disk

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close(STOP_SECONDS)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._close(END_SECONDS)

    def _draw_curves(self, trainer: pl.Trainer) -> None:
        metrics = self.folder / METRICS
        if trainer.is_global_zero and trainer.current_epoch > 0 and metrics.is_file():
            self.draw("curves.draw_curves", "curves", None, metrics_csv=metrics, title=self.title)

    def draw(self, function: str, name: str, step: int | None, **arguments: Any) -> None:
        """Have a picture drawn, and hand it to the tracker once it is; without a step it stays in the run folder."""
        self._collect()
        path = self.folder / f"{name}.png"
        if step is not None:
            self._asked[path] = step
        self._artist.draw(function, path, **arguments)

    def _collect(self) -> None:
        """Record the pictures that are done; of those that could not be drawn, the first says why."""
        for path, problem in self._artist.drawn():
            if problem is None and path in self._asked:
                log_picture(self.tracker, path.stem, path, self._asked.pop(path))
            elif problem is not None and not self._failed:
                self._failed = True
                announce(f"{path.name} could not be drawn: {problem}")

    def _close(self, seconds: float) -> None:
        self._artist.close(seconds)
        self._collect()


def is_first_batch(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Whether this is the first batch of the run, in the process that draws."""
    return trainer.global_step == 0 and batch_idx == 0 and trainer.is_global_zero
