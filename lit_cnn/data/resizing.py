"""Resizing images of which only windows are kept.

An ordinary image is resized whole and then cut, by torchvision. A very thin one would become many times larger than
what is kept of it (20000x1 px at a shorter side of 256 px: 1.3 billion pixels), so the part of it that a window shows,
with what the filter reads around it, is cut first and resized by Pillow on the same grid; the levels differ from
torch's by one at most (bicubic on noise: by two), as Pillow's always do.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.image_size import EXTREME_ASPECT, Sides, center, covering
from lit_cnn.data.settings import Interpolation

_FILTERS = {"bilinear": (Image.Resampling.BILINEAR, 1.0), "bicubic": (Image.Resampling.BICUBIC, 2.0)}
"""Pillow's filter and its reach in pixels of the source, at a scale of at most 1."""


@dataclass(frozen=True)
class ResizedImages:
    """uint8 images (..., C, H, W) resized with an antialiasing filter.

    Args:
        images: As they are.
        sides: Height and width after resizing.
        interpolation: Filter.
        in_parts: Resize windows alone; by default the whole, once.
    """

    images: Tensor
    sides: Sides
    interpolation: Interpolation
    in_parts: bool = False

    @classmethod
    def covering(cls, images: Tensor, box: Sides, interpolation: Interpolation) -> "ResizedImages":
        """The images in the smallest size of their aspect ratio that covers ``box``; in parts where that is more than
        ``EXTREME_ASPECT`` boxes."""
        height, width = covering((images.shape[-2], images.shape[-1]), box)
        return cls(images, (height, width), interpolation, height * width > EXTREME_ASPECT * box[0] * box[1])

    @cached_property
    def whole(self) -> Tensor:
        """The resized images (..., C, *sides)."""
        mode = InterpolationMode(self.interpolation)
        return functional.resize(self.images, list(self.sides), interpolation=mode, antialias=True)

    def image(self, number: int) -> "ResizedImages":
        """One image (C, H, W) of a batch (N, C, H, W)."""
        return ResizedImages(self.images[number], self.sides, self.interpolation, self.in_parts)

    def window(self, top: int, left: int, height: int, width: int, reflect: bool = False) -> Tensor:
        """(..., C, height, width) of the resized images from (top, left) on; what lies outside of them is black, or
        with ``reflect`` their reflection at the outermost pixels, which is smaller than they are."""
        (rows, columns), (bottom, right) = self.sides, (top + height, left + width)
        first_row, first_column = max(top, 0), max(left, 0)
        last_row, last_column = min(bottom, rows), min(right, columns)
        if (first_row, first_column, last_row, last_column) == (top, left, bottom, right):
            return self._part(top, left, bottom, right)
        if reflect:
            part = self._part(first_row, first_column, last_row, last_column)
            around = [first_column - left, first_row - top, right - last_column, bottom - last_row]
            return functional.pad(part, around, padding_mode="reflect")
        result = self.images.new_zeros(*self.images.shape[:-2], height, width)
        if first_row < last_row and first_column < last_column:
            part = self._part(first_row, first_column, last_row, last_column)
            result[..., first_row - top : last_row - top, first_column - left : last_column - left] = part
        return result

    def center(self, height: int, width: int) -> Tensor:
        """(..., C, height, width) around the center."""
        return self.window(*center(self.sides, (height, width)), height, width)

    def _part(self, top: int, left: int, bottom: int, right: int) -> Tensor:
        """A window that lies inside."""
        if not self.in_parts:
            return self.whole[..., top:bottom, left:right]
        rows, columns = self.images.shape[-2:]
        if self.interpolation == "nearest":
            down = _nearest(top, bottom, rows, self.sides[0])
            return self.images[..., down[:, None], _nearest(left, right, columns, self.sides[1])]
        sample, reach = _FILTERS[self.interpolation]
        upper, lower, first_row, last_row = _source(top, bottom, rows, self.sides[0], reach)
        before, after, first_column, last_column = _source(left, right, columns, self.sides[1], reach)
        cut = self.images[..., first_row:last_row, first_column:last_column]
        size, box = (right - left, bottom - top), (before, upper, after, lower)
        planes = [
            functional.pil_to_tensor(Image.fromarray(plane.numpy()).resize(size, sample, box))
            for plane in cut.reshape(-1, *cut.shape[-2:])
        ]
        return torch.cat(planes).view(*cut.shape[:-2], bottom - top, right - left)


def _nearest(start: int, end: int, length: int, resized: int) -> Tensor:
    """The pixels that ``start`` to ``end`` of a resized side show, by torch's own arithmetic."""
    scale = torch.tensor(length, dtype=torch.float32) / resized
    return (torch.arange(start, end, dtype=torch.float32) * scale).long().clamp(max=length - 1)


def _source(start: int, end: int, length: int, resized: int, reach: float) -> tuple[float, float, int, int]:
    """Where pixels ``start`` to ``end`` of a side are in the image, whose side of ``length`` pixels is ``resized``.

    Returns:
        Begin and end inside the part to cut, and begin and end of that part, which holds all that the filter reads.
        (Pillow keeps the former in 32 bits, too few for a place far from the beginning of a long image.)
    """
    scale = length / resized
    begin, finish = start * scale, min(end * scale, length)
    margin = math.ceil(reach * max(scale, 1.0)) + 1
    first, last = max(0, math.floor(begin) - margin), min(length, math.ceil(finish) + margin)
    return begin - first, finish - first, first, last
