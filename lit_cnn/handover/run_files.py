"""What the folder of a run holds besides its checkpoints, as a page shows it."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_cnn.evaluation.run_costs import Cost, cost_of
from lit_cnn.evaluation.run_records import RunRecord, read_run
from lit_cnn.experiment.changes import Change
from lit_cnn.experiment.extending import extension_record
from lit_cnn.run_folder.folder import DATA_SET, ENVIRONMENT
from lit_cnn.training.metrics_file import METRICS
from lit_cnn.training.monitor import is_better

WORST = "worst_images"
"""Stem of the picture of the worst images, and of the table of them."""


@dataclass(frozen=True)
class StoredImage:
    """A row of ``worst_images.csv``.

    Args:
        file: Path of the image, or its row.
        true: Class of its label.
        said: Class that the network said.
        probability: Of that class.
        loss: Cross-entropy in nats.
    """

    file: str
    true: str
    said: str
    probability: float
    loss: float


@dataclass(frozen=True)
class RunFiles:
    """A run as its folder shows it; what the folder lacks is empty, and ``missing`` says so.

    Args:
        record: Its recipe, metrics, data and environment.
        extends: The run that it goes on from.
        worst: The images with the highest loss at the best validation.
        missing: Sentences on what could not be read.
    """

    record: RunRecord
    extends: dict[str, Any]
    worst: tuple[StoredImage, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.record.folder

    @property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe."""
        return self.record.recipe

    @property
    def monitor(self) -> str:
        """The metric of the best epoch."""
        return self.record.monitor

    @property
    def data(self) -> dict[str, Any]:
        """What the data set turned out to be."""
        return self.record.data_set or {}

    @property
    def environment(self) -> dict[str, Any]:
        """Command, versions, machine and git state."""
        return self.record.environment or {}

    @property
    def changed(self) -> dict[str, Change]:
        """Keys that differ from the recipe that was named."""
        return {key: Change(*values) for key, values in self.environment.get("changed", {}).items()}

    @property
    def cost(self) -> Cost:
        """Seconds and speed of the training."""
        return cost_of(self.record)

    @property
    def name(self) -> str:
        """``recipe/TIME-ID``."""
        folder = self.folder.resolve()
        return f"{folder.parent.name}/{folder.name}"

    @property
    def title(self) -> str:
        """What was trained."""
        return (self.recipe.get("about") or {}).get("title") or self.folder.resolve().parent.name

    @property
    def best(self) -> dict[str, float]:
        """The row of the best validation; empty before the first."""
        best: dict[str, float] = {}
        for row in self.record.rows:
            if self.monitor in row and is_better(self.monitor, row[self.monitor], best.get(self.monitor)):
                best = row
        return best

    @property
    def last(self) -> dict[str, float]:
        """The row of the last validation; empty before the first."""
        return next((row for row in reversed(self.record.rows) if self.monitor in row), {})


def run_files(folder: Path) -> RunFiles:
    """Read the folder of a run.

    Raises:
        ValueError: If its recipe or its metrics cannot be read.
    """
    record = read_run(folder)
    if not record.recipe:
        raise ValueError(f"{folder} cannot be reported, {record.detail}")
    parts = {METRICS: record.rows, ENVIRONMENT: record.environment, DATA_SET: record.data_set}
    missing = [
        f"the run folder has no {name}, so what it records is left out" for name, part in parts.items() if not part
    ]
    stored = folder / f"{WORST}.csv"
    worst = _read_worst(stored) if stored.is_file() else ()
    return RunFiles(record, extension_record(folder).get("extends", {}), worst, tuple(missing))


def _read_worst(path: Path) -> tuple[StoredImage, ...]:
    """The table of the worst images; bytes of file names that are not UTF-8 are kept as Python keeps them."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        try:
            return tuple(
                StoredImage(row["file"], row["true"], row["said"], float(row["probability"]), float(row["loss"]))
                for row in csv.DictReader(file)
            )
        except (KeyError, ValueError, TypeError, csv.Error):
            return ()
