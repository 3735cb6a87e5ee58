"""The canvas that every image of a recipe is fitted into, and boxes between the pixels of the file and its own.

An image keeps its aspect ratio and its upper left corner; what it does not cover, right of it or below, has the mean
color, as in the TPU code of RetinaNet (tensorflow/tpu, models/official/detection). A resized side is a whole number of
pixels while the scale is one number for both sides, so half the rounding goes to each end: a box is within 0.25 pixels
of its object's place in the picture.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lit_cnn.data.image_size import Sides
from lit_cnn.data.resizing import ResizedImages
from lit_cnn.data.settings import require
from lit_cnn.detection.boxes import Detections

Offset = tuple[float, float] | Tensor
"""(x, y) on the canvas of the file's upper left corner, in pixels."""


class Framed(NamedTuple):
    """An image on the canvas.

    Attributes:
        image: (3, H, W) uint8.
        scale: Pixels of the canvas per pixel of the file.
        offset: (x, y) on the canvas of the file's upper left corner; within 0.25 of (0, 0).
    """

    image: Tensor
    scale: float
    offset: tuple[float, float]


class Resized(NamedTuple):
    """An image at a scale, of any size.

    Attributes:
        image: (3, h, w) uint8.
        offset: (x, y) in it of the file's upper left corner; within 0.25 of (0, 0).
    """

    image: Tensor
    offset: tuple[float, float]


@dataclass(frozen=True)
class Canvas:
    """What every image of a recipe becomes.

    Args:
        height: H in pixels.
        width: W in pixels.
        fill: color where no image is, as a uint8 level of each of the 3 channels; the data set's mean.

    Raises:
        ValueError: If a side or a level cannot be.
    """

    height: int
    width: int
    fill: tuple[int, int, int]

    def __post_init__(self) -> None:
        sides = (self.height, self.width)
        require(min(sides) >= 1, "canvas", sides, "[height, width], each at least 1 pixel")
        levels = len(self.fill) == 3 and all(0 <= level <= 255 for level in self.fill)
        require(levels, "canvas fill", self.fill, "three levels from 0 to 255")

    def fitting_scale(self, sides: Sides) -> float:
        """Pixels of the canvas per pixel of a file of ``sides`` (height, width) that just fits."""
        return min(self.height / sides[0], self.width / sides[1])

    def frame(self, image: Tensor, sides: Sides | None = None) -> Framed:
        """Fit an image into the canvas.

        Args:
            image: (3, h, w) uint8.
            sides: Height and width of its file, where it was decoded at a reduced scale; None for the image's own.
        """
        sides = sides or (image.shape[-2], image.shape[-1])
        scale = self.fitting_scale(sides)
        resized, offset = resize(image, sides, scale)
        return Framed(self.place(resized), scale, offset)

    def place(self, image: Tensor, top: int = 0, left: int = 0) -> Tensor:
        """(3, H, W): the part of ``image`` (3, h, w) from (top, left) on, and the fill right of it and below."""
        part = image[..., top : top + self.height, left : left + self.width]
        rows, columns = part.shape[-2:]
        if (rows, columns) == (self.height, self.width):
            return part.contiguous()
        canvas = torch.tensor(self.fill, dtype=image.dtype)[:, None, None].repeat(1, self.height, self.width)
        canvas[:, :rows, :columns] = part
        return canvas

    @staticmethod
    def boxes_to_canvas(boxes: Tensor, scale: float | Tensor, offset: Offset) -> Tensor:
        """(M, 4) in pixels of the canvas from (M, 4) float32 in pixels of the file; not clamped."""
        return boxes * scale + _corners(offset, boxes)

    @staticmethod
    def boxes_to_file(boxes: Tensor, scale: float | Tensor, offset: Offset) -> Tensor:
        """Undo ``boxes_to_canvas``; not clamped."""
        return (boxes - _corners(offset, boxes)) / scale

    @staticmethod
    def to_file(detections: Detections, scale: float | Tensor, offset: Offset, width: int, height: int) -> Detections:
        """Detections on the canvas in pixels of their file.

        Args:
            detections: In pixels of the canvas.
            scale: Pixels of the canvas per pixel of the file.
            offset: (x, y) on the canvas of the file's upper left corner.
            width: Of the file in pixels.
            height: Of the file in pixels.

        Returns:
            Them with boxes clamped to [0, width] x [0, height], without those that have no area there, which lie where
            the canvas shows no image.
        """
        boxes = clamp_boxes(Canvas.boxes_to_file(detections.boxes, scale, offset), width, height)
        kept = box_areas(boxes) > 0
        return Detections(boxes[kept], detections.scores[kept], detections.labels[kept])


def resize(image: Tensor, sides: Sides, scale: float) -> Resized:
    """An image at ``scale``, by the antialiased bilinear filter of the classification data.

    Args:
        image: (3, h, w) uint8, decoded in full or at a reduced scale.
        sides: Height and width of its file.
        scale: Pixels of the result per pixel of the file.
    """
    height, width = (max(round(side * scale), 1) for side in sides)
    resized = ResizedImages(image, (height, width), "bilinear").whole
    return Resized(resized, ((width - sides[1] * scale) / 2, (height - sides[0] * scale) / 2))


def _corners(offset: Offset, boxes: Tensor) -> Tensor:
    """(4,) what both corners of a box are moved by."""
    return torch.as_tensor(offset, dtype=boxes.dtype, device=boxes.device).repeat(2)


def clamp_boxes(boxes: Tensor, width: float, height: float) -> Tensor:
    """(M, 4) boxes cut to [0, width] x [0, height]; one outside becomes a line or a point of the border."""
    return torch.stack([boxes[:, 0::2].clamp(0, width), boxes[:, 1::2].clamp(0, height)], 2).flatten(1)


def box_areas(boxes: Tensor) -> Tensor:
    """(M,) areas of (M, 4) boxes, in square pixels; 0 where a side is negative."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).unbind(1)
    return width * height
