"""Curves of arms: the mean over seeds, each seed, and an axis that shows both ends of a steep fall."""

import pytest

from lit_cnn.reports.arm_curves import arm_curves_figure


def test_the_mean_of_the_seeds_is_drawn_over_each_of_them() -> None:
    axes = arm_curves_figure({"a": [[(1, 2.0), (2, 1.0)], [(1, 4.0), (2, 2.0)]], "b": [[(1, 3.0)]]}, "loss").axes[0]
    (mean,) = (line for line in axes.lines if line.get_label() == "a")
    assert list(mean.get_ydata()) == [3.0, 1.5]
    thin = [line for line in axes.lines if line.get_linewidth() < 1]
    assert [list(line.get_ydata()) for line in thin] == [[2.0, 1.0], [4.0, 2.0]]
    assert axes.get_ylabel() == "loss"


@pytest.mark.parametrize(("last", "scale"), [(0.5, "linear"), (0.001, "log"), (0.0, "linear")])
def test_a_steep_fall_gets_a_logarithmic_axis(last: float, scale: str) -> None:
    axes = arm_curves_figure({"a": [[(1, 2.0), (2, last)]]}, "loss").axes[0]
    assert axes.get_yscale() == scale


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="no curve"):
        arm_curves_figure({"a": []}, "loss")
