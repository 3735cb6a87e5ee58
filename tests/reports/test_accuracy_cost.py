"""Accuracy against multiply-adds: a named point per network, published and own ones told apart."""

from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from lit_cnn.reports.accuracy_cost import OWN, Point, accuracy_cost_figure, draw_accuracy_cost
from lit_cnn.reports.canvas import BLUE


def test_each_network_is_a_point_in_the_color_of_its_kind() -> None:
    points = [Point("resnet18", 1.8e9, 69.8), Point("mine", 3e8, 61.0, own=True)]
    (axes,) = accuracy_cost_figure(points, "top-1 (%), photos").axes
    places = [tuple(each.get_offsets()[0]) for each in axes.collections]
    assert places == [(1800.0, 69.8), (300.0, 61.0)]
    assert [to_hex(each.get_facecolor()[0]) for each in axes.collections] == [BLUE, OWN]
    assert [text.get_text() for text in axes.texts] == ["resnet18", "mine"]
    assert axes.get_ylabel() == "top-1 (%), photos"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["published weights", "trained here"]


def test_a_picture_is_written_and_needs_a_point(tmp_path: Path) -> None:
    out = draw_accuracy_cost([Point("a", 1e6, 10.0)], "top-1", tmp_path / "new" / "a.png")
    assert out.stat().st_size > 5000
    with pytest.raises(ValueError, match="no row has an accuracy to draw: add --data FOLDER"):
        draw_accuracy_cost([], "top-1", tmp_path / "b.png")
