"""The rungs of a choice on the engine of sweeps: which candidates are trained, on which fold, and how far."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from lit_cnn.choosing.budget import BudgetPlan
from lit_cnn.experiment.files import argument
from lit_cnn.experiment.initial_weights import CHECKPOINT
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.plan import Choice, Known, Marked

CANDIDATE = "candidate"
"""Attribute of a trial: its candidate's name."""
METRIC = "val/acc1"


@dataclass(frozen=True)
class RungsPlan:
    """What the engine asks of a plan.

    Args:
        candidates: Names of those that are trained.
        budget: How far and on how many folds.
    """

    candidates: Sequence[str]
    budget: BudgetPlan
    metric: str = METRIC
    value: Literal["best", "last"] = "last"
    metric_goal: Literal["maximize", "minimize"] = "maximize"
    goal: Literal["maximize", "minimize"] = "maximize"
    first_seed: ClassVar[int] = 0

    @property
    def size(self) -> int:
        """Number of candidates."""
        return len(self.candidates)

    @property
    def seeds(self) -> int | None:
        """A seed for each fold."""
        return self.budget.folds if self.budget.folds > 1 else None

    @property
    def pruner(self) -> Pruner:
        """Successive halving, equal in epochs."""
        return Pruner(min_epochs=self.budget.epochs[0], factor=self.budget.factor)

    def identity(self) -> dict[str, Any]:
        """All of it stays."""
        return {
            "candidates": list(self.candidates),
            "folds": self.budget.folds,
            "epochs": list(self.budget.epochs),
            "factor": self.budget.factor,
        }


@dataclass
class CandidateChooser:
    """Points that are given: candidates by their recipes; the seed of a trial is its fold.

    Args:
        recipes: Name -> the file that a candidate adds to the shared recipe.
        folds: Lists of files, one for each fold; empty where the images' own split is validated on.
        starts: Name -> the checkpoints that a candidate with weights starts from, one for each fold.
    """

    recipes: Mapping[str, Path]
    folds: Sequence[Path]
    starts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def fixed(self, slot: int) -> Choice | None:
        """The candidate of that place."""
        names = list(self.recipes)
        return Choice({}, {CANDIDATE: names[slot]}) if slot < len(names) else None

    def choose(self, slot: int, known: Sequence[Known]) -> None:
        """All are fixed."""

    def chosen(self, trial: Marked) -> Choice:
        return Choice({}, {CANDIDATE: trial.user_attrs[CANDIDATE]})

    def overrides(self, trial: Marked) -> list[str]:
        name, fold = trial.user_attrs[CANDIDATE], trial.user_attrs["seed"] if self.folds else 0
        words = ["--config", str(self.recipes[name])]
        if name in self.starts:
            words.append(argument(CHECKPOINT, self.starts[name][fold]))
        if self.folds:
            words += [argument("data.source", "list"), argument("data.path", str(self.folds[fold]))]
        return words

    def score(self, trial: Marked, measured: float) -> float:
        return measured

    def described(self, trial: Marked) -> str:
        return trial.user_attrs[CANDIDATE]

    def shown(self, trial: Marked) -> dict[str, Any]:
        return {CANDIDATE: trial.user_attrs[CANDIDATE]}


@dataclass(frozen=True)
class Reached:
    """How far a candidate came.

    Args:
        name: Of the candidate.
        epochs: After which it stands.
        accuracy: Mean over its folds then; None where a training failed.
        finished: Whether it was trained to the end.
        runs: Its run folders, in the order of the folds.
        error: Why it failed.
    """

    name: str
    epochs: int
    accuracy: float | None
    finished: bool
    runs: tuple[str, ...]
    error: str = ""


def open_rungs(folder: Path, plan: RungsPlan, chooser: CandidateChooser, say: Callable[[str], None]) -> Sweep:
    """The trainings in their folder, new or continued."""
    return Sweep(folder, plan, {}, length=plan.budget.epochs[-1], say=say, chooser=chooser)


def reached(sweep: Sweep) -> list[Reached]:
    """How far each candidate came, those that were trained to the end first, the most accurate first."""
    return [
        Reached(
            str(row.params[CANDIDATE]),
            row.trained or 0,
            None if row.error else row.value,
            row.complete,
            row.runs,
            row.error,
        )
        for row in sweep.results()
        if CANDIDATE in row.params
    ]
