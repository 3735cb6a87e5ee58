"""From a design and its evidence to findings and a verdict; nothing is judged before all planned runs have ended."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from lit_cnn.claims.claim import Design
from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.rules.part import Part
from lit_cnn.claims.verdicts import ALPHA, FAILS, POWER, Finding, Verdict, combined, verdict_of
from lit_cnn.evaluation.paired import holm


@dataclass(frozen=True)
class Judgement:
    """What is known of a claim at one scale.

    Args:
        verdict: On the claim.
        findings: On each part.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def wording(self) -> str:
        """The verdict, and whether a part of the claim could not be decided, or one that does not count fails."""
        undecided = any(each.primary and each.verdict == "not decidable here" for each in self.findings)
        failed = [each.question for each in self.findings if not each.primary and each.verdict == FAILS]
        said: list[str] = [self.verdict]
        if undecided and self.verdict != "not decidable here":
            said.append("in part not decidable here")
        return ", ".join(said) + "".join(f"; but not: {question}" for question in failed)


def judge(design: Design, evidence: Evidence, seeds: int | None = None) -> Judgement:
    """The findings on all parts.

    Args:
        design: With its rules.
        evidence: What is there so far.
        seeds: Planned number of seeds, where it was raised before the first run; None for the design's.
    """
    planned = max(seeds or 0, design.seeds)
    findings = [_finding(part, evidence, planned) for part in design.parts]
    findings = _adjusted(design.parts, findings)
    return Judgement(combined(findings), tuple(findings))


def _finding(part: Part, evidence: Evidence, seeds: int) -> Finding:
    refusal = part.refusal(seeds)
    if refusal:
        return Finding(part.question, part.rule, "not decidable here", part.primary, refusal)
    missing = evidence.missing(part.arms, seeds)
    if missing:
        total = seeds * len(part.arms)
        return Finding(part.question, part.rule, "not finished", part.primary, f"{total - missing} of {total} runs")
    try:
        return part.judged(evidence, seeds)
    except KeyError:  # a figure that has not been counted yet
        return Finding(part.question, part.rule, "not finished", part.primary, "not measured yet")


def _adjusted(parts: Sequence[Part], findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the verdicts of each family by Holm's method, once all of its comparisons have ended."""
    changed = list(findings)
    for family in {part.family for part in parts if part.family}:
        places = [
            place
            for place, part in enumerate(parts)
            if part.family == family and findings[place].verdict != "not decidable here"
        ]
        if any(findings[place].verdict == "not finished" for place in places):
            for place in places:
                changed[place] = dataclasses.replace(findings[place], verdict="not finished")
            continue
        p_values = [findings[place].p_value for place in places]
        adjusted = holm([1.0 if p_value is None else p_value for p_value in p_values])  # 1 where runs diverged
        for place, known, p_value in zip(places, p_values, adjusted, strict=True):
            if known is None:
                continue
            verdict = verdict_of(p_value, bool(findings[place].favors))
            needed = deciding_among(findings[place].deciding_n, len(places))
            changed[place] = dataclasses.replace(
                findings[place], verdict=verdict, adjusted_p=p_value, deciding_n=needed
            )
    return [_with_more_seeds(finding) for finding in changed]


def deciding_among(deciding_n: int | None, comparisons: int) -> int | None:
    """Seeds that find a difference with a power of 80 % where it is the first of several by Holm's method.

    >>> deciding_among(10, 1), deciding_among(10, 6)
    (10, 15)
    """
    if deciding_n is None:
        return None
    alone, first = (
        NormalDist().inv_cdf(1 - ALPHA / (2 * count)) + NormalDist().inv_cdf(POWER) for count in (1, comparisons)
    )
    return math.ceil((deciding_n - 2) * (first / alone) ** 2) + 2


def _with_more_seeds(finding: Finding) -> Finding:
    """An open question needs more seeds than it had, whatever the normal approximation says of few."""
    if finding.verdict != "inconclusive" or not finding.deciding_n or not finding.n:
        return finding
    return dataclasses.replace(finding, deciding_n=max(finding.deciding_n, finding.n + 1))
