"""Parts without runs of their own: arithmetic, figures with an interval, and two groups of stored runs."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.hypothesis_tests import welch
from lit_cnn.claims.verdicts import FAILS, Finding, verdict_of
from lit_cnn.evaluation.paired import POWER_FACTOR, Interval

RATIO = "times"
"""Unit of a ratio."""


@dataclass(frozen=True)
class Exact:
    """A counted figure lies in a range: arithmetic, which no interval belongs to.

    Args:
        question: The part.
        name: Of the figure.
        low: Least value with which it is right.
        high: Largest.
        unit: Of the figure.
    """

    question: str
    name: str
    low: float
    high: float
    unit: str = ""
    primary: bool = True
    family: str = ""
    arms: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule in words."""
        where = f"is {self.low:g}" if self.low == self.high else f"lies in [{self.low:g}, {self.high:g}]"
        return f"{self.name} {where} {self.unit}".rstrip()

    def refusal(self, seeds: int) -> str:
        """Arithmetic needs no seeds."""
        return ""

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        value = evidence.measured[self.name]
        right = self.low <= value <= self.high
        return Finding(
            self.question,
            self.rule,
            "exact" if right else FAILS,
            self.primary,
            f"{value:,.6g} {self.unit}".rstrip(),
            self.unit,
            value,
            favors=right,
        )


@dataclass(frozen=True)
class Measured:
    """A figure with an interval of its own lies above a threshold: over images of one set of networks, or over rounds
    of a clock.

    ``NAME``, ``NAME.low`` and ``NAME.high`` are its names in the evidence, in the unit that is shown.

    Args:
        question: The part.
        name: Of the figure.
        over: Over what the interval is taken.
        threshold: With what it is compared.
        unit: Of the figure.
    """

    question: str
    name: str
    over: Literal["images", "rounds"]
    threshold: float = 0.0
    unit: str = ""
    primary: bool = True
    family: str = ""
    arms: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule in words."""
        how = "bootstrap over images" if self.over == "images" else "order of the rounds"
        return f"{self.name}: holds if the 95 % interval ({how}) lies above {self.threshold:g} {self.unit}".rstrip()

    def refusal(self, seeds: int) -> str:
        """Its interval is over others than seeds."""
        return ""

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        value, low, high = (evidence.measured[f"{self.name}{end}"] for end in ("", ".low", ".high"))
        decided = low > self.threshold or high < self.threshold
        return Finding(
            self.question,
            self.rule,
            verdict_of(0.0 if decided else 1.0, value > self.threshold),
            self.primary,
            self._said(value, low, high),
            self.unit,
            value,
            low,
            high,
            self.threshold,
            favors=value > self.threshold,
        )

    def _said(self, value: float, low: float, high: float) -> str:
        """A ratio has no sign."""
        shown = "{:.3g}" if self.unit == RATIO else "{:+.3g}"
        found, least, most = (shown.format(each) for each in (value, low, high))
        return f"{found} [{least}, {most}] {self.unit}".rstrip()


@dataclass(frozen=True)
class Means:
    """The mean of one group of runs lies above that of another that is independent of it: Welch's t test.

    ``NAME.mean``, ``NAME.sd`` and ``NAME.n`` are a group's names in the evidence.

    Args:
        question: The part.
        better: The group with the larger mean.
        worse: The other.
        threshold: Margin.
        unit: Of the figures.
    """

    question: str
    better: str
    worse: str
    threshold: float = 0.0
    unit: str = "points"
    primary: bool = True
    family: str = ""
    arms: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"{self.better} - {self.worse}: holds if Welch's 95 % interval lies above {self.threshold:g} {self.unit}"

    def refusal(self, seeds: int) -> str:
        """The runs are there."""
        return ""

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        groups = [self._group(evidence, name) for name in (self.better, self.worse)]
        found, _ = welch(*groups)
        _, p_value = welch(dataclasses.replace(groups[0], mean=groups[0].mean - self.threshold), groups[1])
        favors = found.mean > self.threshold
        each = math.hypot(*(group.sd for group in groups))
        distance = abs(found.mean - self.threshold)
        return Finding(
            self.question,
            self.rule,
            verdict_of(p_value, favors),
            self.primary,
            f"{found.mean:+.3g} [{found.low:+.3g}, {found.high:+.3g}] {self.unit}, {groups[0].n} runs of each",
            self.unit,
            found.mean,
            found.low,
            found.high,
            self.threshold,
            groups[0].n,
            each,
            p_value,
            favors=favors,
            deciding_n=math.ceil((POWER_FACTOR * each / distance) ** 2 + 2) if distance else None,
        )

    @staticmethod
    def _group(evidence: Evidence, name: str) -> Interval:
        mean, sd, n = (evidence.measured[f"{name}.{what}"] for what in ("mean", "sd", "n"))
        return Interval(mean, mean, mean, int(n), sd)
