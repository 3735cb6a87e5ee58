"""Random search: the baseline that every other strategy has to beat (Li and Talwalkar, arXiv:1902.07638)."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from random import Random

from lit_cnn.search.spaces.space import Point, SearchSpace
from lit_cnn.search.strategies.strategy import History, random_point

ATTEMPTS = 100
"""Draws in a row that may meet known points; then the space is taken to be exhausted, and one of them is repeated."""


class RandomSearch:
    """Every decision drawn evenly; a network that an earlier slot has is drawn again."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def proposals(self, history: History) -> Iterator[Point]:
        return unseen_points(self.space, history.draws("random"), set(history.points))


def unseen_points(space: SearchSpace, draws: Random, seen: Set[Point]) -> Iterator[Point]:
    """Random canonical points without end; none of ``seen`` while there are enough others."""
    while True:
        for _ in range(ATTEMPTS):
            point = space.canonical(random_point(space, draws))
            if point not in seen:
                break
        yield point


@dataclass(frozen=True)
class RandomSettings:
    """Random search has no setting."""

    def build(self, space: SearchSpace, budget: int) -> RandomSearch:
        """The strategy for ``budget`` evaluations in a space."""
        return RandomSearch(space)
