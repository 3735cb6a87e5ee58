from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.reports.comparison import Point
from lit_cnn.reports.front import draw_front, pareto_front

POINTS = [
    Point("small", 60.0, 10, 5),
    Point("beaten", 59.0, 20, 6),
    Point("wide", 70.0, 15, 30),
    Point("same", 70.0, 16, 30),
    Point("large", 80.0, 40, 40),
]


def test_the_front_holds_what_no_other_network_beats() -> None:
    assert [point.name for point in pareto_front(POINTS, "madds")] == ["small", "wide", "large"]
    assert [point.name for point in pareto_front(POINTS[::-1], "params")] == ["small", "same", "large"]


def test_a_network_of_equal_accuracy_and_higher_cost_is_not_on_it() -> None:
    assert pareto_front([Point("a", 70.0, 10, 5), Point("b", 70.0, 11, 4)], "madds")[0].name == "a"
    assert len(pareto_front([Point("a", 70.0, 10, 5), Point("b", 70.0, 11, 4)], "madds")) == 1


@pytest.mark.slow
def test_each_data_set_has_a_row_of_its_own(tmp_path: Path) -> None:
    draw_front(POINTS, tmp_path / "one.png")
    draw_front([*POINTS, Point("other", 93.0, 10, 10, "CIFAR-10")], tmp_path / "two.png")
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert two.width == one.width
        assert two.height > 1.8 * one.height


def test_nothing_to_compare_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_front([], tmp_path / "none.png")
