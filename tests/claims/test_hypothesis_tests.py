"""Tests whose results can be counted by hand or looked up in the papers' tables."""

import math

import pytest

from lit_cnn.claims.hypothesis_tests import fisher_exact, page_trend, power_of, welch
from lit_cnn.evaluation.paired import Interval


def group(mean: float, sd: float, n: int) -> Interval:
    return Interval(mean, mean, mean, n, sd)


def test_fisher_counts_the_tables_with_as_many_successes_or_more() -> None:
    assert fisher_exact(5, 5, 0, 5) == pytest.approx(1 / math.comb(10, 5))
    # lady tasting tea, 3 of 4 right: (16 + 1) / 70
    assert fisher_exact(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher_exact(0, 3, 3, 3) == 1.0
    with pytest.raises(ValueError, match="not counts"):
        fisher_exact(6, 5, 0, 5)


def test_two_perfect_orders_of_three_have_one_chance_in_36() -> None:
    observed, p_value = page_trend([[1.0, 2.0, 3.0], [0.1, 0.5, 0.9]])
    assert (observed, p_value) == (28.0, pytest.approx(1 / 36))


def test_page_agrees_with_the_printed_critical_value() -> None:
    """Page, 1963, Table 2: for three rows of four conditions L = 84 is significant at 5 %, 83 is not."""
    rows = [[1, 2, 3, 4], [1, 2, 4, 3], [3, 1, 2, 4]]
    observed, p_value = page_trend(rows)
    assert (observed, p_value < 0.05) == (30 + 29 + 27, True)
    assert page_trend([[1, 2, 3, 4], [2, 1, 4, 3], [2, 3, 1, 4]])[0] == 30 + 28 + 27
    assert page_trend([[1, 2, 3, 4], [2, 1, 4, 3], [3, 1, 4, 2]])[1] == pytest.approx(0.0596, abs=0.02)


def test_equal_values_share_their_rank_and_long_rows_use_the_normal_limit() -> None:
    assert page_trend([[1, 1, 1]])[0] == 2 * (1 + 2 + 3)
    exact, limit = page_trend([list(range(6))] * 2)[1], page_trend([list(range(7))] * 2)[1]
    assert exact < 0.001
    assert limit < 0.001
    with pytest.raises(ValueError, match="three conditions"):
        page_trend([[1, 2]])


def test_welch_is_the_textbook_example() -> None:
    """Means 10 and 8, deviations 2 and 1, four runs each: t = 2 / sqrt(1 + 1/4) = 1.789 4.41 degrees, down to 4."""
    interval, p_value = welch(group(10, 2, 4), group(8, 1, 4))
    assert interval.mean == 2
    assert interval.high - interval.low == pytest.approx(2 * 2.7764 * math.sqrt(1.25), rel=1e-4)
    assert p_value == pytest.approx(0.1482, abs=1e-3)
    assert welch(group(1, 0, 3), group(1, 0, 3))[1] == 1.0


@pytest.mark.parametrize(("effect", "count"), [(1.68, 5), (0.5, 10), (3.0, 3), (0.2, 30)])
def test_power_is_that_of_the_noncentral_t(effect: float, count: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    limit = stats.t.ppf(0.975, count - 1)
    assert power_of(effect, 1.0, count) == pytest.approx(stats.nct.sf(limit, count - 1, effect * count**0.5), abs=1e-4)


def test_power_without_spread_or_seeds() -> None:
    assert power_of(0.1, 0.0, 3) == 1.0
    assert power_of(5.0, 1.0, 1) == 0.0
