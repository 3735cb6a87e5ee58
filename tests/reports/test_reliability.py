"""Reliability diagrams are drawn, and differ where the figures do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.reliability import ReliabilityPanel, bar_parts, draw_reliability, reliability_figure

SURE = ReliabilityPanel("too sure", [5, 0, 20, 75], [0.2, 0, 0.7, 0.95], [0.1, 0, 0.4, 0.8])
MODEST = ReliabilityPanel("not sure enough", [5, 0, 20, 75], [0.2, 0, 0.7, 0.9], [0.4, 0, 0.9, 0.99])


def picture(path: Path) -> tuple[tuple[int, int], bytes]:
    with Image.open(path) as image:
        return image.size, image.tobytes()


@pytest.mark.slow
def test_panels_stand_side_by_side(tmp_path: Path) -> None:
    one = picture(draw_reliability([SURE], tmp_path / "deep" / "one.png"))
    two = picture(draw_reliability([SURE, MODEST], tmp_path / "two.png"))
    assert two[0][0] > 1.5 * one[0][0]
    assert two[0][1] == one[0][1]


def test_one_panel_alone_has_room_for_its_keys() -> None:
    figure = reliability_figure([SURE])
    (keys,) = figure.legends
    box = keys.get_window_extent(figure.canvas.get_renderer())
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert box.y1 < figure.axes[1].get_window_extent().y0


@pytest.mark.slow
def test_gaps_are_seen(tmp_path: Path) -> None:
    even = ReliabilityPanel("too sure", SURE.counts, SURE.confidence, SURE.confidence)
    assert picture(draw_reliability([SURE], tmp_path / "a.png")) != picture(
        draw_reliability([even], tmp_path / "b.png")
    )


@pytest.mark.slow
def test_a_panel_without_images_is_drawn(tmp_path: Path) -> None:
    empty = ReliabilityPanel("nothing", [0, 0], [0, 0], [0, 0])
    assert picture(draw_reliability([empty, SURE], tmp_path / "a.png"))[0][0] > 300


@pytest.mark.parametrize("panels", [[], [ReliabilityPanel("short", [1, 2], [0.5], [0.5, 0.5])]])
def test_lists_of_other_lengths_are_refused(tmp_path: Path, panels: list[ReliabilityPanel]) -> None:
    with pytest.raises(ValueError, match="a count, a confidence and an accuracy for each bin"):
        draw_reliability(panels, tmp_path / "a.png")


def test_a_bar_reaches_the_lower_of_accuracy_and_confidence_and_the_gap_tells_which_is_higher() -> None:
    parts = bar_parts(ReliabilityPanel("", [10, 0, 20, 5], [0.2, 0.0, 0.7, 0.9], [0.1, 0.0, 0.95, 0.9]))
    np.testing.assert_allclose(parts.centers, [0.125, 0.625, 0.875])  # the empty bin has no bar
    np.testing.assert_allclose(parts.reached, [0.1, 0.7, 0.9])
    np.testing.assert_allclose(parts.too_sure, [0.1, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(parts.too_modest, [0.0, 0.25, 0.0], atol=1e-12)
