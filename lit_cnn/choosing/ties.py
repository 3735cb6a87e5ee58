"""Which candidates are best: accuracies with intervals, paired differences over the same images, ties, and a front.

The rule: candidates that were trained to the end are compared with the most accurate of them over the same images. One
ties with it if the 95 % interval of the mean of its paired differences, of the normal distribution, reaches 0. Of those
that tie, the cheapest is recommended.
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
RULE = (
    "a candidate ties with the most accurate one if the 95 % interval of the mean of their paired differences, over "
    "the same images, reaches 0; of those that tie, the one with the lowest latency is recommended"
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
        rows.append(Standing(name, right, len(own), *ends, mean, low, high, low <= 0))
    return sorted(rows, key=lambda row: -row.right)


def recommended(rows: Sequence[Standing], costs: Mapping[str, Sequence[float]]) -> str:
    """The cheapest of those that tie with the best.

    Args:
        rows: At least one.
        costs: Candidate -> its costs; of equal first ones the next decides.
    """
    return min((row.name for row in rows if row.ties), key=lambda name: tuple(costs[name]))


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
