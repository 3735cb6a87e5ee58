"""What the engine asks of whoever chooses the points: a space of recipe keys, or a search of architectures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from lit_cnn.sweeps.halving import Pruner


class Plan(Protocol):
    """How many points are run, with which seeds, as far as where, and what is compared."""

    @property
    def size(self) -> int:
        """Number of points."""

    @property
    def seeds(self) -> int | None:
        """Each point is run with so many seeds from ``first_seed`` on; None runs it once, with the recipe's seed."""

    @property
    def first_seed(self) -> int:
        """The first of them: 0, or the one after those whose results have chosen the points."""

    @property
    def pruner(self) -> Pruner | None:
        """Which points are trained to the end; None trains all of them."""

    @property
    def metric(self) -> str:
        """Name in ``metrics.csv`` of what is measured."""

    @property
    def value(self) -> Literal["best", "last"]:
        """Which epoch's metric counts."""

    @property
    def metric_goal(self) -> Literal["maximize", "minimize"]:
        """Whether large or small values of the metric are good."""

    @property
    def goal(self) -> Literal["maximize", "minimize"]:
        """Whether large or small scores are good."""

    def identity(self) -> dict[str, Any]:
        """All that must stay while the work goes on; the numbers of points and of seeds may grow."""


@dataclass(frozen=True)
class Choice:
    """What a point is.

    Args:
        params: Values of Optuna's parameters; empty where its sampler draws them.
        attributes: What is stored with the trial.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Known(NamedTuple):
    """What is known of a point that was taken up.

    Args:
        attributes: Those of its first run.
        ended: Whether all its runs have.
        score: The mean over its runs; None until they have ended, and where one has failed.
    """

    attributes: Mapping[str, Any]
    ended: bool
    score: float | None


class Marked(Protocol):
    """A trial, as far as a chooser needs to know it."""

    @property
    def params(self) -> dict[str, Any]:
        """Values of Optuna's parameters."""

    @property
    def user_attrs(self) -> dict[str, Any]:
        """What was stored with it."""


class Chooser(Protocol):
    """Who chooses the points."""

    def fixed(self, slot: int) -> Choice | None:
        """A point that depends on nothing, such as one of a grid; None if it is to be chosen."""

    def choose(self, slot: int, known: Sequence[Known]) -> Choice | None:
        """A point, from what is known of those before it; None while it needs to know more."""

    def chosen(self, trial: Marked) -> Choice | None:
        """What an earlier trial of the same point was given; None if it ended before it was."""

    def overrides(self, trial: Any) -> list[str]:
        """The trial's ``--key=value``; a space lets Optuna draw them now."""

    def score(self, trial: Marked, measured: float) -> float:
        """What the trial is compared by, from its metric."""

    def described(self, trial: Marked) -> str:
        """What the line on a trial's start says of its point."""

    def shown(self, trial: Marked) -> dict[str, Any]:
        """What tables and files show of a point."""
