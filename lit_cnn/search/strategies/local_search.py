"""Local search: first improvement over all neighbors, with random restarts.

White et al., "Exploring the loss landscape in neural architecture search" (arXiv:2005.02960), found it to equal or beat
elaborate strategies on tabular benchmarks.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from lit_cnn.search.spaces.space import Point, SearchSpace, neighbors
from lit_cnn.search.strategies.random import unseen_points
from lit_cnn.search.strategies.replay import Replay
from lit_cnn.search.strategies.strategy import History


@dataclass(frozen=True)
class LocalSearchSettings:
    """Local search.

    Args:
        repeat: Whether a neighbor that an earlier slot has is evaluated again, at a cost of one evaluation; otherwise
            its known reward is used.
    """

    repeat: bool = False

    def build(self, space: SearchSpace, budget: int) -> "LocalSearch":
        """The strategy for ``budget`` evaluations in a space."""
        return LocalSearch(space, self.repeat)


class _Climb(NamedTuple):
    """Where the search is.

    Args:
        best: The slot whose neighbors are tried; None before the first reward.
        since: The first slot that tried one of them.
        neighbors: In the order in which they are tried.
        ends: For each slot in training, the slot whose neighbors had all been tried when it began; None for others.
    """

    best: int | None = None
    since: int = 0
    neighbors: tuple[Point, ...] = ()
    ends: tuple[int | None, ...] = ()


class LocalSearch:
    """Tries the neighbors of the best network of a climb in random order, and goes on from the first better one.

    While slots run at once, several neighbors are tried at once, and the next random start as well when all neighbors
    are in training. Whatever turns out better than where the search is becomes its place.
    """

    def __init__(self, space: SearchSpace, repeat: bool = False) -> None:
        self.space, self.repeat = space, repeat
        self._climbs: Replay[_Climb] = Replay(lambda _: _Climb(), self._step)

    def proposals(self, history: History) -> Iterator[Point]:
        yield from self._untried(self._climbs.state(history), history)
        yield from unseen_points(self.space, history.draws("random"), set(history.points))

    def parent(self, history: History, point: Point) -> int | None:
        climb = self._climbs.state(history)
        return climb.best if point in self._untried(climb, history) else None

    def _untried(self, climb: _Climb, history: History) -> list[Point]:
        tried = set(history.points[climb.since :] if self.repeat else history.points)
        return [point for point in climb.neighbors if point not in tried]

    def _step(self, climb: _Climb, before: History, after: History) -> _Climb:
        starts = after.points[-1] not in self._untried(climb, before)
        climb = climb._replace(ends=(*climb.ends, climb.best if starts else None))
        if len(after.rewards) == len(before.rewards):
            return climb
        slot, end = len(before.rewards), climb.ends[0]
        climb = climb._replace(ends=climb.ends[1:])
        ended = climb.best is None or (end is not None and end == climb.best)
        if climb.best is None or ended or after.rewards[slot] > after.rewards[climb.best]:
            climb = self._moved(climb, slot, after)
        return climb if self.repeat else self._along_known(climb, after)

    def _moved(self, climb: _Climb, slot: int, history: History) -> _Climb:
        order = list(dict.fromkeys(map(self.space.canonical, neighbors(self.space, history.points[slot]))))
        history.at(slot).draws("neighbors").shuffle(order)
        return climb._replace(best=slot, since=history.slot, neighbors=tuple(order))

    def _along_known(self, climb: _Climb, history: History) -> _Climb:
        """Go on over neighbors that earlier climbs have evaluated, at no cost."""
        known: dict[Point, int] = {}
        for slot in range(len(history.rewards)):
            known.setdefault(history.points[slot], slot)
        tried = set(history.points)
        while (better := _better(climb, history.rewards, known, tried)) is not None:
            climb = self._moved(climb, better, history)
        return climb


def _better(climb: _Climb, rewards: Sequence[float], known: Mapping[Point, int], tried: Set[Point]) -> int | None:
    """The slot of the first better neighbor, None if an untried one comes before it."""
    assert climb.best is not None
    for point in climb.neighbors:
        if point not in tried:
            return None
        if point in known and rewards[known[point]] > rewards[climb.best]:
            return known[point]
    return None
