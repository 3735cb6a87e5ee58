"""Box sheets: an outline lies on the edge of what it encloses, and classes differ in color."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ImageColor import getrgb

from lit_cnn.reports.box_sheet import BOX_COLORS, box_color, draw_box_sheet


def painted(path: Path, color: str) -> np.ndarray:
    """Places (K, 2) of a color in a picture, in (x, y)."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    near = np.abs(pixels - np.array(getrgb(color))).sum(axis=2) < 60
    return np.argwhere(near)[:, ::-1]


def test_an_outline_lies_on_the_edge_of_the_rectangle_that_it_encloses(tmp_path: Path) -> None:
    image = np.full((1, 60, 80, 3), 255, dtype=np.uint8)
    image[0, 20:40, 30:70] = (0, 0, 255)
    path = draw_box_sheet(image, [np.array([[30.0, 20, 70, 40]])], [np.array([0])], ["cell"], tmp_path / "sheet.png")
    inside = painted(path, "#0000ff")
    outline = painted(path, BOX_COLORS[0])
    outline = outline[outline[:, 1] > inside[:, 1].min() - 6]  # without the legend
    assert np.abs(outline.min(axis=0) - inside.min(axis=0)).max() <= 3
    assert np.abs(outline.max(axis=0) - inside.max(axis=0)).max() <= 3


def test_each_class_that_is_there_has_its_color(tmp_path: Path) -> None:
    images = np.full((2, 32, 32, 3), 255, dtype=np.uint8)
    boxes, labels = [np.array([[2.0, 2, 20, 20]]), np.zeros((0, 4))], [np.array([1]), np.zeros(0, dtype=int)]
    path = draw_box_sheet(images, boxes, labels, ["a", "b"], tmp_path / "sheet.png", title="batch", captions=["x", "y"])
    assert len(painted(path, BOX_COLORS[1]))
    assert not len(painted(path, BOX_COLORS[0]))
    assert box_color(len(BOX_COLORS)) == BOX_COLORS[0]


def test_scores_are_written_on_the_boxes_color(tmp_path: Path) -> None:
    image, boxes, labels = (
        np.full((1, 64, 64, 3), 255, dtype=np.uint8),
        [np.array([[8.0, 20, 50, 60]])],
        [np.array([0])],
    )
    plain = draw_box_sheet(image, boxes, labels, ["a"], tmp_path / "plain.png")
    scored = draw_box_sheet(image, boxes, labels, ["a"], tmp_path / "scored.png", scores=[np.array([0.5])])
    assert len(painted(scored, BOX_COLORS[0])) > 100 + len(painted(plain, BOX_COLORS[0]))


def test_images_without_boxes_given_for_each_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="each of 2 images, got 1, 1"):
        draw_box_sheet(np.zeros((2, 8, 8, 3), np.uint8), [np.zeros((0, 4))], [np.zeros(0)], ["a"], tmp_path / "a.png")
