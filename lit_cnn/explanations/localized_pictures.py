"""Localized images as plain arrays for ``lit_cnn.reports.localized``: the whole file, not the crop alone."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.data.sources.folders import read_file
from lit_cnn.detection.canvas import Canvas
from lit_cnn.explanations.localization import LocalizedImage
from lit_cnn.reports.localized import LocalizedPicture

TILE = Canvas(256, 256, (255, 255, 255))
"""What an image of a picture is fitted into."""


def localized_picture(
    image: LocalizedImage, names: Sequence[str], pixel_format: PixelFormat, shown: str
) -> LocalizedPicture:
    """One image with its true boxes, and the map and the box of the class that is shown.

    Args:
        image: With its maps.
        names: Of the classes.
        pixel_format: Of three channels, in which the file is read once more.
        shown: predicted or true.
    """
    number = image.shown_class(shown)
    tile, scale, offset = TILE.frame(read_file(image.name, pixel_format).pixels())
    boxes = {True: torch.cat(list(image.true.values())), False: torch.zeros(0, 4, dtype=torch.float64)}
    found = image.boxes.get(number)
    if found is not None:
        boxes[False] = found[None]
    true, red = (Canvas.boxes_to_canvas(boxes[each], scale, offset).numpy() for each in (True, False))
    labels = ", ".join(names[each] for each in image.true)
    caption = f"{Path(image.name).name}\nsaid {names[image.predicted]}, true {labels}"
    overlap = image.overlap(number)
    map_caption = f"map of {names[number]}\n" + ("no box of it" if overlap is None else f"IoU {overlap:.2f}")
    return LocalizedPicture(
        tile.numpy(), _levels(image, number, scale).numpy(), true, red, caption, map_caption, not image.right
    )


def _levels(image: LocalizedImage, number: int, scale: float) -> Tensor:
    """(H, W) the map of a class on the tile, as shares of its maximum."""
    levels = image.maps[number]
    sides = tuple(max(round(side * scale), 1) for side in image.geometry.file)
    shown = torch.zeros(TILE.height, TILE.width)
    shown[: sides[0], : sides[1]] = image.geometry.map_to_file(levels, (sides[0], sides[1]))
    return shown / levels.max().clamp(min=torch.finfo(levels.dtype).tiny)
