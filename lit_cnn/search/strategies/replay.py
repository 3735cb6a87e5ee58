"""The state of a strategy is computed from the history, slot by slot; none of it is stored with the trials."""

from collections.abc import Callable
from typing import Generic, TypeVar

from lit_cnn.search.strategies.strategy import History

State = TypeVar("State")


class Replay(Generic[State]):
    """A state as a function of the history.

    The last one is kept in memory, so that a search in which slot follows slot takes one step for each of them.

    Args:
        start: The state of the first slot, by the search's seed.
        step: From the state and what slot k knew, and what slot k + 1 knew, to the state of slot k + 1. It must not
            change the state that it is given.
    """

    def __init__(self, start: Callable[[int], State], step: Callable[[State, History, History], State]) -> None:
        self._start, self._step = start, step
        self._last: tuple[History, State] | None = None

    def state(self, history: History) -> State:
        """The state of the history's slot."""
        if self._last is None or not _begins(self._last[0], history):
            first = History((), (), history.lag, history.seed)
            self._last = first, self._start(history.seed)
        known, state = self._last
        for slot in range(known.slot, history.slot):
            after = history.at(slot + 1)
            known, state = after, self._step(state, known, after)
        self._last = known, state
        return state


def _begins(part: History, history: History) -> bool:
    """Whether ``part`` is what an earlier slot of the same search, or this slot, knew."""
    same_search = (part.lag, part.seed) == (history.lag, history.seed)
    return (
        same_search
        and part.points == history.points[: part.slot]
        and part.rewards == history.rewards[: len(part.rewards)]
        and part.slot <= history.slot
    )
