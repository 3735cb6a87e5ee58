"""What the folder of a run holds, without its checkpoints: recipe, metrics, data, environment, the worst images."""

import csv
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lit_cnn.experiment.changes import Change
from lit_cnn.experiment.extending import extension_record
from lit_cnn.experiment.files import read_yaml
from lit_cnn.run_folder.folder import DATA_SET, ENVIRONMENT
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.run_folder.stored_recipe import completed
from lit_cnn.training.metrics_file import METRICS, TIMING
from lit_cnn.training.monitor import is_better

WORST = "worst_images"
"""Stem of the picture of the worst images, and of the table of them."""
Content = TypeVar("Content")


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
    """A run as its folder tells it; what the folder lacks is empty, and ``missing`` says so.

    Args:
        folder: The run folder.
        recipe: The resolved recipe.
        metrics: Rows of ``metrics.csv``.
        environment: Command, versions, machine and git state.
        data: What the data set turned out to be.
        changed: Keys that differ from the recipe that was named.
        extends: The run that it goes on from.
        images_per_second: Median over the epochs of training; None where it was not logged.
        worst: The images with the highest loss at the best validation.
        missing: Sentences on what could not be read.
    """

    folder: Path
    recipe: dict[str, Any]
    metrics: list[dict[str, float]]
    environment: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Change] = field(default_factory=dict)
    extends: dict[str, Any] = field(default_factory=dict)
    images_per_second: float | None = None
    worst: tuple[StoredImage, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def monitor(self) -> str:
        """The metric of the best epoch."""
        return self.recipe.get("monitor", "val/acc1")

    @property
    def title(self) -> str:
        """What was trained."""
        return self.recipe.get("about", {}).get("title") or self.folder.resolve().parent.name

    @property
    def best(self) -> dict[str, float]:
        """The row of the best validation; empty before the first."""
        best: dict[str, float] = {}
        for row in self.metrics:
            if self.monitor in row and is_better(self.monitor, row[self.monitor], best.get(self.monitor)):
                best = row
        return best

    @property
    def last(self) -> dict[str, float]:
        """The row of the last validation; empty before the first."""
        return next((row for row in reversed(self.metrics) if self.monitor in row), {})


def read_run(folder: Path) -> RunFiles:
    """Read the folder of a run.

    Raises:
        ValueError: If its ``config.yaml`` is missing or is not a recipe.
    """
    config = folder / "config.yaml"
    if not config.is_file():
        raise ValueError(f"{folder} is not a run folder, it has no config.yaml: pass a folder that lit-cnn fit made")
    missing: list[str] = []

    def optional(name: str, read: Callable[[Path], Content], empty: Content) -> Content:
        try:
            return read(folder / name)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
            missing.append(f"{name} {reason}, so what it records is left out")
            return empty

    metrics = optional(METRICS, read_metrics, [])
    environment = optional(ENVIRONMENT, _read_object, {})
    data = optional(DATA_SET, _read_object, {})
    worst = _read_worst(folder / f"{WORST}.csv") if (folder / f"{WORST}.csv").is_file() else ()
    changed = {key: Change(*values) for key, values in environment.get("changed", {}).items()}
    extends = extension_record(folder).get("extends", {})
    speed = _training_speed(folder / TIMING)
    recipe = completed(read_yaml(config))
    return RunFiles(folder, recipe, metrics, environment, data, changed, extends, speed, worst, tuple(missing))


def _read_object(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path} does not hold an object")
    return content


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


def _training_speed(path: Path) -> float | None:
    try:
        rows = read_metrics(path)
    except (OSError, ValueError):
        return None
    speeds = [row["timing/images_per_second"] for row in rows if "timing/images_per_second" in row]
    return statistics.median(speeds) if speeds else None
