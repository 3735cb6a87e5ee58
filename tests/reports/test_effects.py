"""Effects are drawn with their intervals and thresholds."""

import pytest

from lit_cnn.reports.effects import Effect, effects_figure
from lit_cnn.reports.inline_svg import inline_svg

EFFECTS = [Effect("a beats b", 1.5, 0.5, 2.5, 0.0), Effect("c beats d", -1.0, -3.0, 1.0, -0.5, counts=False)]


def test_names_stand_in_the_picture_and_everything_lies_within_its_axis() -> None:
    figure = effects_figure(EFFECTS, "points")
    svg = inline_svg(figure, "effects", "effects")
    assert "a beats b" in svg
    assert "c beats d" in svg
    assert "effect (points)" in svg
    low, high = figure.axes[0].get_xlim()
    assert low < -3.0
    assert high > 2.5


def test_what_does_not_count_is_drawn_lighter() -> None:
    lines = effects_figure(EFFECTS, "points").axes[0].lines
    intervals = {tuple(line.get_xdata()): line.get_color() for line in lines if line.get_linewidth() == 2.2}
    assert set(intervals) == {(0.5, 2.5), (-3.0, 1.0)}
    assert intervals[0.5, 2.5] != intervals[-3.0, 1.0]


def test_zero_is_shown_where_all_effects_are_far_from_it() -> None:
    low, high = effects_figure([Effect("far", 10, 9, 11, 5)], "points").axes[0].get_xlim()
    assert low < 0 < high


def test_effects_without_a_width_can_be_drawn() -> None:
    low, high = effects_figure([Effect("none", 0, 0, 0, 0)], "points").axes[0].get_xlim()
    assert low < 0 < high


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="no effect"):
        effects_figure([], "points")
