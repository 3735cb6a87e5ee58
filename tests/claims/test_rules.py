"""Each rule on figures whose verdict can be worked out by hand."""

import math

import pytest

from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.rules.counts import Counts
from lit_cnn.claims.rules.difference import Difference, Expected, non_inferiority, superiority
from lit_cnn.claims.rules.measured import Exact, Means, Measured
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.claims.rules.trend import Trend


def runs(metric: str, **arms: list[float]) -> Evidence:
    return Evidence({arm: {seed: {metric: value} for seed, value in enumerate(values)} for arm, values in arms.items()})


def test_a_superior_arm_is_ahead_in_the_interval_over_seeds() -> None:
    """Differences 2, 3 and 4 points: 3 ± 4.303 · 1 / sqrt(3)."""
    found = superiority("a is better", "accuracy", "a", "b").judged(
        runs("accuracy", a=[0.52, 0.53, 0.54], b=[0.50, 0.50, 0.50]), 3
    )
    assert found.verdict == "holds"
    assert (found.effect, found.low, found.high) == pytest.approx(
        (3.0, 3 - 4.3027 / 3**0.5, 3 + 4.3027 / 3**0.5), abs=1e-3
    )
    assert (found.unit, found.sd, found.n) == ("points", pytest.approx(1.0), 3)


def test_a_loss_is_better_where_it_is_lower() -> None:
    evidence = runs("nll", a=[1.0, 1.1, 1.2], b=[1.5, 1.61, 1.69])
    assert superiority("a is better", "nll", "a", "b").judged(evidence, 3).verdict == "holds"
    assert superiority("b is better", "nll", "b", "a").judged(evidence, 3).verdict == "does not hold at this scale"


def test_a_margin_has_to_be_exceeded() -> None:
    evidence = runs("accuracy", a=[0.52, 0.53, 0.54], b=[0.50, 0.50, 0.50])
    within = superiority("by 3 points", "accuracy", "a", "b", 0.03).judged(evidence, 3)
    assert (within.verdict, within.threshold) == ("inconclusive", 3.0)
    assert superiority("by 8 points", "accuracy", "a", "b", 0.08).judged(evidence, 3).verdict == (
        "does not hold at this scale"
    )


def test_the_seeds_that_would_decide_follow_the_stated_formula() -> None:
    """Mean 1, sd 2 (points): (2.8 · 2 / 1)² + 2 = 33.4."""
    found = superiority("a is better", "accuracy", "a", "b").judged(
        runs("accuracy", a=[0.53, 0.51, 0.49], b=[0.5, 0.5, 0.5]), 3
    )
    assert (found.verdict, found.deciding_n) == ("inconclusive", 34)


def test_a_small_loss_is_within_the_margin() -> None:
    evidence = runs("accuracy", cheap=[0.498, 0.497, 0.499], full=[0.5, 0.5, 0.5])
    assert non_inferiority("below 1 point", "accuracy", "cheap", "full", 0.01).judged(evidence, 3).verdict == "holds"
    assert non_inferiority("below 0.01 points", "accuracy", "cheap", "full", 0.0001).judged(evidence, 3).favors is False


def test_an_interaction_is_a_weighted_sum_of_arms() -> None:
    part = Difference("plain nets lose more", "nll", {"p56": 1, "p20": -1, "r56": -1, "r20": 1}, 0.1)
    evidence = runs("nll", p56=[2.3, 2.4, 2.35], p20=[1.7, 1.75, 1.72], r56=[1.6, 1.7, 1.62], r20=[1.5, 1.55, 1.5])
    found = part.judged(evidence, 3)
    assert (found.verdict, found.effect) == ("holds", pytest.approx((0.5 + 0.5 + 0.51) / 3))
    assert "p56 - p20 - r56 + r20" in part.rule
    assert set(part.arms) == {"p56", "p20", "r56", "r20"}


def test_a_ratio_of_times_is_a_difference_of_logarithms() -> None:
    part = superiority("less than 0.9 of the time", "log_seconds", "fast", "slow", -math.log(0.9))
    fast, slow = ([math.log(value) for value in values] for values in ([70.0, 72, 71], [100.0, 101, 99]))
    found = part.judged(runs("log_seconds", fast=fast, slow=slow), 3)
    assert found.verdict == "holds"
    assert found.said.startswith("0.71 [0.6")
    assert found.said.endswith("] of the time")
    assert (
        "fast / slow: holds if the 95 % t interval over seeds lies below 0.9 of the time, fails if above" in part.rule
    )


def test_runs_without_the_figure_leave_a_part_open() -> None:
    """A diverged run has no gap, which would be the best of all, nor a time."""
    evidence = Evidence({"a": {0: {"gap": 0.1}, 1: {"nll": 2.3}}, "b": {0: {"gap": 0.2}, 1: {"gap": 0.3}}})
    found = superiority("a narrows it", "gap", "a", "b").judged(evidence, 2)
    assert (found.verdict, found.said) == ("inconclusive", "1 of 4 runs diverged and have no gap")


