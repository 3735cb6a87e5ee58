"""Compare speeds on a machine whose own speed drifts: contestants take turns, and are compared within each turn.

A ratio of two medians taken one after the other is wrong by whatever the machine did in between; the median of the
ratios of neighbors is not. Its spread is the 95 % interval of the median from the order of the rounds alone (no normal
distribution is assumed); with fewer than six rounds it is the whole range.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

MIN_ROUNDS, MAX_ROUNDS = 6, 200
"""Rounds when their number is left open."""


@dataclass(frozen=True)
class Spread:
    """The median of some rounds and its interval [low, high]; low <= median <= high."""

    median: float
    low: float
    high: float
    rounds: int

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def spread(values: Sequence[float]) -> Spread:
    """Median of ``values`` and the narrowest interval between two of them that holds the true median in 95 % of cases.

    Raises:
        ValueError: If there is no value.
    """
    if not values:
        raise ValueError("a spread needs at least one value, got none")
    ordered, count = sorted(values), len(values)
    cut = 0
    while 2 * (cut + 1) < count and _outside(cut + 1, count) <= 0.05:
        cut += 1
    return Spread(statistics.median(ordered), ordered[cut], ordered[count - 1 - cut], count)


def _outside(cut: int, count: int) -> float:
    """Chance that the true median lies outside the values left when ``cut`` are dropped at each end."""
    return 2 * sum(comb(count, below) for below in range(cut + 1)) / 2**count


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Spread of the ratios of two contestants' values, round by round."""
    return spread([a / b for a, b in zip(numerators, denominators, strict=True)])


def take_turns(
    contestants: Mapping[str, Callable[[], float]],
    *,
    rounds: int | None = None,
    seconds: float = 10.0,
    fewest: int = MIN_ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Let every contestant measure itself once per round, in an order that is reversed in every second round.

    Args:
        contestants: Name -> a function that does its work once and returns its figure (usually the seconds it took).
        rounds: How many; None for as many as fit in ``seconds``, from ``fewest`` to 200.
        seconds: Time after which an open number of rounds stops.
        fewest: Rounds of an open number, however long they take.
        clock: Current time.

    Returns:
        Name -> one figure per round, in the order of the rounds.
    """
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    ends = clock() + seconds
    done = 0
    while done < rounds if rounds is not None else done < fewest or (done < MAX_ROUNDS and clock() < ends):
        order = list(contestants) if done % 2 == 0 else list(reversed(list(contestants)))
        for name in order:
            figures[name].append(contestants[name]())
        done += 1
    return figures
