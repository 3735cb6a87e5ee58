import math

import pytest

from lit_cnn.profiling.prediction_errors import Prediction, errors_of, kendall_tau


def predicted(pairs: list[tuple[float, float]]) -> list[Prediction]:
    return [Prediction("net", 32, True, *pair) for pair in pairs]


def test_errors_are_in_percent_of_the_measured_times() -> None:
    errors = errors_of(predicted([(11.0, 10.0), (18.0, 20.0), (28.5, 30.0)]))
    assert errors.networks == 3
    assert errors.mean_absolute_percent == pytest.approx((10 + 10 + 5) / 3)
    assert errors.bias_percent == pytest.approx((10 - 10 - 5) / 3)
    assert abs(errors.largest_percent) == pytest.approx(10)
    assert errors.rank_correlation == 1.0


def test_the_largest_error_keeps_its_sign() -> None:
    assert errors_of(predicted([(11.0, 10.0), (12.0, 20.0)])).largest_percent == pytest.approx(-40)


def test_kendalls_tau_by_hand_with_and_without_ties() -> None:
    assert kendall_tau([(1, 1), (2, 3), (3, 2)]) == pytest.approx(1 / 3)
    assert kendall_tau([(1, 3), (2, 2), (3, 1)]) == -1.0
    assert kendall_tau([(1, 1), (1, 2), (2, 3)]) == pytest.approx(2 / math.sqrt(2 * 3))
    assert math.isnan(kendall_tau([(1, 1)]))
    assert math.isnan(kendall_tau([(1, 1), (1, 2)]))


def test_no_network_has_no_error() -> None:
    with pytest.raises(ValueError, match="at least one network"):
        errors_of([])
