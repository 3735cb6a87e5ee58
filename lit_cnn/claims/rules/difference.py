"""Superiority and non-inferiority of arms that are paired by seed, by Student's t."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lit_cnn.claims.evidence import METRICS, Evidence
from lit_cnn.claims.hypothesis_tests import power_of
from lit_cnn.claims.verdicts import Finding, verdict_of
from lit_cnn.evaluation.paired import t_interval

LEAST_POWER = 0.5
"""A comparison that would miss the pilot's effect more often than it finds it is not decidable here."""


@dataclass(frozen=True)
class Expected:
    """What a pilot found, from which the power of the planned seeds follows.

    Args:
        effect: Mean of the paired differences, in the figure's own unit (shares, nats).
        sd: Their standard deviation.
        source: Which pilot.
    """

    effect: float
    sd: float
    source: str


@dataclass(frozen=True)
class Difference:
    """A weighted sum of arms, paired by seed, lies above a threshold: superiority, or non-inferiority below 0.

    Args:
        question: The part.
        metric: Which figure.
        weights: Arm -> factor, such that the sum is large where the claim is right.
        threshold: 0 or the margin for superiority, minus the margin for non-inferiority.
        primary: Whether the claim's verdict rests on it.
        family: Comparisons that share one error.
        expected: What a pilot found.
    """

    question: str
    metric: str
    weights: Mapping[str, float]
    threshold: float = 0.0
    primary: bool = True
    family: str = ""
    expected: Expected | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(self.weights)

    @property
    def rule(self) -> str:
        """The rule in words."""
        metric = METRICS[self.metric]
        limit = self.threshold * metric.factor
        holm = f", by Holm over the comparisons of {self.family!r}" if self.family else ""
        if self._is_time:
            share = f"holds if the 95 % t interval over seeds lies below {math.exp(-limit):.3g} of the time"
            return f"seconds of training, {_ratio_text(self.weights)}: {share}, fails if above{holm}"
        side = f"holds if the 95 % t interval over seeds lies above {limit:g} {metric.unit}".rstrip()
        return f"{self.metric}, {_sum_text(self.weights)}: {side}, fails if below{holm}"

    @property
    def _is_time(self) -> bool:
        """Whether a difference of logarithms is shown as a share of the time."""
        return self.metric == "log_seconds"

    def power(self, seeds: int) -> float | None:
        """How often so many seeds find the pilot's effect; None without a pilot."""
        if self.expected is None:
            return None
        return power_of(self.expected.effect - self.threshold, self.expected.sd, seeds)

    def refusal(self, seeds: int) -> str:
        power = self.power(seeds)
        if power is None or self.expected is None or power >= LEAST_POWER:
            return ""
        factor = METRICS[self.metric].factor
        return (
            f"{seeds} seeds find an effect of {self.expected.effect * factor:.3g} ± {self.expected.sd * factor:.2g} in "
            f"{100 * power:.0f} % of the cases ({self.expected.source})"
        )

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        if lacking := evidence.lacking(self.arms, self.metric, seeds):
            said = f"{lacking} of {seeds * len(self.arms)} runs diverged and have no {self.metric}"
            return Finding(self.question, self.rule, "inconclusive", self.primary, said, METRICS[self.metric].unit)
        columns = {arm: evidence.values(arm, self.metric, seeds) for arm in self.weights}
        sums = [math.fsum(self.weights[arm] * columns[arm][seed] for arm in columns) for seed in range(seeds)]
        against = t_interval([each - self.threshold for each in sums])
        found, metric = t_interval(sums), METRICS[self.metric]
        favors = against.mean > 0
        factor = metric.factor
        low, high, mean = (factor * each for each in (found.low, found.high, found.mean))
        said = f"{mean:+.3g} [{low:+.3g}, {high:+.3g}] {metric.unit}"
        said = _share_of_time(mean, low, high) if self._is_time else said
        return Finding(
            self.question,
            self.rule,
            verdict_of(against.p_value, favors),
            self.primary,
            said.rstrip(),
            metric.unit,
            mean,
            low,
            high,
            factor * self.threshold,
            seeds,
            factor * found.sd,
            against.p_value,
            favors=favors,
            deciding_n=against.deciding_n,
            power=self.power(seeds),
        )


def _sum_text(weights: Mapping[str, float]) -> str:
    """``plain56 - plain20``."""
    terms = [
        f"{'-' if weight < 0 else '+'} {'' if abs(weight) == 1 else f'{abs(weight):g} '}{arm}"
        for arm, weight in weights.items()
    ]
    return " ".join(terms).removeprefix("+ ")


def _ratio_text(weights: Mapping[str, float]) -> str:
    """``fast / slow``, of times whose logarithms are weighted."""
    over, under = ([arm for arm, weight in weights.items() if (weight < 0) == above] for above in (True, False))
    return f"{' · '.join(over)} / {' · '.join(under)}"


def _share_of_time(mean: float, low: float, high: float) -> str:
    """Logarithms of a speed as shares of the slower one's time."""
    share, least, most = (f"{math.exp(-each):.3g}" for each in (mean, high, low))
    return f"{share} [{least}, {most}] of the time"


def superiority(
    question: str,
    metric: str,
    better: str,
    worse: str,
    margin: float = 0.0,
    *,
    primary: bool = True,
    family: str = "",
    expected: Expected | None = None,
) -> Difference:
    """``better`` is ahead of ``worse`` by more than ``margin``; of a loss or a time, below it by more."""
    sign = 1.0 if metric in ("accuracy", "train_accuracy") else -1.0
    return Difference(question, metric, {better: sign, worse: -sign}, margin, primary, family, expected)


def non_inferiority(
    question: str,
    metric: str,
    cheap: str,
    full: str,
    margin: float,
    *,
    primary: bool = True,
    family: str = "",
    expected: Expected | None = None,
) -> Difference:
    """``cheap`` loses less than ``margin`` against ``full``."""
    return superiority(question, metric, cheap, full, -margin, primary=primary, family=family, expected=expected)
