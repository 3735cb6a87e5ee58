"""Whether the images of more than 8 bits use their range, or become nearly black."""

import os
from collections.abc import Callable, Sequence

import numpy as np

from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.bit_depth import Depth
from lit_cnn.data.sources.decoding import EncodedImage, PixelFormat, attempt
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.load import Split
from lit_cnn.data.sources.shards import ShardSplit, is_remote

SAMPLE = 64
"""Images that a training looks at before it begins."""
ADVICE = "set data.levels to [0, {}]"
USED = 0.25
"""Share of the range from which on it counts as used."""
EIGHT_BIT = (".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".avif")
"""Endings of files that hold 8 bits, which need not be read to know it."""


def levels_warning(
    split: Split, pixel_format: PixelFormat, name: str, sample: int | None = SAMPLE, advice: str = ADVICE
) -> str | None:
    """A sentence where no image of more than 8 bits holds a number of the upper three quarters of its range, so that
    all become nearly black; None where one does, where levels are stated, and where there are no such images.

    Args:
        split: The images; of shards elsewhere none is looked at.
        pixel_format: What their pixels become.
        name: What the sentence calls them.
        sample: Most files to look at, evenly spread; None for all. Broken ones are passed over.
        advice: What to do, with {} for the number that should be white.
    """
    if pixel_format.levels is not None or (isinstance(split, ShardSplit) and is_remote(split.path)):
        return None
    if isinstance(split, ArraySplit) or len(split) == 0:
        return None
    count = len(split) if sample is None else min(sample, len(split))
    rows = np.unique(np.linspace(0, len(split) - 1, count).round().astype(int)).tolist()
    highest: list[tuple[int, Depth]] = []
    for row in rows:
        if isinstance(split, FolderSplit) and not _may_be_deep(split.paths[row]):
            continue
        found = attempt(_deep_numbers(split.read, row, pixel_format))
        if not isinstance(found, tuple) or found[1].kind == "float":
            continue  # floating-point numbers need stated levels anyway
        highest.append((int(found[0].max()), found[1]))
        if highest[-1][0] >= USED * found[1].largest:
            return None
    return unused_range(highest, name, advice)


def _may_be_deep(path: str) -> bool:
    """Whether a file can hold more than 8 bits; a pipe, which can be read once only, is left to who needs it."""
    return not path.lower().endswith(EIGHT_BIT) and os.path.isfile(path)


def unused_range(highest: Sequence[tuple[int, Depth]], name: str, advice: str = ADVICE) -> str | None:
    """The sentence of ``levels_warning`` on images of which the highest number and the depth are known."""
    if not highest or any(number >= USED * depth.largest for number, depth in highest):
        return None
    return _sentence(name, *max(highest, key=lambda each: each[0]), advice)


def _deep_numbers(
    read: Callable[[int, PixelFormat], EncodedImage], row: int, pixel_format: PixelFormat
) -> Callable[[], tuple[np.ndarray, Depth] | None]:
    return lambda: read(row, pixel_format).deep_numbers()


def _sentence(name: str, highest: int, depth: Depth, advice: str) -> str:
    used = f"use levels up to {highest} of {depth.largest} and become nearly black"
    if depth.kind == "color":
        return f"the {depth.bits}-bit color images of {name} {used}: scale them to 8 bits"
    meant = 2 ** max(highest, 1).bit_length() - 1
    return f"the {depth.bits}-bit images of {name} {used}: {advice.format(meant)}"
