"""What every strategy is: a pure function from what a slot may know to the points that it proposes.

Slot k of a search knows the points of all slots before it, and the rewards of slots 0 to k - 1 - lag only. Its draws
are keyed by (seed, slot). So a search gives the same trials with any number of workers up to lag + 1, and after any
kill.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lit_cnn.randomness import derive_key
from lit_cnn.search.spaces.space import Point, SearchSpace

FAILED = float("-inf")
"""The reward of a network whose training failed."""


@dataclass(frozen=True)
class History:
    """What one slot knows.

    Args:
        points: Those of all earlier slots, canonical.
        rewards: Those of slots 0 to len(points) - 1 - lag, high ones good; ``FAILED`` where the training failed.
        lag: So many slots run at once at most, besides the one that is chosen now.
        seed: Of the search.
    """

    points: tuple[Point, ...]
    rewards: tuple[float, ...]
    lag: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        known = max(len(self.points) - self.lag, 0)
        if len(self.rewards) != known:
            raise ValueError(f"slot {len(self.points)} must know {known} rewards, got {len(self.rewards)}")

    @property
    def slot(self) -> int:
        """The number of the slot, from 0."""
        return len(self.points)

    def at(self, slot: int) -> "History":
        """What an earlier slot knew."""
        return History(self.points[:slot], self.rewards[: max(slot - self.lag, 0)], self.lag, self.seed)

    def draws(self, purpose: str) -> random.Random:
        """The random numbers of this slot for one purpose."""
        return random.Random(derive_key(self.seed, "search", purpose, self.slot))


class Strategy(Protocol):
    """How points are chosen; built for one space and a number of evaluations, to which its settings scale."""

    def proposals(self, history: History) -> Iterator[Point]:
        """The points that a slot would evaluate, the preferred one first; the first that is within the limits is taken.

        The points are canonical. The same history gives the same points, whatever was asked before. There are always
        more.
        """


@runtime_checkable
class Ancestral(Protocol):
    """A strategy that makes networks from earlier ones."""

    def parent(self, history: History, point: Point) -> int | None:
        """The slot from whose network the history's slot has made its own; None if it was drawn at random.

        Args:
            history: What the slot knew.
            point: The slot's.
        """


def random_point(space: SearchSpace, draws: random.Random) -> Point:
    """Every decision drawn evenly."""
    return tuple(draws.randrange(len(decision.options)) for decision in space.decisions)
