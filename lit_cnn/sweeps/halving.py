"""Successive halving: train all points a little, and only the best of them on. Pure; knows nothing of Optuna.

Jamieson and Talwalkar, 2016, arXiv:1502.07943. All points are trained up to the first *rung*; one in ``factor`` of
them, the best, goes on to the next rung, which lies ``factor`` times as far, and so on to the full length. The decision
waits for every point of its rung, so that it does not depend on how many processes run or on which of them is fast.

A trial's schedule is that of the full length from its first step. At a rung the run is paused with its state saved, and
a point that goes on resumes its own run: it ends with the same bits as a run that was never paused. So points are
compared at rungs where the learning rate has not yet fallen, which favors those that learn fast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Pruner:
    """Where points are compared, and how many go on.

    Args:
        kind: The only one is successive_halving.
        min_epochs: The first rung, in epochs; either it or ``min_steps`` is stated.
        min_steps: The first rung, in optimizer steps.
        factor: One point in so many goes on, to a rung so many times as far.
    """

    kind: Literal["successive_halving"] = "successive_halving"
    min_epochs: int | None = None
    min_steps: int | None = None
    factor: int = 3

    def __post_init__(self) -> None:
        if (self.min_epochs is None) == (self.min_steps is None):
            raise ValueError("pruner needs the first rung: either min_epochs or min_steps, such as min_epochs: 3")
        if self.first < 1:
            raise ValueError(f"pruner.min_{self.unit} is {self.first} but must be at least 1")
        if self.factor < 2:
            raise ValueError(f"pruner.factor is {self.factor} but must be at least 2: one in so many goes on")

    @property
    def unit(self) -> Literal["epochs", "steps"]:
        """In what rungs are counted."""
        return "steps" if self.min_epochs is None else "epochs"

    @property
    def first(self) -> int:
        """The first rung."""
        return self.min_steps or 0 if self.min_epochs is None else self.min_epochs

    def rungs(self, full: int) -> tuple[int, ...]:
        """The lengths to which runs are trained, the last of which is ``full``.

        >>> Pruner(min_epochs=3).rungs(30)
        (3, 9, 27, 30)
        """
        lengths = []
        length = self.first
        while length < full:
            lengths.append(length)
            length *= self.factor
        return (*lengths, full)


Scores = Mapping[int, float | None]
"""Point -> its score at a rung, None where it has failed; points that are still trained are left out."""


def promoted(cohort: Sequence[int], scores: Scores, factor: int, maximize: bool) -> list[int] | None:
    """The points that go on to the next rung, the best first, or None while one of ``cohort`` is still trained.

    One in ``factor`` goes on, at least one; of equal scores the lower point.
    """
    if any(point not in scores for point in cohort):
        return None
    done = [(score, point) for point in cohort if (score := scores[point]) is not None]
    done.sort(key=lambda pair: (-pair[0] if maximize else pair[0], pair[1]))
    return [point for _, point in done[: max(len(cohort) // factor, 1)]]


def cohorts(points: int, scores: Sequence[Scores], factor: int, maximize: bool) -> list[list[int]]:
    """The points of each rung that is decided so far; the first rung has all of them.

    Args:
        points: How many there are.
        scores: Of each rung.
        factor: One in so many goes on.
        maximize: Whether large scores are good.
    """
    found = [list(range(points))]
    for rung in scores[:-1]:
        chosen = promoted(found[-1], rung, factor, maximize)
        if chosen is None:
            break
        found.append(chosen)
    return found
