"""The best checkpoints of a run besides ``best.ckpt``: which validations they are of, their names, and their files."""

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.training.monitor import is_better

PATTERN = "epoch[0-9]*-step[0-9]*-*.ckpt"


@dataclass
class CheckpointSettings:
    """Which checkpoints of a run are kept besides the best and the last one.

    Args:
        keep: Number of the validations with the best monitored metric whose checkpoints are kept as
            checkpoints/epoch012-step000264-val_acc1-0.8432.ckpt; 0 keeps none.
    """

    keep: int = 0

    def __post_init__(self) -> None:
        if self.keep < 0:
            raise ValueError(f"checkpoints.keep must be at least 0, got {self.keep}")


class TopCheckpoints:
    """The ``keep`` best validations and the files of their checkpoints in ``folder``.

    A file is written before the checkpoint that lists it becomes the run's last one, and one that fell out is removed
    after that: a run that goes on from either checkpoint finds all that it lists.

    Args:
        folder: The run's checkpoints.
        monitor: Metric that ranks them, by its maximum or, of a loss, its minimum.
        keep: How many.
    """

    def __init__(self, folder: Path, monitor: str, keep: int) -> None:
        self.folder, self.monitor, self.keep = folder, monitor, keep
        self.ranked: list[tuple[float, str]] = []
        """(score, name of the file), the best first; of equal scores the earlier."""

    def add(self, score: float, epoch: int, step: int) -> str | None:
        """Rank a validation; the name of its file if it is among the best.

        Args:
            score: The monitored metric.
            epoch: The epoch, counted from 1.
            step: Optimizer steps done.
        """
        if self.keep == 0 or math.isnan(score):
            return None
        place = next((i for i, (other, _) in enumerate(self.ranked) if is_better(self.monitor, score, other)), None)
        place = len(self.ranked) if place is None else place
        if place >= self.keep:
            return None
        name = f"epoch{epoch:03d}-step{step:06d}-{self.monitor.replace('/', '_')}-{score:.4f}.ckpt"
        self.ranked = [*self.ranked[:place], (score, name), *self.ranked[place:]][: self.keep]
        return name

    def store(self, written: Path, name: str) -> None:
        """Give a checkpoint that was just written the name, too, without writing it again where links exist."""
        link_or_copy(written, self.folder / name)

    def prune(self) -> None:
        """Remove the files that are no longer among the best."""
        if self.keep == 0:
            return
        listed = {name for _, name in self.ranked[: self.keep]}
        for path in self.folder.glob(PATTERN):
            if path.name not in listed:
                path.unlink(missing_ok=True)


def link_or_copy(written: Path, target: Path) -> None:
    """Let ``target`` be, whole or not at all, the file ``written``, without a second one where links exist."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        os.link(written, partial)
    except OSError:
        shutil.copyfile(written, partial)
    os.replace(partial, target)
