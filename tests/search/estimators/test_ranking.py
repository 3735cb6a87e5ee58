"""Estimators are compared on the same networks, with intervals that are paired, against the seed-to-seed ceiling."""

import math
import random

import pytest

from lit_cnn.search.estimators.kendall import kendall_tau
from lit_cnn.search.estimators.ranking import Estimates, Interval, rank

DRAWS = random.Random(0)
TRUTH = [DRAWS.gauss(0, 1) for _ in range(60)]
NOISY = [value + DRAWS.gauss(0, 1) for value in TRUTH]
NOISIER = [value + DRAWS.gauss(0, 0.3) for value in NOISY]


def test_every_estimator_has_its_tau_on_all_and_on_the_best_networks() -> None:
    ranking = rank([Estimates("params", NOISY, 0.5), Estimates("copy", TRUTH)], TRUTH, resamples=200)
    params, copy = ranking.rows
    best = sorted(range(60), key=lambda number: -TRUTH[number])[:30]
    assert (ranking.networks, ranking.best_networks) == (60, 30)
    assert params.whole.tau.value == kendall_tau(NOISY, TRUTH)
    assert params.best.tau.value == kendall_tau([NOISY[i] for i in best], [TRUTH[i] for i in best])
    assert params.whole.tau.low < params.whole.tau.value < params.whole.tau.high
    assert copy.whole.tau == Interval(1, 1, 1)
    assert (params.seconds, copy.seconds) == (0.5, None)


def test_the_best_are_a_share_of_the_networks() -> None:
    assert rank([Estimates("params", NOISY)], TRUTH, best_share=0.25, resamples=10).best_networks == 15


def test_leads_are_paired_so_they_are_narrower_than_the_taus() -> None:
    first, second = rank([Estimates("params", NOISY), Estimates("like", NOISIER)], TRUTH, resamples=500).rows
    assert first.whole.lead == Interval(0, 0, 0)
    assert second.whole.lead.value == second.whole.tau.value - first.whole.tau.value
    width = second.whole.lead.high - second.whole.lead.low
    assert width < 0.6 * (second.whole.tau.high - second.whole.tau.low)


def test_the_same_seed_gives_the_same_intervals_whatever_else_is_compared() -> None:
    alone = rank([Estimates("params", NOISY)], TRUTH, resamples=50)
    among = rank([Estimates("other", TRUTH), Estimates("params", NOISY)], TRUTH, resamples=50)
    assert among.rows[1] == alone.rows[0]
    assert rank([Estimates("params", NOISY)], TRUTH, resamples=50, seed=1).rows != alone.rows


def test_the_ceiling_is_the_tau_of_two_seeds_on_the_networks_that_have_both() -> None:
    second = [value if number < 20 else None for number, value in enumerate(NOISY)]
    ceiling = rank([Estimates("params", NOISY)], TRUTH, second_seed=second, resamples=50).ceiling
    assert ceiling is not None
    assert (ceiling.networks, ceiling.best_networks) == (20, 10)
    assert ceiling.whole.value == kendall_tau(TRUTH[:20], NOISY[:20])


def test_the_table_has_a_row_for_each_estimator_and_for_the_ceiling() -> None:
    estimates = [Estimates("params", NOISY, 0.001), Estimates("copy", TRUTH, 12.3456)]
    ranking = rank(estimates, TRUTH, second_seed=NOISY, resamples=50)
    header, line, params, copy, ceiling = ranking.table().splitlines()
    assert header.count("|") == line.count("|") == params.count("|") == copy.count("|") == ceiling.count("|")
    assert copy.startswith("| copy | 12.3 | 1.00 [1.00, 1.00] |")
    assert params.startswith(f"| params | 0.001 | {ranking.rows[0].whole.tau} | – |")
    assert "60 networks" in ceiling


def test_an_estimator_that_says_the_same_of_all_networks_has_no_tau() -> None:
    _, constant = rank([Estimates("params", NOISY), Estimates("constant", [1.0] * 60)], TRUTH, resamples=10).rows
    assert all(math.isnan(value) for agreement in (constant.whole, constant.best) for value in agreement.tau)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="the baseline 'params' is none of the estimators: synflow"):
        rank([Estimates("synflow", NOISY)], TRUTH)
    with pytest.raises(ValueError, match="params has 2 values for 60 networks"):
        rank([Estimates("params", [1, 2])], TRUTH)
    with pytest.raises(ValueError, match="at least 2"):
        rank([Estimates("params", [1, 2])], [1, 2])
