"""Images with true and found boxes, each next to the map from which the found box comes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from lit_cnn.reports.canvas import RED
from lit_cnn.reports.explained import Group, Item, Panel, Scale, draw_explained, overlaid

TRUE, FOUND = "#2fbf4f", RED
"""Colors of the boxes."""
_LINES = 90
"""Pixels of a picture's longer side per pixel of a box's line."""


class LocalizedPicture(NamedTuple):
    """One image.

    Attributes:
        pixels: uint8 (C, H, W).
        levels: Float (H, W), the map as shares of its maximum.
        true: (M, 4) left, top, right, bottom in pixels, where the picture spans [0, W] x [0, H].
        found: (D, 4).
        caption: Below the image.
        map_caption: Below the map.
        framed: Whether the answer is wrong.
    """

    pixels: np.ndarray
    levels: np.ndarray
    true: np.ndarray
    found: np.ndarray
    caption: str
    map_caption: str
    framed: bool


def draw_localized(pictures: Sequence[LocalizedPicture], out_png: Path, *, title: str) -> Path:
    """Draw each image with its true boxes in green and the found one in red, and its map with the found one.

    Args:
        pictures: One or more of one size.
        out_png: The picture; parent folders are made.
        title: Heading of the sheet.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no picture.
    """
    items = []
    for each in pictures:
        image = with_boxes(with_boxes(each.pixels, each.true, TRUE), each.found, FOUND)
        under_map = with_boxes(overlaid(each.pixels, each.levels, 1.0), each.found, FOUND)
        items.append(Item([Panel(image, each.caption), Panel(under_map, each.map_caption)], each.framed))
    scale = Scale("share of each map's maximum; true boxes green, found boxes red", 1.0)
    return draw_explained([Group(items)], out_png, title=title, scale=scale)


def with_boxes(pixels: np.ndarray, boxes: np.ndarray, color: str) -> np.ndarray:
    """(3, H, W) uint8: an image (C, H, W) with the outlines of boxes (M, 4)."""
    array = np.broadcast_to(pixels, (3, *pixels.shape[1:])) if pixels.shape[0] == 1 else pixels[:3]
    picture = Image.fromarray(np.ascontiguousarray(array.transpose(1, 2, 0)))
    draw, line = ImageDraw.Draw(picture), max(1, round(max(picture.size) / _LINES))
    for box in boxes:
        left, top, right, bottom = (round(float(side)) for side in box)
        draw.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), outline=color, width=line)
    return np.asarray(picture).transpose(2, 0, 1)
