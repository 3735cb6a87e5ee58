"""What a check keeps of an image: it is decoded once, and then known by its digest and a thumbnail."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from lit_cnn.data.checks.near_duplicates import thumbnail_and_hash
from lit_cnn.data.sources.bit_depth import Depth
from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage, TooManyPixels, UnknownLevels, attempt
from lit_cnn.data.sources.pillow_limits import open_image, silent_pillow

GRAY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
DIM = 64
"""Level of 255 below which all pixels of a split are when its images are nearly black."""
_SAME = {"MPO": "JPEG"}
"""Formats that files of another one's ending have."""


@dataclass(frozen=True, eq=False)
class Look:
    """What a decoded image looks like.

    Args:
        digest: Of its pixels, equal where they are.
        width: In pixels, upright.
        height: In pixels, upright.
        color: The one color that all pixels have, else None.
        thumbnail: uint8 (16, 16, 3).
        perceptual_hash: See ``near_duplicates.py``.
        gray: Whether its file holds one channel of light.
        transparent: Whether pixels of its file are not opaque.
        misnamed: Whether its file's ending stands for another format.
        brightest: The highest level of its pixels, of 255; at least ``DIM`` counts as that.
        deep: Highest number and depth of a file of integers of more than 8 bits.
    """

    digest: bytes
    width: int
    height: int
    color: tuple[int, ...] | None
    thumbnail: np.ndarray
    perceptual_hash: np.uint64
    gray: bool
    transparent: bool = False
    misnamed: bool = False
    brightest: int = DIM
    deep: tuple[int, Depth] | None = None


@dataclass(frozen=True, eq=False)
class CheckedImage:
    """An image of a data set.

    Args:
        split: The split that holds it.
        place: Its file, or its row.
        class_name: Its label.
        look: None where it cannot be decoded.
        problem: Why not.
    """

    split: str
    place: str
    class_name: str
    look: Look | None
    problem: str | None = None


def look_at(picture: Image.Image) -> Look:
    """A picture of mode L, RGB or, of four channels, RGBA in memory."""
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    whole = picture if picture.mode == "RGBA" else rgb
    thumbnail, perceptual_hash = thumbnail_and_hash(rgb)
    width, height = picture.size
    color, brightest = None, DIM
    if thumbnail.max() < DIM or (thumbnail == thumbnail[0, 0]).all():
        extremes = np.array(whole.getextrema())
        color = tuple(extremes[:, 0].tolist()) if (extremes[:, 0] == extremes[:, 1]).all() else None
        brightest = min(int(extremes.max()), DIM)
    digest = hashlib.blake2b(whole.tobytes(), digest_size=16, key=f"{width} {height}".encode()).digest()
    return Look(digest, width, height, color, thumbnail, perceptual_hash, picture.mode == "L", brightest=brightest)


def look_at_file(file: EncodedImage) -> Look:
    """A file, decoded as for training.

    Raises:
        BrokenImage: If it cannot be decoded.
    """
    look = look_at(file.picture())
    found = file.deep_numbers()
    deep = None if found is None or found[1].kind == "float" else (int(found[0].max()), found[1])
    with silent_pillow, open_image(file.content, None) as image:
        transparent, misnamed = _is_transparent(image), _is_misnamed(file.name, image)
        return replace(look, gray=image.mode in GRAY_MODES, transparent=transparent, misnamed=misnamed, deep=deep)


def _is_transparent(image: Image.Image) -> bool:
    if "A" not in image.getbands() and "a" not in image.getbands() and "transparency" not in image.info:
        return False
    try:
        return image.convert("RGBA").getchannel("A").getextrema() != (255, 255)
    except Exception:  # decoders fail in any way, though training decodes the file
        return False


def inspect(
    reads: Iterable[Callable[[], EncodedImage]], threads: int | None = None
) -> Iterator[Look | BrokenImage | OSError]:
    """Look at files in turn, or say what is wrong with them.

    Args:
        reads: Functions that read a file each.
        threads: How many decode at once; None: as many as suit the cores.
    """
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(attempt_to_look, reads)


def attempt_to_look(read: Callable[[], EncodedImage]) -> Look | BrokenImage | OSError:
    """The look of what ``read`` gives, or what is wrong with it and which flag helps."""
    found = attempt(lambda: look_at_file(read()))
    if isinstance(found, TooManyPixels):
        return found.with_advice("raise --max-pixels")
    if isinstance(found, UnknownLevels):
        return found.with_advice("state --levels LOW HIGH, the numbers that are black and white")
    return found


def _is_misnamed(name: str, image: Image.Image) -> bool:
    """Whether a file's ending stands for another format than it has."""
    stated = Image.registered_extensions().get(os.path.splitext(name)[1].lower())
    return stated is not None and _SAME.get(stated, stated) != _SAME.get(str(image.format), image.format)
