"""What a check keeps of an image: it is decoded once, and then known by its digest and a thumbnail."""

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from lit_cnn.data.checks.near_duplicates import thumbnail_and_hash
from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage, attempt

GRAY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
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
    """A picture of mode L or RGB in memory."""
    thumbnail, perceptual_hash = thumbnail_and_hash(picture)
    width, height = picture.size
    color = None
    if (thumbnail == thumbnail[0, 0]).all():
        extremes = np.array(picture.convert("RGB").getextrema())
        color = tuple(extremes[:, 0].tolist()) if (extremes[:, 0] == extremes[:, 1]).all() else None
    pixels = picture.convert("RGB").tobytes() if picture.mode != "RGB" else picture.tobytes()
    digest = hashlib.blake2b(pixels, digest_size=16, key=f"{width} {height}".encode()).digest()
    return Look(digest, width, height, color, thumbnail, perceptual_hash, picture.mode == "L")


def look_at_file(file: EncodedImage) -> Look:
    """A file, decoded as for training.

    Raises:
        BrokenImage: If it cannot be decoded.
    """
    look = look_at(file.picture())
    with Image.open(io.BytesIO(file.content)) as image:
        transparent = _is_transparent(image)
        misnamed = _is_misnamed(file.name, image)
        return replace(look, gray=image.mode in GRAY_MODES, transparent=transparent, misnamed=misnamed)


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
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        # without the file's name; large images are a finding, and metadata alone is none
        warnings.filterwarnings("ignore", module="PIL")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield from pool.map(attempt_to_look, reads)


def attempt_to_look(read: Callable[[], EncodedImage]) -> Look | BrokenImage | OSError:
    """The look of what ``read`` gives, or what is wrong with it."""
    return attempt(lambda: look_at_file(read()))


def _is_misnamed(name: str, image: Image.Image) -> bool:
    """Whether a file's ending stands for another format than it has."""
    stated = Image.registered_extensions().get(os.path.splitext(name)[1].lower())
    return stated is not None and _SAME.get(stated, stated) != _SAME.get(str(image.format), image.format)
