import math

import pytest

from lit_cnn.training.monitor import direction, is_better


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [("val/acc1", "max"), ("val/loss", "min"), ("val/loss_raw", "min"), ("train/loss", "min"), ("val/lossless", "max")],
)
def test_a_loss_is_minimized_and_the_rest_maximized(metric: str, wanted: str) -> None:
    assert direction(metric) == wanted


def test_the_first_score_is_the_best_and_an_equal_one_is_not_better() -> None:
    assert is_better("val/loss", 2.0, None)
    assert is_better("val/loss", 1.0, 2.0)
    assert not is_better("val/loss", 2.0, 2.0)
    assert is_better("val/acc1", 0.6, 0.5)


def test_a_score_that_is_no_number_never_wins_and_never_stays() -> None:
    assert not is_better("val/acc1", math.nan, None)
    assert is_better("val/acc1", 0.1, math.nan)
