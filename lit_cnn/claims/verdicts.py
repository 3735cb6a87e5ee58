"""The verdicts and how the one on a claim follows from those on its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["exact", "holds", "does not hold at this scale", "inconclusive", "not decidable here", "not finished"]
FAILS: Verdict = "does not hold at this scale"
ALPHA = 0.05
"""Of a test's verdicts, so many are false by chance."""
TESTED: tuple[Verdict, ...] = ("holds", FAILS, "inconclusive")
"""Verdicts that rest on a test."""
POWER = 0.8
"""With which the seeds that would decide are counted."""


@dataclass(frozen=True)
class Finding:
    """What was found on one part of a claim.

    Args:
        question: The part, as a sentence that may be true.
        rule: By what it is judged.
        verdict: By that rule.
        primary: Whether the claim's verdict rests on it; others are shown next to it.
        said: One sentence with the figures.
        unit: Of ``effect`` and its interval.
        effect: What was measured; None while it is not.
        low: Lower end of its 95 % interval; None without one.
        high: Upper end.
        threshold: With what the effect is compared.
        n: Seeds, or images.
        sd: Standard deviation of the paired differences.
        p_value: Of the test against the threshold.
        adjusted_p: The same by Holm's method, where several comparisons share one error.
        favors: Whether the effect lies on the claim's side of the threshold.
        deciding_n: So many seeds would decide with a power of 80 % if the effect is the one measured.
        power: Of the planned number of seeds, where a pilot's effect is known.
    """

    question: str
    rule: str
    verdict: Verdict
    primary: bool = True
    said: str = ""
    unit: str = ""
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    n: int | None = None
    sd: float | None = None
    p_value: float | None = None
    adjusted_p: float | None = None
    favors: bool | None = None
    deciding_n: int | None = None
    power: float | None = None


def verdict_of(p_value: float, favors: bool) -> Verdict:
    """The verdict of a test: whether its effect is beyond chance, and on which side."""
    if p_value >= ALPHA:
        return "inconclusive"
    return "holds" if favors else FAILS


def combined(findings: Sequence[Finding]) -> Verdict:
    """The verdict on a claim of several parts: it holds only if all of them do, and fails if one fails.

    Parts that cannot be decided here were named before the first run and are left out, unless there are no others.
    """
    verdicts = {finding.verdict for finding in findings if finding.primary}
    order: tuple[Verdict, ...] = ("not finished", FAILS, "inconclusive", "holds", "exact")
    return next((verdict for verdict in order if verdict in verdicts), "not decidable here")
