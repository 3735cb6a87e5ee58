"""From parts to a verdict: nothing early, one error for a family, and what cannot be decided left out."""

import pytest

from lit_cnn.claims.claim import Arm, Design
from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.judging import deciding_among, judge
from lit_cnn.claims.rules.difference import superiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.part import Part, Undecidable
from lit_cnn.claims.verdicts import Finding, Verdict, combined

ARMS = (Arm("a"), Arm("b"), Arm("c"))


def design(*parts: Part, seeds: int = 3) -> Design:
    return Design(parts, arms=ARMS, seeds=seeds)


def runs(**arms: list[float]) -> Evidence:
    named = {arm: {seed: {"accuracy": each} for seed, each in enumerate(values)} for arm, values in arms.items()}
    return Evidence(named, {"ratio": 8.5})


def test_there_is_no_verdict_before_the_planned_seeds() -> None:
    part = superiority("a is better", "accuracy", "a", "b")
    judged = judge(design(part, seeds=4), runs(a=[0.6, 0.61, 0.62], b=[0.5, 0.5, 0.5]))
    assert (judged.verdict, judged.findings[0].said) == ("not finished", "6 of 8 runs")
    assert judge(design(part), runs(a=[0.6, 0.61, 0.62], b=[0.5, 0.5, 0.5])).verdict == "holds"
    assert judge(design(part), runs(a=[0.6, 0.61, 0.62], b=[0.5, 0.5, 0.5]), seeds=5).verdict == "not finished"


def test_seeds_beyond_the_planned_ones_do_not_count() -> None:
    part = superiority("a is better", "accuracy", "a", "b")
    with_more = runs(a=[0.6, 0.61, 0.62, 0.1, 0.1], b=[0.5] * 5)
    assert judge(design(part), with_more).findings[0].effect == pytest.approx(11.0)


def test_a_figure_that_was_not_counted_is_not_finished() -> None:
    assert judge(design(Exact("a", "unknown", 0, 1)), runs()).verdict == "not finished"


def test_comparisons_of_a_family_share_one_error() -> None:
    """Differences of 3, 4 and 6 points: beyond chance alone, not as the first of two."""
    evidence = runs(a=[0.53, 0.54, 0.56], b=[0.50, 0.50, 0.50], c=[0.51, 0.51, 0.51])
    alone = judge(design(superiority("a beats b", "accuracy", "a", "b")), evidence)
    family = judge(
        design(
            superiority("a beats b", "accuracy", "a", "b", family="all"),
            superiority("a beats c", "accuracy", "a", "c", family="all"),
        ),
        evidence,
    )
    assert (alone.verdict, family.findings[0].verdict) == ("holds", "inconclusive")
    first = family.findings[0]
    assert first.adjusted_p == pytest.approx(2 * (first.p_value or 0))
    assert (first.deciding_n or 0) > 3


def test_a_family_is_judged_once_all_of_it_has_ended() -> None:
    parts = (superiority("b", "accuracy", "b", "a", family="f"), superiority("c", "accuracy", "c", "a", family="f"))
    found = runs(a=[0.5, 0.5, 0.5], b=[0.6, 0.61, 0.62], c=[0.7, 0.71])
    assert [each.verdict for each in judge(design(*parts), found).findings] == ["not finished", "not finished"]


def test_a_comparison_without_its_figures_still_counts_among_the_comparisons() -> None:
    parts = (superiority("b", "accuracy", "b", "a", family="f"), superiority("c", "accuracy", "c", "a", family="f"))
    whole = runs(a=[0.5, 0.5, 0.5], b=[0.6, 0.61, 0.62], c=[0.7, 0.71, 0.7])
    found = Evidence({**whole.runs, "c": {**whole.runs["c"], 2: {"nll": 2.3}}})
    ahead, diverged = judge(design(*parts), found).findings
    assert ahead.p_value is not None
    assert ahead.adjusted_p == pytest.approx(2 * ahead.p_value)
    assert (diverged.verdict, diverged.adjusted_p) == ("inconclusive", None)


def test_the_first_of_several_needs_more_seeds() -> None:
    assert deciding_among(None, 3) is None
    assert deciding_among(12, 1) == 12
    assert (deciding_among(12, 6) or 0) > 17


def test_a_part_that_cannot_be_decided_does_not_stop_the_others() -> None:
    parts = (Exact("the ratio", "ratio", 8, 9), Undecidable("accuracy", "too narrow"))
    judged = judge(design(*parts), runs())
    assert judged.verdict == "exact"
    assert [finding.verdict for finding in judged.findings] == ["exact", "not decidable here"]
    assert judge(design(parts[1]), runs()).verdict == "not decidable here"


def test_the_seeds_that_would_decide_are_those_of_the_open_parts() -> None:
    part = superiority("a is better", "accuracy", "a", "b")
    judged = judge(design(part), runs(a=[0.53, 0.51, 0.49], b=[0.5, 0.5, 0.5]))
    assert (judged.verdict, judged.findings[0].deciding_n) == ("inconclusive", 34)


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "exact"], "holds"),
        (["exact", "exact"], "exact"),
        (["holds", "inconclusive"], "inconclusive"),
        (["inconclusive", "does not hold at this scale"], "does not hold at this scale"),
        (["does not hold at this scale", "not finished"], "not finished"),
        (["holds", "not decidable here"], "holds"),
        ([], "not decidable here"),
    ],
)
def test_a_claim_holds_only_if_all_its_parts_do(parts: list[Verdict], verdict: str) -> None:
    assert combined([Finding("q", "r", part) for part in parts]) == verdict


def test_a_part_that_is_only_shown_does_not_count() -> None:
    findings = [Finding("q", "r", "holds"), Finding("q", "r", "does not hold at this scale", primary=False)]
    assert combined(findings) == "holds"


def test_the_wording_names_what_is_open_and_what_fails_next_to_it() -> None:
    evidence = runs(a=[0.6, 0.61, 0.62], b=[0.5, 0.5, 0.5])
    better = superiority("a is better", "accuracy", "a", "b")
    worse = superiority("b is better", "accuracy", "b", "a", primary=False)
    costly = Undecidable("a is cheaper", "no clock")
    assert judge(design(better), evidence).wording == "holds"
    assert judge(design(better, worse), evidence).wording == "holds; but not: b is better"
    assert judge(design(better, costly), evidence).wording == "holds, in part not decidable here"
    assert judge(design(costly), evidence).wording == "not decidable here"
    aside = Undecidable("a is cheaper", "no clock", primary=False)
    assert judge(design(better, aside), evidence).wording == "holds"
