"""The end of a training from its first epochs."""

import pytest

from lit_cnn.search.estimators.learning_curve import EXPONENTS, extrapolate, last_value, negative_loss_sum


def power_law(limit: float, drop: float, exponent: float, epochs: int) -> list[float]:
    return [limit - drop * epoch**-exponent for epoch in range(1, epochs + 1)]


def test_the_last_value_is_the_newest() -> None:
    assert last_value([0.1, 0.5, 0.4]) == 0.4
    with pytest.raises(ValueError, match="at least one epoch"):
        last_value([])


def test_losses_are_summed_over_all_or_the_last_epochs() -> None:
    assert negative_loss_sum([2.0, 1.5, 1.0]) == -4.5
    assert negative_loss_sum([2.0, 1.5, 1.0], epochs=1) == -1.0
    for losses, epochs in (([], None), ([1.0], 2), ([1.0], 0)):
        with pytest.raises(ValueError, match="the loss of the last"):
            negative_loss_sum(losses, epochs)


@pytest.mark.parametrize("exponent", EXPONENTS[3:8])
def test_a_long_exact_power_law_is_continued(exponent: float) -> None:
    curve = power_law(0.8, 0.5, exponent, 40)
    assert extrapolate(curve[:10], 40, noise=1e-5) == pytest.approx(curve[-1], abs=1e-3)


def test_four_points_foresee_which_of_two_curves_ends_higher() -> None:
    fast, slow = power_law(0.6, 0.3, 1.5, 20), power_law(0.8, 0.5, 0.5, 20)
    assert fast[3] > slow[3] - 0.05
    for curve in (fast, slow):
        assert extrapolate(curve[:4], 20) == pytest.approx(curve[-1], abs=0.03)
    assert extrapolate(fast[:4], 20) < extrapolate(slow[:4], 20)


@pytest.mark.parametrize("curve", [[0.1, 0.2, 0.9], [0.3, 0.3, 0.3], [0.5, 0.3, 0.1], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
def test_any_three_points_give_an_accuracy(curve: list[float]) -> None:
    assert min(curve) <= extrapolate(curve, 100) <= 1


def test_a_curve_that_falls_is_not_continued_downward() -> None:
    assert extrapolate([0.5, 0.4, 0.3], 100) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("curve", "epoch", "said"),
    [([0.1, 0.2], 9, "at least 3 epochs"), ([0.1, 0.2, 0.3], 2, "and epoch 2"), ([10.0, 20.0, 30.0], 9, "from 0 to 1")],
)
def test_what_cannot_be_extrapolated_is_refused(curve: list[float], epoch: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        extrapolate(curve, epoch)
