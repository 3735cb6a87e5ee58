"""How many runs of some arms get as far as those of others: Fisher's exact test."""

from collections.abc import Sequence
from dataclasses import dataclass

from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.hypothesis_tests import fisher_exact
from lit_cnn.claims.verdicts import ALPHA, Finding, verdict_of

MOST_SEEDS = 200
"""Up to which the seeds that would decide are counted."""


@dataclass(frozen=True)
class Counts:
    """More runs of some arms than of others get a figure below a limit: Fisher's exact test, two-sided at 5 %.

    Args:
        question: The part.
        metric: Which figure.
        limit: A run counts where it is below.
        more: Arms that are claimed to have more such runs.
        fewer: The others.
    """

    question: str
    metric: str
    limit: float
    more: tuple[str, ...]
    fewer: tuple[str, ...]
    primary: bool = True
    family: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        return (*self.more, *self.fewer)

    @property
    def rule(self) -> str:
        """The rule in words."""
        return (
            f"runs with {self.metric} below {self.limit:g}, {' and '.join(self.more)} against "
            f"{' and '.join(self.fewer)}: holds if Fisher's exact test, two-sided, gives p < {ALPHA} for more, fails "
            "if for fewer"
        )

    def refusal(self, seeds: int) -> str:
        best = _two_sided(seeds * len(self.more), seeds * len(self.more), 0, seeds * len(self.fewer))
        return "" if best < ALPHA else f"{seeds} seeds cannot reach p < {ALPHA}, whatever they say"

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        counts = [
            sum(value < self.limit for arm in arms for value in evidence.values(arm, self.metric, seeds))
            for arms in (self.more, self.fewer)
        ]
        totals = [seeds * len(self.more), seeds * len(self.fewer)]
        shares = [count / total for count, total in zip(counts, totals, strict=True)]
        favors = shares[0] >= shares[1]
        p_value = _two_sided(counts[0], totals[0], counts[1], totals[1])
        return Finding(
            self.question,
            self.rule,
            verdict_of(p_value, favors),
            self.primary,
            f"{counts[0]} of {totals[0]} against {counts[1]} of {totals[1]}, p = {p_value:.3g}",
            "share of runs",
            shares[0] - shares[1],
            n=seeds,
            p_value=p_value,
            favors=favors,
            deciding_n=self._deciding(counts, seeds),
        )

    def _deciding(self, counts: Sequence[int], seeds: int) -> int | None:
        """Seeds with which the same shares would be decided; None where they are more than ``MOST_SEEDS``."""
        if counts[0] * len(self.fewer) == counts[1] * len(self.more):
            return None
        for more in range(seeds, MOST_SEEDS):
            first, second = (round(count * more / seeds) for count in counts)
            if _two_sided(first, more * len(self.more), second, more * len(self.fewer)) < ALPHA:
                return more
        return None


def _two_sided(first: int, of: int, second: int, others_of: int) -> float:
    """Twice the p value of the side on which the counts lie."""
    return min(1.0, 2 * min(fisher_exact(first, of, second, others_of), fisher_exact(second, others_of, first, of)))
