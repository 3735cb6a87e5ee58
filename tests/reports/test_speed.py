from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.reports.speed import Bar, draw_speed


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
