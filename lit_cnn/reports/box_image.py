"""One image in its own size with the boxes that were found in it, their classes and scores."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from lit_cnn.reports.box_sheet import box_color
from lit_cnn.reports.fonts import fonts_for
from lit_cnn.reports.names import distinct
from lit_cnn.run_folder.atomic import replacing

_NAME_LENGTH = 24


def draw_box_image(
    image: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    out: Path,
    *,
    scores: np.ndarray | None = None,
) -> Path:
    """Draw boxes of a color for each class, with the name and score above each.

    Args:
        image: uint8 (H, W, 3).
        boxes: (D, 4): left, top, right, bottom in its pixels, where the image spans [0, W] x [0, H].
        labels: (D,) class indices.
        names: K names.
        out: The picture, JPEG or PNG as its ending says; its folder exists.
        scores: (D,) in [0, 1].

    Returns:
        ``out``.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    size = max(10, round(min(picture.size) / 45))
    line = max(1, round(min(picture.size) / 300))
    short = distinct(names, _NAME_LENGTH)
    places = range(len(labels))
    for place in places:
        draw.rectangle(_pixels(boxes[place], picture.size), outline=box_color(int(labels[place])), width=line)
    for place in places:  # texts above all lines
        label = int(labels[place])
        text = short[label] if scores is None else f"{short[label]} {scores[place]:.2f}"
        left, top, *_ = _pixels(boxes[place], picture.size)
        _write(draw, text, (left, top), picture.width, box_color(label), size)
    with replacing(out) as partial:
        if out.suffix.lower() in (".jpg", ".jpeg"):
            picture.save(partial, "JPEG", quality=92)
        else:
            picture.save(partial, "PNG")
    return out


def _pixels(box: np.ndarray, sides: tuple[int, int]) -> tuple[int, int, int, int]:
    """The first and last column and row of pixels that a box covers, in the image."""
    left, top, right, bottom = (round(float(side)) for side in box)
    width, height = sides
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, min(max(right - 1, left), width - 1), min(max(bottom - 1, top), height - 1)


def _write(
    draw: ImageDraw.ImageDraw, text: str, corner: tuple[int, int], picture_width: int, color: str, size: int
) -> None:
    """Write on a ground of the color, above the corner or, at the upper border, below it."""
    font = _font(text, size)
    left, top, right, bottom = (round(side) for side in font.getbbox(text))
    width, height = right - left + 4, bottom - top + 4
    x = min(corner[0], max(0, picture_width - width))
    y = corner[1] - height if corner[1] >= height else corner[1]
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=color)
    draw.text((x + 2 - left, y + 2 - top), text, fill="white", font=font)


def _font(text: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that has every character of the text, where one is installed."""
    return _loaded(fonts_for(text)[-1], size)


@lru_cache(maxsize=32)
def _loaded(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont(name), size)
