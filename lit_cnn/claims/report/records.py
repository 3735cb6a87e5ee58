"""What the page shows of a claim at one scale: design, result and judgement."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean, stdev

from lit_cnn.claims.claim import Claim, Design, Scale
from lit_cnn.claims.hypothesis_tests import power_of
from lit_cnn.claims.judging import Judgement
from lit_cnn.claims.result_file import Result, find_result, judged
from lit_cnn.claims.rules.difference import Difference
from lit_cnn.claims.rules.part import Part
from lit_cnn.claims.verdicts import ALPHA, POWER, Finding

SCALES: tuple[Scale, ...] = ("digits", "cpu", "gpu")
STALE = "stale: the design has changed since, so it is not judged"
_HALVINGS = 40


@dataclass(frozen=True)
class Record:
    """A claim at one scale.

    Args:
        claim: Which.
        scale: At which scale.
        design: Of it.
        result: What was measured; None before.
        judgement: On it; None without a result, or where the design has changed since.
    """

    claim: Claim
    scale: Scale
    design: Design
    result: Result | None = None
    judgement: Judgement | None = None

    @property
    def is_stale(self) -> bool:
        """Whether there is a result of another design."""
        return self.result is not None and self.judgement is None

    @property
    def verdict(self) -> str:
        """In words, also before the first run."""
        if self.judgement is not None:
            return self.judgement.verdict
        if self.is_stale:
            return STALE
        return "not run yet" if self.design.decidable() else "not decidable here"

    @property
    def wording(self) -> str:
        """The verdict with what it leaves open, what speaks against it, and whether arms were best at an end of their
        grid or the rule is younger than its runs."""
        if self.judgement is None:
            return self.verdict
        place = self.leading()
        arms = self.design.parts[place].arms if place is not None else ()
        remarks = ["best at an end of the grid"] if any(self.is_at_an_end(arm) for arm in arms) else []
        remarks += ["rule changed after the first run"] if self.result and self.result.rule_changed else []
        remarks += ["on earlier runs"] if self.design.stored else []
        return self.judgement.wording + (f" ({'; '.join(remarks)})" if remarks else "")

    def is_at_an_end(self, arm: str) -> bool:
        """Whether an arm was best with the first or last of at least three points of its grid."""
        tried = self.result.tried.get(arm, []) if self.result is not None else []
        finite = [loss for loss in tried if loss is not None]
        return len(tried) > 2 and bool(finite) and tried.index(min(finite)) in (0, len(tried) - 1)

    @property
    def seeds(self) -> int:
        """Planned number of seeds."""
        return self.result.seeds if self.result is not None else self.design.seeds

    def finding(self, place: int) -> Finding | None:
        """On the part of that place; None while there is none."""
        return self.judgement.findings[place] if self.judgement is not None else None

    def leading(self) -> int | None:
        """Place of the first part that made the verdict what it is; None while nothing is judged."""
        findings = self.judgement.findings if self.judgement is not None else ()
        primary = [place for place, finding in enumerate(findings) if finding.primary]
        deciding = [place for place in primary if findings[place].verdict == self.verdict]
        return next(iter([*deciding, *primary]), None)

    def comparisons(self, place: int) -> int:
        """How many parts share the error of the one of that place."""
        family = self.design.parts[place].family
        return sum(part.family == family for part in self.design.decidable()) if family else 1

    def accuracy(self, arm: str) -> str:
        """Mean and standard deviation over the seeds of an arm, in percent; a dash where it was not run."""
        values = self.values(arm, "accuracy")
        if not values or self.judgement is None:
            return "–"
        return f"{100 * fmean(values):.1f}" + (f" ± {100 * stdev(values):.1f}" if len(values) > 1 else "")

    def values(self, arm: str, figure: str) -> list[float]:
        """A figure of every run of an arm that has it."""
        runs = self.result.runs if self.result is not None else []
        return [run["figures"][figure] for run in runs if run["arm"] == arm and figure in run["figures"]]


def gather(claims: Sequence[Claim], results: Path) -> list[Record]:
    """A record of each claim at each scale of its designs, and at those of results.

    Args:
        claims: Which.
        results: Folder of result files; those that came with the package count, too.
    """
    records = []
    for claim in claims:
        for scale in SCALES:
            design = claim.design(scale)
            result = find_result(claim.name, scale, results) if design is not None else None
            if design is None or (result is None and scale not in claim.designs):
                continue
            fresh = result is not None and not result.is_stale(design)
            records.append(Record(claim, scale, design, result, judged(claim, result) if fresh and result else None))
    return records


def detectable(part: Part, finding: Finding, comparisons: int = 1) -> float | None:
    """How far beyond its threshold an effect must lie to be found in 80 % of the cases with the seeds that were run,
    where it is the first of several comparisons by Holm's method.

    None of a finding that is not a paired t test over seeds.
    """
    if not isinstance(part, Difference) or finding.sd is None or finding.n is None:
        return None
    return finding.sd * _detectable_in_sd(finding.n, comparisons)


@cache
def _detectable_in_sd(count: int, comparisons: int) -> float:
    """The same in standard deviations.

    >>> round(_detectable_in_sd(5, 1), 2), round(_detectable_in_sd(5, 2), 2)
    (1.68, 2.05)
    """
    low, high = 0.0, 100.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if power_of(middle, 1.0, count, 1 - ALPHA / comparisons) < POWER else (low, middle)
    return (low + high) / 2
