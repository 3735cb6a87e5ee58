"""Differences between groups of runs, pair by pair, and whether they are decided."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lit_cnn.evaluation.paired import LEVEL, Interval, holm, t_interval


@dataclass(frozen=True)
class Difference:
    """Group ``first`` minus group ``second``, seed by seed.

    Args:
        first: A label.
        second: The other label.
        pairs: Seeds that both have.
        mean: Of the differences; None without a pair.
        interval: Their 95 % t interval; None with fewer than two pairs.
        p: Student's paired test; None with fewer than two pairs.
        p_holm: Adjusted for all the comparisons.
        decided: Whether the difference is decided at 5 %, by ``p_holm``.
        deciding_n: So many seeds would find this mean with a power of 80 %; None where that cannot be known.
    """

    first: str
    second: str
    pairs: int
    mean: float | None
    interval: Interval | None
    p: float | None
    p_holm: float | None
    decided: bool
    deciding_n: int | None


def differences_of(groups: Mapping[str, Mapping[str, float]]) -> list[Difference]:
    """Every two groups, the first minus the second, in the groups' order; Holm's adjustment is over all that have two
    pairs or more.

    Args:
        groups: Label -> (what a run is paired by, such as its seed -> value).
    """
    couples = list(itertools.combinations(groups, 2))
    gaps = [
        [groups[first][block] - other for block, other in groups[second].items() if block in groups[first]]
        for first, second in couples
    ]
    intervals = [t_interval(values) if len(values) > 1 else None for values in gaps]
    adjusted = iter(holm([interval.p_value for interval in intervals if interval]))
    return [
        _difference(couple, values, interval, next(adjusted) if interval else None)
        for couple, values, interval in zip(couples, gaps, intervals, strict=True)
    ]


def _difference(
    couple: tuple[str, str], values: Sequence[float], interval: Interval | None, adjusted: float | None
) -> Difference:
    mean = statistics.fmean(values) if values else None
    decided = adjusted is not None and adjusted < 1 - LEVEL
    p = None if interval is None else interval.p_value
    needed = None if interval is None else interval.deciding_n
    return Difference(*couple, len(values), mean, interval, p, adjusted, decided, needed)
