"""A figure that rises along arms in a given order: Page's trend test over the seeds."""

import math
import statistics
from dataclasses import dataclass
from statistics import NormalDist

from lit_cnn.claims.evidence import METRICS, Evidence
from lit_cnn.claims.hypothesis_tests import page_trend
from lit_cnn.claims.verdicts import ALPHA, POWER, Finding, verdict_of


@dataclass(frozen=True)
class Trend:
    """A figure rises along the arms: Page's test over the seeds, two-sided at 5 %.

    Args:
        question: The part.
        metric: Which figure; a loss is claimed to fall.
        arms: In the order in which the figure gets better.
    """

    question: str
    metric: str
    arms: tuple[str, ...]
    primary: bool = True
    family: str = ""

    @property
    def rule(self) -> str:
        """The rule in words."""
        return (
            f"{self.metric} gets better along {', '.join(self.arms)}: holds if Page's trend test, two-sided, gives p < "
            f"{ALPHA}, fails if it does for the opposite order"
        )

    def refusal(self, seeds: int) -> str:
        _, best = page_trend([list(range(len(self.arms)))] * seeds)
        return "" if 2 * best < ALPHA else f"{seeds} seeds cannot reach p < {ALPHA}, whatever they say"

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        sign = 1.0 if self.metric in ("accuracy", "train_accuracy") else -1.0
        columns = [evidence.values(arm, self.metric, seeds) for arm in self.arms]
        rows = [[sign * column[seed] for column in columns] for seed in range(seeds)]
        up, rising = page_trend(rows)
        down, falling = page_trend([row[::-1] for row in rows])
        favors = rising <= falling
        p_value = min(1.0, 2 * min(rising, falling))
        means = [statistics.fmean(column) * METRICS[self.metric].factor for column in columns]
        return Finding(
            self.question,
            self.rule,
            verdict_of(p_value, favors),
            self.primary,
            f"{' → '.join(f'{mean:.3g}' for mean in means)} {METRICS[self.metric].unit}, L = {up:g}, p = {p_value:.3g}",
            METRICS[self.metric].unit,
            means[-1] - means[0],
            n=seeds,
            p_value=p_value,
            favors=favors,
            deciding_n=self._deciding(up, down, seeds),
        )

    def _deciding(self, up: float, down: float, seeds: int) -> int | None:
        """By the normal limit of L, whose deviation grows with the root of the seeds."""
        count = len(self.arms)
        one = math.sqrt(seeds * count**2 * (count - 1) * (count + 1) ** 2 / 144)
        z = abs(up - down) / 2 / one
        needed = NormalDist().inv_cdf(1 - ALPHA / 2) + NormalDist().inv_cdf(POWER)
        return None if z == 0 else max(math.ceil(seeds * (needed / z) ** 2), 2)
