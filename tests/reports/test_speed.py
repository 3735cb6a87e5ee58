"""Bars of a training step: their parts, their order and the numbers beside them."""

from pathlib import Path

import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from lit_cnn.reports.speed import PHASE_STYLE, Bar, draw_speed, speed_figure


def bar(name: str) -> Bar:
    return Bar(name, {"data": 0.0, "forward": 30.0, "backward": 60.0, "optimizer": 10.0}, 123.0, 0.42)


def test_a_bar_per_network_is_drawn(tmp_path: Path) -> None:
    one = draw_speed([bar("resnet50")], "a machine, a date", tmp_path / "deep" / "one.png")
    many = draw_speed([bar(f"net{number}") for number in range(20)], "a machine, a date", tmp_path / "many.png")
    with Image.open(one) as small, Image.open(many) as large:
        assert small.width == large.width > 1000
        assert large.height > small.height


def test_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one network"):
        draw_speed([], "", tmp_path / "none.png")


def test_a_bar_is_as_long_as_its_share_of_the_limit_and_split_as_the_step_s_time_is() -> None:
    slow = Bar("slow", {"data": 40.0, "forward": 40.0, "backward": 80.0, "optimizer": 0.0}, 12.345, 0.08)
    figure = speed_figure([bar("fast"), slow], "a machine")
    (axes,) = figure.axes
    parts = {phase: [] for phase in PHASE_STYLE}
    for patch in axes.patches:
        phase = next(name for name, (color, _) in PHASE_STYLE.items() if to_rgba(color) == patch.get_facecolor())
        parts[phase].append((patch.get_x(), patch.get_width()))
    assert parts["data"] == [(0.0, 0.0), (0.0, pytest.approx(0.02))]
    assert parts["forward"] == [(0.0, pytest.approx(0.126)), (pytest.approx(0.02), pytest.approx(0.02))]
    assert parts["backward"] == [
        (pytest.approx(0.126), pytest.approx(0.252)),
        (pytest.approx(0.04), pytest.approx(0.04)),
    ]
    assert parts["optimizer"][0] == (pytest.approx(0.378), pytest.approx(0.042))
    assert axes.get_xlim() == (0, 1)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fast", "slow"]
    words = ["123 images/s", "42 % of the limit", "12.3 images/s", "8 % of the limit"]
    assert [text.get_text() for text in axes.texts] == words
    assert axes.get_ylim() == (1.5, -0.5)  # the first network is on top


def test_a_share_above_the_limit_fits() -> None:
    (axes,) = speed_figure([Bar("fast", {"forward": 1.0}, 9.0, 1.18)], "a machine").axes
    assert axes.get_xlim() == (0, 1.18)
    assert axes.lines[0].get_xdata() == [1, 1]
