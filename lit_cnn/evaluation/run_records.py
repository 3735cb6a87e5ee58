"""Run folders: found by name, pattern or the folder above them, and read."""

import csv
import glob
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from lit_cnn.experiment.extending import is_finished, planned
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.run_folder.folder import DATA_SET, ENVIRONMENT
from lit_cnn.run_folder.lock import is_locked
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.run_folder.stored_recipe import completed
from lit_cnn.training.metrics_file import METRICS, TIMING

CONFIG = "config.yaml"
"""The file that makes a folder a run."""
TRIAL_LOG = "fit.log"
"""What a trial of a sweep has printed; without ``CONFIG`` next to it, the trial failed before it was a run."""
DEPTH = 4
"""Folders between a named folder and the runs in it."""
MAGIC = frozenset("*?[")
"""Characters of patterns."""
SEED = "seed_everything"

State = Literal["finished", "running", "unfinished", "failed"]
Rows = list[dict[str, float]]


@dataclass(frozen=True)
class RunRecord:
    """What a run folder says. Files that runs of older versions lack are None or empty.

    Args:
        folder: The run folder.
        recipe: The resolved recipe.
        rows: Of ``metrics.csv``.
        timing: Of ``timing.csv``.
        data_set: Of ``data.json``.
        environment: Of ``environment.json``.
        state: How it stands.
        detail: Why it is not finished, else empty.
        epochs: Epochs ended.
    """

    folder: Path
    recipe: dict[str, Any]
    rows: Rows
    timing: Rows
    data_set: dict[str, Any] | None
    environment: dict[str, Any] | None
    state: State
    detail: str
    epochs: int

    @property
    def seed(self) -> int | None:
        """The recipe's seed; None where an old recipe states none."""
        seed = self.recipe.get(SEED)
        return seed if isinstance(seed, int) else None

    @property
    def monitor(self) -> str:
        """The metric by which its best validation was chosen."""
        return str(self.recipe.get("monitor") or "val/acc1")

    def metrics(self) -> list[str]:
        """The names that it logged, in the order of the file."""
        return [
            name for name in dict.fromkeys(key for row in self.rows for key in row) if name not in ("epoch", "step")
        ]


def find_runs(names: Sequence[str]) -> list[Path]:
    """The runs, each once, that are meant by run folders, folders of runs (``runs``, a sweep, a search) and patterns.

    Among them are trials of a sweep that failed before they were runs.

    Raises:
        ValueError: If a name means no run.
    """
    runs: dict[Path, Path] = {}
    for name in names:
        found = [folder for path in _paths(name) for folder in runs_below(path)]
        if not found:
            raise ValueError(
                f"there is no run in {name}: name a run folder (it has a {CONFIG}), a folder of runs, a sweep or a "
                "pattern such as 'runs/quickstart/*'"
            )
        for folder in found:
            runs.setdefault(folder.resolve(), folder)
    return list(runs.values())


def means_runs(name: str) -> bool:
    """Whether a name is that of runs: a run folder, a folder that holds some, or a pattern of paths."""
    if MAGIC & set(name) and "/" in name and not Path(name).expanduser().exists():
        return True
    return any(True for path in _paths(name) for _ in runs_below(path))


def _paths(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.exists() or not MAGIC & set(name):
        return [path]
    return [Path(found) for found in sorted(glob.glob(str(path)))]


def runs_below(folder: Path, depth: int = DEPTH) -> Iterator[Path]:
    """``folder`` where it is a run, or else the runs and failed trials in it, by name."""
    if (folder / CONFIG).is_file() or (folder / TRIAL_LOG).is_file():
        yield folder
    elif depth and folder.is_dir():
        inner = (path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
        for path in sorted(inner):
            yield from runs_below(path, depth - 1)


def read_run(folder: Path) -> RunRecord:
    """What a run folder says; one that cannot be read, or is a trial that never began, is failed, with the reason."""
    if not (folder / CONFIG).is_file():
        return _failed(folder, f"it ended before its first step, {folder / TRIAL_LOG} says why")
    try:
        recipe = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        if not isinstance(recipe, dict):
            raise ValueError(f"{folder / CONFIG} is not a recipe")
        rows = read_metrics(folder / METRICS) if (folder / METRICS).is_file() else []
    except (OSError, ValueError, yaml.YAMLError) as error:
        return _failed(folder, f"it cannot be read: {str(error).splitlines()[0]}")
    recipe = completed(recipe)
    epochs = epochs_ended(rows)
    state, detail = _state(folder, recipe, rows, epochs)
    data_set, environment = (_json_object(folder / name) for name in (DATA_SET, ENVIRONMENT))
    return RunRecord(folder, recipe, rows, _timing(folder), data_set, environment, state, detail, epochs)


def _failed(folder: Path, reason: str) -> RunRecord:
    return RunRecord(folder, {}, [], [], None, None, "failed", reason, 0)


def epochs_ended(rows: Rows) -> int:
    """Epochs whose training has ended; a validation inside an epoch does not end it."""
    ended = [row for row in rows if "train/loss" in row]
    ended = ended or [row for row in rows if any(name.startswith("val/") for name in row)]
    return int(max((row.get("epoch", 0.0) for row in ended), default=-1.0)) + 1


def _state(folder: Path, recipe: Mapping[str, Any], rows: Rows, epochs: int) -> tuple[State, str]:
    trainer = recipe.get("trainer") or {}
    all_epochs, all_steps = planned(trainer)
    steps = int(max((row["step"] for row in rows), default=-1.0)) + 1
    if (rows and (epochs >= all_epochs or steps >= all_steps)) or _stopped_early(folder, recipe):
        return "finished", ""
    plan = f"{epochs} of {all_epochs:.0f} epochs" if all_epochs < math.inf else f"{steps} of {all_steps:.0f} steps"
    far = plan if rows else "nothing logged"
    if is_locked(folder):
        return "running", far
    broken = next((name for name, value in _last_losses(rows) if not math.isfinite(value)), None)
    return ("failed", f"{broken} not finite after {far}") if broken else ("unfinished", far)


def _stopped_early(folder: Path, recipe: Mapping[str, Any]) -> bool:
    """Whether early stopping has ended the run, which its last checkpoint alone says."""
    if (recipe.get("early_stopping") or {}).get("patience") is None:
        return False
    try:
        return is_finished(load_checkpoint(folder / "checkpoints" / LAST))
    except (ValueError, KeyError):
        return False


def _last_losses(rows: Rows) -> list[tuple[str, float]]:
    """The last value of each loss."""
    return list({name: value for row in rows for name, value in row.items() if "loss" in name}.items())


def _timing(folder: Path) -> Rows:
    try:
        return read_metrics(folder / TIMING)
    except (OSError, ValueError, csv.Error):
        return []


def _json_object(path: Path) -> dict[str, Any] | None:
    """The object in a file; None where there is no such file, or it holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
