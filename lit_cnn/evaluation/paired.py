"""Means over seeds with Student's t interval, and how many seeds would decide a question.

A percentile bootstrap over three seeds covers 71.5 % where it promises 95 %, by simulation; the t interval covers what
it promises where the differences are normal.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95
POWER_FACTOR = 2.8
"""1.96 + 0.84: a difference of so many standard errors is found in 80 % of the cases."""


@dataclass(frozen=True)
class Interval:
    """A mean of paired differences.

    Args:
        mean: Of the differences.
        low: Lower end of the 95 % interval.
        high: Its upper end.
        n: Number of differences.
        sd: Their standard deviation.
    """

    mean: float
    low: float
    high: float
    n: int
    sd: float

    @property
    def decided(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    @property
    def deciding_n(self) -> int | None:
        """So many differences would find this mean with a power of 80 %; None where the mean is 0."""
        if self.mean == 0:
            return None
        return max(math.ceil((POWER_FACTOR * self.sd / abs(self.mean)) ** 2 + 2), 2)

    @property
    def p_value(self) -> float:
        """How often differences without a mean would give one as far from 0: Student's two-sided paired test."""
        if self.sd == 0:
            return 1.0 if self.mean == 0 else 0.0
        t = abs(self.mean) / (self.sd / math.sqrt(self.n))
        return min(max(2 * (1 - t_share_below(t, self.n - 1)), 0.0), 1.0)


def t_interval(differences: Sequence[float], level: float = LEVEL) -> Interval:
    """The mean of differences, one for each seed, with its t interval.

    Args:
        differences: At least two.
        level: How often such intervals hold the true mean.

    Raises:
        ValueError: If there are fewer than two, or one is infinite or not a number.
    """
    count = len(differences)
    if count < 2:
        raise ValueError(f"an interval over seeds needs at least 2 of them, got {count}")
    if not all(map(math.isfinite, differences)):
        raise ValueError(f"an interval over seeds needs finite values, got {', '.join(map(str, differences))}")
    mean, sd = statistics.fmean(differences), statistics.stdev(differences)
    half = t_quantile((1 + level) / 2, count - 1) * sd / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count, sd)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of several comparisons, adjusted so that one below 0.05 among them is wrong in 5 % of the cases at
    most (Holm, 1979, Scand. J. Statist. 6, 65-70), in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min((len(p_values) - rank) * p_values[place], 1.0))
        adjusted[place] = largest
    return adjusted


def t_quantile(probability: float, freedom: int) -> float:
    """Student's t of which a share ``probability`` (from 0.5 on) lies below.

    >>> round(t_quantile(0.975, 2), 4), round(t_quantile(0.975, 30), 4)
    (4.3027, 2.0423)
    """
    low, high = 0.0, 1.0
    while t_share_below(high, freedom) < probability:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_share_below(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def t_share_below(t: float, freedom: int) -> float:
    """The share of Student's distribution below ``t`` (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    odd = freedom % 2
    term, total = cosine if odd else 1.0, 0.0
    for step in range((freedom - odd) // 2):
        total += term
        term *= cosine**2 * (2 * step + 1 + odd) / (2 * step + 2 + odd)
    if odd:
        return 0.5 + (angle + math.sin(angle) * total) / math.pi
    return 0.5 + math.sin(angle) * total / 2
