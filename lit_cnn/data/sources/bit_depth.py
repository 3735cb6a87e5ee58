"""Gray images of more than 8 bits, and stated levels: which numbers of a file become black and white."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from PIL import Image, TiffImagePlugin

Levels = tuple[float, float] | Literal["clip"] | None
"""The numbers that become 0 and 255; None for the whole range of the container, "clip" for what older versions did."""

WIDEST = 65535
"""Largest number of 16 bits; without stated levels, a wider number cannot be given a gray."""
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT, UNSIGNED, WHITE_IS_ZERO = 258, 262, 339, 1, 0


class UnknownRange(ValueError):
    """Numbers of which nothing says what is black and white."""


@dataclass(frozen=True)
class Depth:
    """What a file of more than 8 bits holds.

    Args:
        kind: gray integers, floating-point gray, or colors, which Pillow brings to 8 bits by their upper byte.
        bits: of a number, for people.
        largest: number that the container can hold, or 65535 where that says nothing about the image.
        stretched: Pillow brings the numbers from 0 to ``largest`` to the range from 0 to 65535 while it decodes.
        unsigned: Pillow decodes unsigned 32-bit numbers to signed ones of the same bits.
        negative: the lowest number is white, as some X-rays in TIFF say; Pillow heeds that in 8 bits alone.
    """

    kind: Literal["gray", "float", "color"]
    bits: int
    largest: int = WIDEST
    stretched: bool = False
    unsigned: bool = False
    negative: bool = False

    @classmethod
    def of(cls, image: Image.Image) -> "Depth | None":
        """Of an image whose pixels are not decoded yet; None where 8 bits hold all."""
        tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
        negative = tags.get(PHOTOMETRIC) == WHITE_IS_ZERO
        if image.mode == "F":
            return cls("float", 32, negative=negative)
        arguments = decoder_arguments(image)
        if image.mode == "I" and image.format == "PPM":
            largest = arguments[1] if len(arguments) == 2 else WIDEST
            return cls("gray", int(largest).bit_length(), largest, stretched=largest != WIDEST)
        if image.mode == "I" or image.mode.startswith("I;16"):
            bits = tags.get(BITS_PER_SAMPLE, (16 if image.mode != "I" else 32,))[0]
            unsigned = bits == 32 and tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED and bool(tags)
            return cls("gray", bits, 4095 if bits == 12 else WIDEST, unsigned=unsigned, negative=negative)
        return cls("color", 16) if ";16" in str(arguments[0]) else None


def decoder_arguments(image: Image.Image) -> tuple[Any, ...]:
    """What Pillow gives its decoder for an image that is not decoded yet: first the order and bits of the channels."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else None
    return (arguments or ("",)) if isinstance(arguments, tuple) else (arguments,)


def numbers(image: Image.Image, depth: Depth) -> np.ndarray:
    """(H, W) of a decoded gray image, or (H, W, C) of a color image, as the file holds them."""
    values = np.asarray(image)
    if depth.unsigned:
        return values.view(np.uint32)
    if depth.stretched:
        return np.rint(values * (depth.largest / WIDEST)).astype(np.int32)
    return values.astype(np.uint16) * 257 if depth.kind == "color" else values


def eight_bits(image: Image.Image, depth: Depth, levels: Levels) -> Image.Image:
    """A gray image of ``depth`` as mode L, or as LA where one number counts as transparent.

    Raises:
        UnknownRange: If levels are needed and none are stated.
    """
    values = numbers(image, depth)
    if isinstance(levels, tuple):
        gray = _between(values, levels)
    elif depth.kind == "float":
        raise UnknownRange("its pixels are floating-point numbers of unknown range")
    elif levels == "clip":
        gray = (np.asarray(image).clip(0, WIDEST) // 256).astype(np.uint8)
    else:
        lowest, highest = int(values.min()), int(values.max())
        if lowest < 0 or highest > depth.largest:
            raise UnknownRange(
                f"its {depth.bits}-bit pixels go from {lowest} to {highest}, and 0 to {depth.largest} alone are known "
                "to be black to white"
            )
        whole = np.asarray(image) if depth.stretched else values
        gray = (whole // ((WIDEST if depth.stretched else depth.largest) // 256 + 1)).astype(np.uint8)
    result = Image.fromarray(255 - gray if depth.negative and levels != "clip" else gray)
    transparent = image.info.get("transparency")
    if transparent is not None and levels != "clip":
        result.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    result.info.update({key: value for key, value in image.info.items() if key != "transparency"})
    return result


def _between(values: np.ndarray, levels: tuple[float, float]) -> np.ndarray:
    """uint8: (value - low) / (high - low), clamped to [0, 1], times 255, rounded; NaN counts as black."""
    if values.dtype.itemsize == 2 and values.dtype.kind == "u":
        return _table(levels)[values]
    low, high = levels
    scaled = (values.astype(np.float64) - low) / (high - low) * 255
    return np.rint(np.nan_to_num(scaled, nan=0.0).clip(0, 255)).astype(np.uint8)


@lru_cache(maxsize=4)
def _table(levels: tuple[float, float]) -> np.ndarray:
    return _between(np.arange(WIDEST + 1, dtype=np.int64), levels)


def stretch(image: Image.Image, levels: tuple[float, float]) -> Image.Image:
    """An image of 8 bits, mode L, LA, RGB or RGBA, by the same rule in each channel but alpha.

    Raises:
        ValueError: If 8 bits cannot hold the levels, so that they are meant for other files.
    """
    low, high = levels
    if low < 0 or high > 255:
        raise ValueError(f"its 8 bits hold 0 to 255, and the levels [{low:g}, {high:g}] are those of deeper files")
    table = _table(levels)[:256].tolist()
    alpha = list(range(256)) if image.mode in ("LA", "RGBA") else []
    return image.point(table * (len(image.getbands()) - bool(alpha)) + alpha)
