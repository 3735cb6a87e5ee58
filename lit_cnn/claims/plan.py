"""The trainings of a claim for the engine of sweeps: a list of named points, each with the same seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.plan import Choice, Known, Marked

POINT = "point"
"""Attribute of a trial: the name of its point."""


@dataclass(frozen=True)
class ClaimPlan:
    """Each point is trained to its end.

    Args:
        points: Number of points.
        seeds: Each is trained with the seeds 0 to ``seeds`` - 1; None: with the recipe's own.
    """

    points: int
    seeds: int | None
    metric: str = "val/loss"
    value: Literal["best", "last"] = "last"
    metric_goal: Literal["maximize", "minimize"] = "minimize"
    pruner: Pruner | None = None
    first_seed: ClassVar[int] = 0

    @property
    def size(self) -> int:
        """Number of points."""
        return self.points

    @property
    def goal(self) -> Literal["maximize", "minimize"]:
        """The metric itself is compared."""
        return self.metric_goal

    def identity(self) -> dict[str, Any]:
        """The number of seeds may grow as far as was planned."""
        return {"metric": self.metric, "value": self.value}


@dataclass
class PointChooser:
    """Points that are given.

    Args:
        points: Name -> its ``--key=value``.
    """

    points: Mapping[str, Sequence[str]]

    def fixed(self, slot: int) -> Choice | None:
        """The point of that place in the list."""
        names = list(self.points)
        return Choice({}, {POINT: names[slot]}) if slot < len(names) else None

    def choose(self, slot: int, known: Sequence[Known]) -> None:
        """All points are fixed."""

    def chosen(self, trial: Marked) -> Choice:
        return Choice({}, {POINT: trial.user_attrs[POINT]})

    def overrides(self, trial: Marked) -> list[str]:
        return list(self.points[trial.user_attrs[POINT]])

    def score(self, trial: Marked, measured: float) -> float:
        return measured

    def described(self, trial: Marked) -> str:
        return trial.user_attrs[POINT]

    def shown(self, trial: Marked) -> dict[str, Any]:
        return {POINT: trial.user_attrs[POINT]}
