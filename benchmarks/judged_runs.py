"""The claims' rule on runs of a benchmark: paired by seed, Student's t, Holm over the comparisons."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lit_cnn.claims.claim import Design
from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.hypothesis_tests import power_of
from lit_cnn.claims.judging import judge
from lit_cnn.claims.rules.difference import superiority
from lit_cnn.claims.verdicts import Finding


class Comparison(NamedTuple):
    """``better`` has the higher figure than ``worse``; the question as a sentence that may be true."""

    question: str
    better: str
    worse: str


Values = Mapping[str, Mapping[int, float]]
"""Arm -> seed -> figure in [0, 1]."""


def judged(comparisons: Sequence[Comparison], values: Values, seeds: int) -> tuple[Finding, ...]:
    """The findings on all comparisons, each against 0; they share one error."""
    parts = tuple(superiority(each.question, "accuracy", each.better, each.worse, family="all") for each in comparisons)
    runs = {arm: {seed: {"accuracy": value} for seed, value in own.items()} for arm, own in values.items()}
    return judge(Design(parts, seeds=seeds), Evidence(runs)).findings


def verdict_rows(findings: Sequence[Finding]) -> list[str]:
    """A Markdown table."""
    rows = ["| question | difference [95 % interval], points | p, Holm | verdict |", "|---|---|---|---|"]
    for each in findings:
        if each.effect is None:
            rows.append(f"| {each.question} | {each.said} | – | {each.verdict} |")
            continue
        verdict: str = each.verdict
        if verdict == "inconclusive" and each.deciding_n is not None:
            verdict += f"; {each.deciding_n:,} seeds would decide if the difference is the measured one"
        shown = f"{each.effect:+.1f} [{each.low:+.1f}, {each.high:+.1f}]"
        rows.append(f"| {each.question} | {shown} | {each.adjusted_p:.3f} | {verdict} |")
    return rows


def power_sentence(effect: float, finding: Finding, source: str) -> str:
    """How often the same number of seeds would find a published difference in points."""
    if finding.sd is None or finding.n is None:
        return ""
    power = power_of(effect, finding.sd, finding.n)
    return (
        f"{finding.n} seeds whose differences have the measured standard deviation of {finding.sd:.1f} points find a "
        f"difference of {effect:g} points ({source}) in {100 * power:.0f} % of the cases."
    )