def test_what_a_pilot_says_cannot_be_found_is_refused_before() -> None:
    part = superiority("a is better", "accuracy", "a", "b", expected=Expected(0.007, 0.022, "a pilot"))
    assert "5 seeds find an effect of 0.7 ± 2.2 in 8 % of the cases (a pilot)" in part.refusal(5)
    assert part.refusal(100) == ""
    assert superiority("a is better", "accuracy", "a", "b").refusal(2) == ""


def test_more_trained_runs_are_counted_exactly() -> None:
    part = Counts("a trains", "nll", 2.0, ("a",), ("b",))
    found = part.judged(runs("nll", a=[1.5] * 5, b=[2.4] * 5), 5)
    assert (found.verdict, found.said) == ("holds", "5 of 5 against 0 of 5, p = 0.00794")
    assert part.judged(runs("nll", a=[2.4] * 5, b=[1.5] * 5), 5).verdict == "does not hold at this scale"
    open_one = part.judged(runs("nll", a=[1.5] * 4 + [2.4], b=[1.5] * 2 + [2.4] * 3), 5)
    assert (open_one.verdict, open_one.deciding_n is not None and open_one.deciding_n > 5) == ("inconclusive", True)
    assert part.judged(runs("nll", a=[1.5] * 5, b=[1.5] * 5), 5).deciding_n is None
    assert "2 seeds cannot reach" in part.refusal(2)


def test_seeds_that_nobody_would_run_are_not_looked_for() -> None:
    part = Counts("more a than b", "nll", 2.0, ("a",), ("b",))
    losses = {"a": [1.0] * 26 + [3.0] * 24, "b": [1.0] * 25 + [3.0] * 25}
    named = {arm: {seed: {"nll": loss} for seed, loss in enumerate(each)} for arm, each in losses.items()}
    assert part.judged(Evidence(named, {}), 50).deciding_n is None


def test_a_trend_gets_better_along_the_arms() -> None:
    part = Trend("accuracy rises with width", "accuracy", ("thin", "middle", "wide"))
    rising = runs("accuracy", thin=[0.3, 0.31, 0.29], middle=[0.4, 0.41, 0.42], wide=[0.5, 0.51, 0.52])
    found = part.judged(rising, 3)
    assert (found.verdict, found.p_value) == ("holds", pytest.approx(2 / 216))
    assert part.judged(rising, 2).verdict == "inconclusive"  # two-sided, 2 of 36
    falling = Trend("the loss falls", "nll", ("thin", "middle", "wide"))
    losses = runs("nll", thin=[0.3, 0.31, 0.29], middle=[0.4, 0.41, 0.42], wide=[0.5, 0.51, 0.52])
    assert falling.judged(losses, 3).verdict == "does not hold at this scale"
    mixed = runs("accuracy", thin=[0.3, 0.5], middle=[0.4, 0.3], wide=[0.5, 0.51])
    assert part.judged(mixed, 2).verdict == "inconclusive"
    assert "2 seeds cannot" in part.refusal(2)
    assert part.refusal(3) == ""


def test_arithmetic_has_no_interval() -> None:
    evidence = Evidence(measured={"ratio": 8.56})
    right = Exact("8 to 9 times", "ratio", 8, 9).judged(evidence, 5)
    assert (right.verdict, right.low, right.p_value) == ("exact", None, None)
    assert Exact("7 times", "ratio", 7, 7).judged(evidence, 5).verdict == "does not hold at this scale"


def test_a_ratio_has_no_sign() -> None:
    evidence = Evidence(measured={"ratio": 2.0, "ratio.low": 1.5, "ratio.high": 2.5})
    found = Measured("longer", "ratio", "rounds", 1.0, "times").judged(evidence, 5)
    assert found.said == "2 [1.5, 2.5] times"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.2, 1.0, "holds"), (-1.0, -0.2, "does not hold at this scale"), (-0.2, 1.0, "inconclusive")],
)
def test_a_measured_interval_lies_above_the_threshold(low: float, high: float, verdict: str) -> None:
    evidence = Evidence(measured={"gain": (low + high) / 2, "gain.low": low, "gain.high": high})
    assert Measured("a gain", "gain", "images", unit="points").judged(evidence, 5).verdict == verdict


def test_two_groups_of_stored_runs() -> None:
    means = {"a.mean": 88.7, "a.sd": 0.35, "a.n": 200, "b.mean": 88.19, "b.sd": 0.45, "b.n": 200}
    found = Means("a leads", "a", "b").judged(Evidence(measured=means), 5)
    assert (found.verdict, found.effect, found.n) == ("holds", pytest.approx(0.51), 200)
    assert (
        Means("by a point", "a", "b", 1.0).judged(Evidence(measured=means), 5).verdict == "does not hold at this scale"
    )


def test_what_cannot_be_decided_says_what_would() -> None:
    part = Undecidable("it holds", "too few images", "ImageNet")
    assert part.refusal(5) == "too few images; ImageNet"
    with pytest.raises(TypeError):
        part.judged(Evidence(), 5)
