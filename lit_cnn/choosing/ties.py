"""Which candidates are best: accuracies with intervals, paired differences over the same images, ties, and a front.

The rule: candidates that were trained to the end are compared with the most accurate of them over the same images. One
ties with it if McNemar's exact test (two-sided, of the images on which exactly one of the two is right; Dietterich,
1998, Neural Computation 10) gives p > 0.05: the normal interval of the mean difference, which is shown too, excludes 0
after four such images already. Of those that tie, the cheapest is recommended.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lit_cnn.evaluation.scores import wilson_interval
from lit_cnn.reports.pareto import pareto_front

Z = 1.959964
"""Standard errors on each side of a 95 % interval."""
Answers = Mapping[str, bool]
"""Image -> whether it was classified correctly."""
LEVEL = 0.05
"""Of the test: at most this is a difference."""
EQUAL = 1.05
"""Costs up to so many times the lowest are equal: times are never measured twice the same."""
RULE = (
    "a candidate ties with the most accurate one if McNemar's exact test, over the same images, gives p > 0.05; of "
    "those that tie, the one with the lowest latency is recommended, or the most accurate of those within 5 % of it"
)


@dataclass(frozen=True)
class Standing:
    """How a candidate stands.

    Args:
        name: Of the candidate.
        right: Images that it classified correctly.
        images: Of so many.
        low: Lower end of the 95 % interval of its accuracy (Wilson, 1927).
        high: Its upper end.
        behind: How much less accurate than the best it is, over the same images.
        behind_low: Lower end of the 95 % interval of that.
        behind_high: Its upper end.
        p: Of McNemar's exact test against the best.
        ties: Whether it is as good as the best, by the rule.
    """

    name: str
    right: int
    images: int
    low: float
    high: float
    behind: float
    behind_low: float
    behind_high: float
    p: float
    ties: bool

    @property
    def accuracy(self) -> float:
        """Share of images that it classified correctly."""
        return self.right / self.images


def paired_difference(first: Answers, second: Answers) -> tuple[float, float, float]:
    """How much more accurate ``first`` is than ``second``: the mean over images, and its 95 % interval.

    Raises:
        ValueError: If they are not of the same images, or of fewer than two.
    """
    if first.keys() != second.keys() or len(first) < 2:
        raise ValueError("a paired comparison needs the answers to the same images, two at least")
    differences = [float(first[image]) - float(second[image]) for image in first]
    mean = statistics.fmean(differences)
    half = Z * statistics.stdev(differences) / math.sqrt(len(differences))
    return mean, mean - half, mean + half


def mcnemar(first: Answers, second: Answers) -> float:
    """Two-sided p of McNemar's exact test: how likely the images on which exactly one is right divide as unequally as
    they do between the two, if either is as likely to be the one.

    >>> mcnemar({"a": True, "b": True, "c": True, "d": True}, {"a": False, "b": False, "c": False, "d": False})
    0.125

    Raises:
        ValueError: If they are not of the same images.
    """
    if first.keys() != second.keys():
        raise ValueError("a paired comparison needs the answers to the same images")
    gains = sum(first[image] and not second[image] for image in first)
    losses = sum(second[image] and not first[image] for image in first)
    total = gains + losses
    as_unequal = sum(math.comb(total, fewer) for fewer in range(min(gains, losses) + 1))
    return min(1.0, 2 * as_unequal / 2**total)


def standings(answers: Mapping[str, Answers]) -> list[Standing]:
    """The candidates, the most accurate first; of equal ones the first given.

    Args:
        answers: Of each candidate, all on the same images.
    """
    if not answers:
        return []
    best = max(answers, key=lambda name: sum(answers[name].values()))
    rows = []
    for name, own in answers.items():
        mean, low, high = paired_difference(answers[best], own) if name != best else (0.0, 0.0, 0.0)
        right = sum(own.values())
        ends = wilson_interval(right, len(own))
        p = mcnemar(answers[best], own)
        rows.append(Standing(name, right, len(own), *ends, mean, low, high, p, p > LEVEL))
    return sorted(rows, key=lambda row: -row.right)


def recommended(rows: Sequence[Standing], costs: Mapping[str, Sequence[float]]) -> str:
    """The cheapest of those that tie with the best, and of about equally cheap ones the most accurate.

    Args:
        rows: At least one, the most accurate first.
        costs: Candidate -> its costs; of equal first ones the next decides.
    """
    ties = [row for row in rows if row.ties]
    least = min(costs[row.name][0] for row in ties)
    cheap = [row for row in ties if costs[row.name][0] <= EQUAL * least]
    return min(cheap, key=lambda row: (-row.right, *costs[row.name])).name


def ranked(rows: Sequence[Standing], costs: Mapping[str, Sequence[float]]) -> list[str]:
    """All candidates in the order in which they deserve to go on: the most accurate one, then those that tie with it,
    the cheapest first, then the others, the most accurate first.

    Args:
        rows: As ``standings`` gives them.
        costs: As for ``recommended``.
    """
    found, ties = [row.name for row in rows[:1]], [row for row in rows[1:] if row.ties]
    while ties:
        found.append(recommended(ties, costs))
        ties = [row for row in ties if row.name != found[-1]]
    return [*found, *(row.name for row in rows if row.name not in found)]


def front_of(rows: Sequence[Standing], costs: Mapping[str, float]) -> list[str]:
    """The candidates that no other one beats in accuracy and in cost, the cheapest first."""
    kept = pareto_front([(costs[row.name], -row.accuracy) for row in rows])
    return sorted((rows[number].name for number in kept), key=lambda name: costs[name])
