"""A source's images with the number of channels that ``data.in_channels`` states.

Files are decoded to it (see ``PixelFormat``). Arrays are converted once: gray becomes color by copying, color becomes
gray by its luma (ITU-R 601-2, rounded as Pillow does, so that an array and a file of the same picture agree).
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.settings import require
from lit_cnn.data.sources.arrays import ArraySplit, channel_statistics
from lit_cnn.data.sources.decoding import PixelFormat, attempt
from lit_cnn.data.sources.load import EncodedSplit, Source, Split

CHANNELS = (1, 3, 4)
"""Gray, RGB, and RGB with alpha or an array's four channels."""
GRAY_STATISTICS = (0.449,), (0.226,)
"""Mean and standard deviation of gray files: the means of ImageNet's three channels, as is customary."""
SAMPLE = 100
"""Training files whose pixels are measured where no statistics are known."""

_CHUNK = 1024


class StatedChannels:
    """The field ``in_channels`` of ``ImageData``: set to what a recipe states, and read as what the loaded source has,
    which may be null in the recipe."""

    def __get__(self, data: Any, owner: type | None = None) -> int | None:
        return None if data is None else data.loaded.in_channels

    def __set__(self, data: object, value: int | None) -> None:
        vars(data)["in_channels"] = value


def stated_channels(data: object) -> int | None:
    """The field as it was stated."""
    return vars(data)["in_channels"]


def require_channels(stated: int | None) -> None:
    """Refuse another number than those of ``CHANNELS``."""
    require(stated is None or stated in CHANNELS, "in_channels", stated, "null, 1 (gray), 3 (RGB) or 4")


def convert_channels(images: Tensor, channels: int) -> Tensor:
    """uint8 (N, C, H, W) -> (N, channels, H, W); copies of gray share memory.

    Raises:
        ValueError: if neither is gray and the numbers differ, or there is no alpha to add.
    """
    found = images.shape[1]
    if found == channels:
        return images
    if found == 1 and channels == 3:
        return images.expand(-1, 3, -1, -1)
    if found == 3 and channels == 1:
        return torch.cat([_luma(part) for part in images.split(_CHUNK)])
    raise ValueError(f"images of {found} channels cannot become images of {channels}")


def _luma(images: Tensor) -> Tensor:
    red, green, blue = images.int().unbind(1)
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).to(torch.uint8).unsqueeze(1)


def with_channels(source: Source, channels: int | None) -> Source:
    """The source with its images read with ``channels`` channels; None leaves it as it is.

    Mean and standard deviation go with them: measured for arrays, the customary ones for gray and RGB files, and
    measured on a sample of the training files for files with alpha.

    Raises:
        ValueError: if the source has no such channels.
    """
    if channels is None or channels == source.in_channels:
        return source
    if isinstance(source.train, ArraySplit):
        return _converted(source, channels)
    mean, std = GRAY_STATISTICS if channels == 1 else _measured(source.train, source.origin)
    return replace(source, in_channels=channels, mean=mean, std=std)


def _converted(source: Source, channels: int) -> Source:
    """A source of arrays."""
    try:
        train, val, test = (_split(split, channels) for split in (source.train, source.val, source.test))
    except ValueError:
        raise ValueError(
            f"data.in_channels is {channels}, but the images of {source.origin} have {source.in_channels} "
            f"channel{'s' if source.in_channels > 1 else ''}; set it to null"
        ) from None
    assert isinstance(train, ArraySplit)
    assert val is not None
    if channels == 3:
        mean, std = source.mean * 3, source.std * 3
    else:
        mean, std = channel_statistics(train.images)
    return replace(source, train=train, val=val, test=test, in_channels=channels, mean=mean, std=std)


def _split(split: Split | None, channels: int) -> Split | None:
    if not isinstance(split, ArraySplit):
        return split
    return ArraySplit(convert_channels(split.images, channels), split.labels)


def _measured(split: EncodedSplit, origin: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of up to ``SAMPLE`` files, spread evenly, each of the same weight.

    Raises:
        ValueError: if no file has a transparent pixel, or none can be decoded.
    """
    rows = np.unique(np.linspace(0, len(split) - 1, min(SAMPLE, len(split))).round().astype(np.int64))
    moments, transparent = [], False
    for row in rows.tolist():
        pixels = attempt(partial(_pixels, split, row))
        if isinstance(pixels, Tensor):
            values = pixels.flatten(1).double() / 255
            moments.append(torch.stack([values.mean(1), values.square().mean(1)]))
            transparent |= bool((pixels[3] < 255).any())
        elif not moments and row == rows[-1]:
            raise pixels
    if not transparent:
        raise ValueError(
            f"data.in_channels is 4, but none of {len(rows)} images of {origin} has a transparent pixel; set it to 3"
        )
    mean, square = torch.stack(moments).mean(0)
    std = (square - mean.square()).clamp(min=0).sqrt()
    return tuple(round(value, 6) for value in mean.tolist()), tuple(round(value, 6) or 1.0 for value in std.tolist())


def _pixels(split: EncodedSplit, row: int) -> Tensor:
    return split.read(row, PixelFormat(4)).pixels()
