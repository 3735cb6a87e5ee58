import itertools
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from lit_cnn.reports import comparison
from lit_cnn.reports.budget import Budget
from lit_cnn.reports.canvas import new_figure
from lit_cnn.reports.comparison import Point, draw_comparison, draw_scatter, place_names

BUDGET = Budget("one", 224, [("stem", {"convolution": 3})], [("stem", {"convolution": 5})])
CROWD = [Point(f"network_{i}", 75 + 0.2 * (i % 3), int(4e9 * 1.04**i), int(20e6 + 1e6 * i)) for i in range(9)]


def scatter(points: list[Point]) -> tuple[Figure, Axes]:
    figure = new_figure(11, 5)
    axes = figure.add_axes((0.1, 0.15, 0.85, 0.8))
    draw_scatter(figure, axes, points)
    return figure, axes


def test_names_of_a_crowd_do_not_overlap_and_stay_inside() -> None:
    figure, axes = scatter(CROWD)
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in axes.texts]
    assert {text.get_text() for text in axes.texts} == {point.name for point in CROWD}
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)


def test_place_names_returns_boxes_in_the_order_of_the_points() -> None:
    figure = new_figure(6, 4)
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.set_xlim(1, 10)
    axes.set_ylim(0, 10)
    points = [Point("big", 5, 2, 1), Point("small", 5, 8, 1)]
    boxes = place_names(figure, axes, points, [900, 20])
    assert boxes[0].x1 < boxes[1].x0


def test_axis_is_logarithmic_and_area_follows_parameters() -> None:
    _, axes = scatter([Point("a", 70, 10**8, 10**6), Point("b", 75, 10**9, 4 * 10**6)])
    assert axes.get_xscale() == "log"
    small, large = axes.collections[0].get_sizes()
    assert large == 4 * small


def test_each_data_set_has_its_color_and_a_legend() -> None:
    _, axes = scatter([Point("a", 70, 10**8, 10**6), Point("b", 93, 10**7, 10**6, "CIFAR")])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ImageNet", "CIFAR"]


def test_scatter_is_left_out_for_one_network(tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(comparison, "draw_scatter", lambda *_: drawn.append(1))
    one = draw_comparison([BUDGET], CROWD[:1], tmp_path / "new" / "one.png")
    assert not drawn
    two = draw_comparison([BUDGET, BUDGET], CROWD[:2], tmp_path / "two.png")
    assert drawn
    with Image.open(one) as bars, Image.open(two) as both:
        assert both.height > bars.height
