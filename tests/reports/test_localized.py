"""Boxes on images, and the sheet of images and maps."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.localized import FOUND, TRUE, LocalizedPicture, draw_localized, with_boxes

GREEN = [int(TRUE[start : start + 2], 16) for start in (1, 3, 5)]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_outline_is_the_border_of_the_box(channels: int) -> None:
    drawn = with_boxes(np.zeros((channels, 20, 30), np.uint8), np.array([[4.0, 6.0, 12.0, 15.0]]), TRUE)
    colored = (drawn.transpose(1, 2, 0) == GREEN).all(axis=2)
    expected = np.zeros((20, 30), bool)
    expected[6:15, 4:12] = True
    expected[7:14, 5:11] = False
    assert (colored == expected).all()


def test_an_image_without_boxes_stays_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 9), dtype=np.uint8)
    assert (with_boxes(pixels, np.zeros((0, 4)), FOUND) == pixels).all()


def test_a_sheet_is_written(tmp_path: Path) -> None:
    pixels, box = np.full((3, 32, 32), 90, np.uint8), np.array([[4.0, 4.0, 20.0, 20.0]])
    picture = LocalizedPicture(pixels, np.eye(32), box, box + 2, "a.png", "IoU 0.6", framed=True)
    with Image.open(draw_localized([picture, picture], tmp_path / "new" / "sheet.png", title="cells")) as sheet:
        colors = np.asarray(sheet.convert("RGB")).reshape(-1, 3)
        assert min(sheet.size) > 200
    assert (colors == GREEN).all(axis=1).any()
