"""The tests behind verdicts that are not a paired t test: Fisher's, Page's and Welch's, and the power of a t test."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence

from lit_cnn.evaluation.paired import LEVEL, Interval, t_quantile, t_share_below

INTEGRATION_STEPS = 2000
MOST_EXACT = 6
"""Most conditions whose orders are all counted; Page's L of more is compared with its normal limit."""


def fisher_exact(right: int, of: int, others_right: int, others_of: int) -> float:
    """How often chance alone gives the first group this many successes or more, one-sided (Fisher, 1935).

    >>> round(fisher_exact(5, 5, 0, 5), 5), fisher_exact(3, 5, 3, 5) > 0.5
    (0.00397, True)

    Raises:
        ValueError: If a group has more successes than members.
    """
    if not (0 <= right <= of and 0 <= others_right <= others_of):
        raise ValueError(f"{right} of {of} and {others_right} of {others_of} are not counts of successes")
    total, successes = of + others_of, right + others_right
    ways = sum(
        math.comb(successes, first) * math.comb(total - successes, of - first)
        for first in range(right, min(of, successes) + 1)
        if of - first <= total - successes
    )
    return ways / math.comb(total, of)


def page_trend(rows: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Page's L of conditions in the order in which they are claimed to rise, and its one-sided p value.

    Args:
        rows: One for each seed, a value for each condition. Equal values share their mean rank.

    Raises:
        ValueError: If there is no row, or fewer than three conditions, or rows differ in length.

    Source: Page, 1963, JASA 58, 216-230.
    """
    count = len(rows[0]) if rows else 0
    if count < 3 or any(len(row) != count for row in rows):
        raise ValueError("a trend needs three conditions or more, and a value of each in every row")
    observed = math.fsum(place * rank for row in rows for place, rank in enumerate(_ranks(row), start=1))
    if count > MOST_EXACT:
        mean = len(rows) * count * (count + 1) ** 2 / 4
        spread = math.sqrt(len(rows) * count**2 * (count - 1) * (count + 1) ** 2 / 144)
        return observed, 1 - normal_share_below((observed - mean) / spread)
    of_one = Counter(
        sum(place * rank for place, rank in enumerate(order, start=1))
        for order in itertools.permutations(range(1, count + 1))
    )
    sums = Counter({0: 1})
    for _ in rows:
        added: Counter[int] = Counter()
        for (so_far, ways), (one, times) in itertools.product(sums.items(), of_one.items()):
            added[so_far + one] += ways * times
        sums = added
    return observed, sum(ways for total, ways in sums.items() if total >= observed) / math.factorial(count) ** len(rows)


def _ranks(values: Sequence[float]) -> list[float]:
    """1 for the smallest; equal values share the mean of their ranks."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]


def welch(first: Interval, second: Interval) -> tuple[Interval, float]:
    """The difference of two independent means with its 95 % interval, and its two-sided p value (Welch, 1947).

    Args:
        first: Mean, standard deviation and number of the first group; its interval is not read.
        second: Those of the other.
    """
    parts = [group.sd**2 / group.n for group in (first, second)]
    error, difference = math.sqrt(sum(parts)), first.mean - second.mean
    squares = sum(part**2 / (group.n - 1) for part, group in zip(parts, (first, second), strict=True))
    if error == 0:
        return Interval(difference, difference, difference, first.n + second.n, 0.0), float(difference == 0)
    freedom = max(math.floor(sum(parts) ** 2 / squares), 1)
    half = t_quantile((1 + LEVEL) / 2, freedom) * error
    count = first.n + second.n
    p_value = 2 * (1 - t_share_below(abs(difference) / error, freedom))
    interval = Interval(difference, difference - half, difference + half, count, error * math.sqrt(count))
    return interval, min(max(p_value, 0.0), 1.0)


def power_of(effect: float, sd: float, count: int, level: float = LEVEL) -> float:
    """How often the t interval of ``count`` paired differences lies above 0 where their true mean is ``effect``.

    >>> round(power_of(1.68, 1.0, 5), 1), round(power_of(0.0, 1.0, 5), 3)
    (0.8, 0.025)
    """
    if count < 2:
        return 0.0
    if sd == 0:
        return float(effect > 0)
    freedom, shift = count - 1, effect * math.sqrt(count) / sd
    limit = t_quantile((1 + level) / 2, freedom)
    scale = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)
    width = 6 / INTEGRATION_STEPS

    def share(ratio: float) -> float:
        """Density of the ratio of the sample's to the true standard deviation, times the power where it is given."""
        density = math.exp(scale + (freedom - 1) * math.log(ratio) - freedom * ratio**2 / 2)
        return density * normal_share_below(shift - limit * ratio)

    return width * math.fsum(share((step + 0.5) * width) for step in range(INTEGRATION_STEPS))


def normal_share_below(z: float) -> float:
    """The share of the standard normal distribution below ``z``."""
    return math.erfc(-z / math.sqrt(2)) / 2
