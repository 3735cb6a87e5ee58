"""Optuna's tree-structured Parzen estimator: the library's strategy, as a baseline."""

from collections.abc import Iterator
from dataclasses import dataclass

from lit_cnn.search.spaces.space import Point, SearchSpace
from lit_cnn.search.strategies.random import unseen_points
from lit_cnn.search.strategies.strategy import FAILED, History

REDRAWN = 20
"""Known networks that a slot draws before it takes a random one: the estimator has settled, and a draw costs 10 ms."""


@dataclass(frozen=True)
class TPESettings:
    """TPE.

    Args:
        initial: Random networks before the first estimate; Optuna has 10.
        repeat: Whether a network that an earlier slot has is evaluated again; otherwise another is drawn.

    Raises:
        ValueError: If ``initial`` is below 1.
    """

    initial: int = 10
    repeat: bool = False

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise ValueError(f"initial is {self.initial} but must be at least 1")

    def build(self, space: SearchSpace, budget: int) -> "TPE":
        """The strategy for ``budget`` evaluations in a space."""
        return TPE(space, self.initial, self.repeat)


class TPE:
    """An estimator made for each slot from what it knows, without pruning; failed networks are left out."""

    def __init__(self, space: SearchSpace, initial: int = 10, repeat: bool = False) -> None:
        self.space, self.initial, self.repeat = space, initial, repeat

    def proposals(self, history: History) -> Iterator[Point]:
        from lit_cnn.sweeps.tpe import tpe_points  # here alone: the other strategies work without Optuna

        counts = [len(decision.options) for decision in self.space.decisions]
        known = [
            (point, reward) for point, reward in zip(history.points, history.rewards, strict=False) if reward > FAILED
        ]
        seen = set() if self.repeat else set(history.points)
        repeated = 0
        for point in tpe_points(counts, known, history.draws("tpe").getrandbits(32), self.initial):
            canonical = self.space.canonical(point)
            if canonical not in seen:
                yield canonical
            elif (repeated := repeated + 1) == REDRAWN:
                break
        yield from unseen_points(self.space, history.draws("random"), seen)
