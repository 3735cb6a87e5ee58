"""Images under maps: colors of one scale, stated, and sheets that hold all pictures."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from lit_cnn.reports.explained import (
    STRENGTH,
    Group,
    Item,
    Panel,
    Scale,
    draw_explained,
    explained_figure,
    highest_value,
    overlaid,
)

PIXELS = np.full((3, 8, 8), 200, dtype=np.uint8)
MAP = np.tile(np.linspace(-1.0, 3.0, 8), (8, 1))


def item(panels: int = 2, framed: bool = False) -> Item:
    return Item([Panel(PIXELS, "a.png"), *[Panel(PIXELS, "map of x", MAP)] * (panels - 1)], framed)


def texts(groups: list[Group], title: str = "title") -> list[str]:
    figure = explained_figure(groups, title, Scale("logits", highest_value(groups)))
    labels = [label for axes in figure.axes for label in axes.get_xticklabels()]
    return [text.get_text() for text in (*figure.texts, *labels)]


def test_the_color_of_a_pixel_is_that_of_its_value_over_the_image_in_gray() -> None:
    image = np.stack([np.full((1, 3), level, np.uint8) for level in (90, 120, 150)])
    found = overlaid(image, np.array([[-5.0, 1.0, 2.0]]), 2.0)
    for place, share in enumerate((0.0, 0.5, 1.0)):
        color = np.array(colormaps["viridis"](share)[:3]) * 255
        expected = (1 - STRENGTH) * 120 + STRENGTH * color
        assert np.abs(found[:, 0, place] - expected).max() <= 0.5 + 1e-9


def test_gray_images_can_be_overlaid() -> None:
    gray, color = np.full((1, 2, 2), 90, np.uint8), np.full((3, 2, 2), 90, np.uint8)
    assert np.array_equal(overlaid(gray, MAP[:2, :2], 3.0), overlaid(color, MAP[:2, :2], 3.0))


def test_the_scale_ends_at_the_largest_value_of_all_maps() -> None:
    low = Item([Panel(PIXELS, "b", MAP / 10)])
    assert highest_value([Group([low]), Group([item()])]) == 3.0
    assert highest_value([Group([Item([Panel(PIXELS, "c", -np.ones((8, 8)))])])]) == 1.0
    shown = texts([Group([low]), Group([item()])])
    assert {"logits", "0 or less", "1.5", "3"} <= set(shown)


def test_headings_and_captions_are_written_once() -> None:
    shown = texts([Group([item() for _ in range(5)], "cat taken for dog")])
    assert shown.count("cat taken for dog") == 1
    assert shown.count("a.png") == shown.count("map of x") == 5


@pytest.mark.slow
def test_a_sheet_grows_with_its_lines_and_is_no_wider_than_a_line(tmp_path: Path) -> None:
    sizes = []
    for count in (1, 4, 5):
        out = draw_explained(
            [Group([item() for _ in range(count)])], tmp_path / "s.png", title="t", scale=Scale("u", 3)
        )
        with Image.open(out) as picture:
            sizes.append(picture.size)
    widths, heights = zip(*sizes, strict=True)
    assert widths[0] < widths[1] == widths[2]
    assert heights[0] == heights[1] < heights[2]


def test_every_group_begins_a_line() -> None:
    together = explained_figure([Group([item(), item()])], "t", Scale("u", 3)).get_size_inches()
    apart = explained_figure([Group([item()]), Group([item()])], "t", Scale("u", 3)).get_size_inches()
    assert apart[1] > together[1]


def test_only_the_image_of_a_wrong_answer_is_framed() -> None:
    figure = explained_figure([Group([item(framed=True), item()])], "t", Scale("u", 3))
    widths = [axes.spines["left"].get_linewidth() for axes in figure.axes[:4]]
    assert [width > 1 for width in widths] == [True, False, False, False]


def test_a_sheet_without_images_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        explained_figure([Group([])], "t", Scale("u", 1))
