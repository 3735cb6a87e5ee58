"""Intervals over seeds cover what they promise, and the number of seeds follows from the spread."""

import math
import random

import pytest

from lit_cnn.evaluation.paired import holm, t_interval, t_quantile, t_share_below


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (30, 2.0423)]
)
def test_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert t_quantile(0.975, freedom) == pytest.approx(expected, abs=5e-5)
    assert t_share_below(expected, freedom) == pytest.approx(0.975, abs=1e-5)


def test_an_interval_by_hand() -> None:
    interval = t_interval([1.0, 2.0, 3.0])
    half = 4.302653 / math.sqrt(3)
    assert (interval.mean, interval.sd, interval.n) == (2.0, 1.0, 3)
    assert (interval.low, interval.high) == pytest.approx((2 - half, 2 + half))
    assert not interval.decided
    assert interval.deciding_n == math.ceil((2.8 / 2) ** 2 + 2)


@pytest.mark.slow
def test_95_percent_of_intervals_over_three_seeds_hold_the_mean() -> None:
    draws = random.Random(0)
    held = 0
    for _ in range(4000):
        interval = t_interval([draws.gauss(1.0, 2.0) for _ in range(3)])
        held += interval.low < 1.0 < interval.high
    assert 0.94 < held / 4000 < 0.96


def test_a_clear_difference_is_decided_and_none_needs_no_number() -> None:
    assert t_interval([1.0, 1.1, 0.9]).decided
    assert t_interval([-1.0, 1.0]).deciding_n is None


def test_one_seed_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least 2 of them, got 1"):
        t_interval([1.0])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_has_no_interval(value: float) -> None:
    with pytest.raises(ValueError, match=f"needs finite values, got 1.0, {value}"):
        t_interval([1.0, value])


def test_p_and_interval_decide_the_same() -> None:
    half = t_quantile(0.975, 2) / math.sqrt(3)  # of differences with a standard deviation of 1
    for mean, decided in ((half + 0.01, True), (half - 0.01, False)):
        interval = t_interval([mean - 1, mean, mean + 1])
        assert (interval.decided, interval.p_value < 0.05) == (decided, decided)
    assert t_interval([half - 1, half, half + 1]).p_value == pytest.approx(0.05, abs=1e-9)
    assert t_interval([-1.0, 1.0]).p_value == 1
    assert (t_interval([0.5, 0.5]).p_value, t_interval([0.0, 0.0]).p_value) == (0, 1)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
