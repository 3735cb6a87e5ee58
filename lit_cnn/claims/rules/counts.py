"""How many runs of some arms get as far as those of others: Fisher's exact test."""

from collections.abc import Sequence
from dataclasses import dataclass

from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.hypothesis_tests import fisher_exact
from lit_cnn.claims.verdicts import ALPHA, Finding, verdict_of

MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Counts:
    """More runs of some arms than of others get a figure below a limit: Fisher's exact test, one-sided at 5 %.

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
            f"{' and '.join(self.fewer)}: holds if Fisher's exact test gives p < {ALPHA} for more, fails if for fewer"
        )

    def refusal(self, seeds: int) -> str:
        best = fisher_exact(seeds * len(self.more), seeds * len(self.more), 0, seeds * len(self.fewer))
        return "" if best < ALPHA else f"{seeds} seeds cannot reach p < {ALPHA}, whatever they say"

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        counts = [
            sum(value < self.limit for arm in arms for value in evidence.values(arm, self.metric, seeds))
            for arms in (self.more, self.fewer)
        ]
        totals = [seeds * len(self.more), seeds * len(self.fewer)]
        shares = [count / total for count, total in zip(counts, totals, strict=True)]
        favors = shares[0] >= shares[1]
        first, second = (0, 1) if favors else (1, 0)
        p_value = fisher_exact(counts[first], totals[first], counts[second], totals[second])
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
        """Seeds with which the same shares would be decided."""
        if counts[0] * len(self.fewer) == counts[1] * len(self.more):
            return None
        for more in range(seeds, MOST_SEEDS):
            sizes = [more * len(self.more), more * len(self.fewer)]
            rights = [round(count * more / seeds) for count in counts]
            order = (0, 1) if rights[0] / sizes[0] >= rights[1] / sizes[1] else (1, 0)
            if fisher_exact(rights[order[0]], sizes[order[0]], rights[order[1]], sizes[order[1]]) < ALPHA:
                return more
        return None
