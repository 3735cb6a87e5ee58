"""Boxes drawn into an image: where the lines are, in which color, and what is written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

from lit_cnn.reports.box_image import draw_box_image
from lit_cnn.reports.box_sheet import box_color

BLACK = np.zeros((120, 160, 3), dtype=np.uint8)


def drawn(out: Path, boxes: list[list[float]], labels: list[int], image: np.ndarray = BLACK) -> np.ndarray:
    draw_box_image(image, np.array(boxes).reshape(-1, 4), np.array(labels, dtype=int), ["cat", "dog"], out)
    with Image.open(out) as picture:
        return np.asarray(picture)


def color(label: int) -> tuple[int, ...]:
    return ImageColor.getrgb(box_color(label))


def test_lines_are_the_outermost_pixels_of_the_box_in_the_color_of_the_class(tmp_path: Path) -> None:
    pixels = drawn(tmp_path / "a.png", [[40, 50, 90, 100]], [1])
    for row, column in ((70, 40), (70, 89), (99, 60), (50, 80)):
        assert tuple(pixels[row, column]) == color(1)
    for row, column in ((70, 39), (70, 90), (100, 60), (70, 60)):
        assert tuple(pixels[row, column]) == (0, 0, 0)


def test_boxes_at_and_beyond_the_border_are_drawn_inside(tmp_path: Path) -> None:
    pixels = drawn(tmp_path / "a.png", [[-5, 20, 400, 120], [155, 5, 160, 6]], [0, 1])
    assert tuple(pixels[119, 80]) == tuple(pixels[60, 0]) == tuple(pixels[60, 159]) == color(0)


def test_an_image_without_boxes_stays_as_it_is_and_is_not_changed_in_place(tmp_path: Path) -> None:
    assert (drawn(tmp_path / "a.png", [], []) == 0).all()
    drawn(tmp_path / "b.png", [[10, 10, 50, 50]], [0])
    assert (BLACK == 0).all()


def test_name_and_score_are_written_in_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda _, place, text, **__: written.append((place, text)))
    boxes = np.array([[40.0, 50, 90, 100], [150, 0, 160, 9]])
    draw_box_image(BLACK, boxes, np.array([1, 0]), ["猫", "dog"], tmp_path / "a.jpg", scores=np.array([0.934, 0.5]))
    assert written[0][1] == "dog 0.93"
    assert written[1][1].endswith(" 0.50")
    for (x, y), _ in written:
        assert 0 <= x < 150
        assert 0 <= y < 110
