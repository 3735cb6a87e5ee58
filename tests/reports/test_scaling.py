"""Scaled networks over their multiply-adds: a line per rule that begins at the base."""

from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from lit_cnn.reports.scaling import BASE, COLORS, ScaledPoint, draw_scaling, scaling_figure

POINTS = [
    ScaledPoint(BASE, 2e6, (40.0, 42.0)),
    ScaledPoint("depth", 8e6, (44.0, 46.0)),
    ScaledPoint("depth", 4e6, (43.0, 43.0)),
    ScaledPoint("compound", 4e6, (50.0, 48.0)),
]


@pytest.mark.slow
def test_every_line_goes_from_the_base_to_the_rules_means_by_cost() -> None:
    (axes,) = scaling_figure({"top-1 (%)": POINTS}, "ResNet").axes
    lines = {to_hex(line.get_color()): [tuple(pair) for pair in line.get_xydata()] for line in axes.lines}
    assert lines == {
        COLORS["depth"]: [(2.0, 41.0), (4.0, 43.0), (8.0, 45.0)],
        COLORS["compound"]: [(2.0, 41.0), (4.0, 49.0)],
    }
    assert axes.get_ylabel() == "top-1 (%)"


def test_every_run_is_a_point_near_its_networks_cost() -> None:
    (axes,) = scaling_figure({"top-1 (%)": POINTS}, "ResNet").axes
    places = [tuple(place) for each in axes.collections for place in each.get_offsets()]
    for value, madds in ((44.0, 8.0), (46.0, 8.0), (50.0, 4.0), (40.0, 2.0)):
        assert any(y == value and x == pytest.approx(madds, rel=0.02) for x, y in places), value


def test_a_panel_for_each_figure_and_one_legend() -> None:
    figure = scaling_figure({"top-1 (%)": POINTS, "loss": POINTS}, "ResNet")
    assert [axes.get_ylabel() for axes in figure.axes] == ["top-1 (%)", "loss"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["depth", "compound", "base"]


def test_unknown_rules_get_colors_of_their_own() -> None:
    points = [POINTS[0], ScaledPoint("compound", 4e6, (1.0,)), ScaledPoint("mine", 4e6, (2.0,))]
    (axes,) = scaling_figure({"loss": points}, "ResNet").axes
    assert len({to_hex(line.get_color()) for line in axes.lines}) == 2


def test_a_picture_is_written_and_needs_a_run(tmp_path: Path) -> None:
    assert draw_scaling({"loss": POINTS}, "ResNet", tmp_path / "new" / "a.png").stat().st_size > 5000
    with pytest.raises(ValueError, match="there is no run to draw"):
        draw_scaling({"loss": []}, "ResNet", tmp_path / "b.png")
