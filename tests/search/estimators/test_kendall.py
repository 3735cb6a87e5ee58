"""Kendall's tau-b is what its definition says, on samples drawn with repetition, too."""

import itertools
import math

import numpy as np
import pytest

from lit_cnn.search.estimators.kendall import kendall_tau, resampled_tau


def by_definition(first: list[float], second: list[float]) -> float:
    agree, untied = 0, [0, 0]
    for i, j in itertools.combinations(range(len(first)), 2):
        x, y = first[i] - first[j], second[i] - second[j]
        agree += (x * y > 0) - (x * y < 0)
        untied[0] += x != 0
        untied[1] += y != 0
    return agree / math.sqrt(untied[0] * untied[1])


def test_the_same_order_is_one_and_the_reverse_minus_one() -> None:
    assert kendall_tau([1, 2, 3], [10, 20, 21]) == 1
    assert kendall_tau([1, 2, 3], [3, 2, 1]) == -1


def test_ties_count_as_in_tau_b() -> None:
    first, second = [1.0, 2, 2, 3, 5, 5], [1.0, 3, 2, 2, 2, 9]
    assert kendall_tau(first, second) == pytest.approx(by_definition(first, second))
    assert kendall_tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / math.sqrt(2 * 3))


def test_infinite_scores_are_ties_of_each_other_below_all_others() -> None:
    assert kendall_tau([-math.inf, -math.inf, 1, 2], [1, 1, 2, 3]) == 1


def test_a_measure_without_differences_has_no_tau() -> None:
    assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))


def test_a_resampled_tau_is_that_of_the_repeated_things() -> None:
    first, second = [3.0, 1, 2, 2, 7], [1.0, 4, 2, 3, 9]
    counts = np.array([[2, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 3, 0, 1, 1]])
    expected = [
        by_definition(*([float(value) for value in np.repeat(values, each)] for values in (first, second)))
        for each in counts
    ]
    assert resampled_tau(first, second, counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [([1, 2], [1, 2, 3], "got 2 and 3"), ([1], [1], "2 or more"), ([1, math.nan], [1, 2], "not a number")],
)
def test_what_has_no_order_is_refused(first: list[float], second: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kendall_tau(first, second)
