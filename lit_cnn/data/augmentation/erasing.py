"""Cutout (DeVries and Taylor 2017) and random erasing (Zhong et al. 2017): part of an image takes the data set's mean
color."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.rectangles import ATTEMPTS, first_fitting, random_sides
from lit_cnn.data.settings import require, require_probability, require_range


@dataclass(frozen=True)
class Cutout:
    """Cutout (DeVries & Taylor 2017): a square of the data set's mean color, its center uniform over the image.

    Args:
        size: side of the square in pixels, parts of which may leave the image; 0 is off.
        probability: share of the images that get a square.
    """

    size: int = 0
    probability: float = 1.0

    def __post_init__(self) -> None:
        require(self.size >= 0, "cutout.size", self.size, "0 (off) or a positive number of pixels")
        require_probability("cutout.probability", self.probability)


@dataclass(frozen=True)
class RandomErasing:
    """Random erasing (Zhong et al. 2017): a rectangle inside the image takes the data set's mean color.

    Args:
        probability: share of the images that lose a rectangle; 0 is off.
        scale: smallest and largest share of the image's area.
        ratio: smallest and largest height / width.
    """

    probability: float = 0.0
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)

    def __post_init__(self) -> None:
        require_probability("random_erasing.probability", self.probability)
        require_range("random_erasing.scale", self.scale, 1.0)
        require_range("random_erasing.ratio", self.ratio, float("inf"))


def cutout_batch(images: Tensor, settings: Cutout, fill: tuple[int, ...], draws: Draws) -> Tensor:
    """Fill a square of each chosen image of (N, C, H, W); its center is uniform over the pixels and parts may lie
    outside."""
    if not settings.size:
        return images
    draw = draws("cutout", 3)
    top = (draw[:, 1] * images.shape[2]).long() - settings.size // 2
    left = (draw[:, 2] * images.shape[3]).long() - settings.size // 2
    box = top, top + settings.size, left, left + settings.size
    return _fill_boxes(images, box, draw[:, 0] < settings.probability, fill)


class CutoutSquare(v2.Transform):
    """The same for one image tensor (C, H, W)."""

    def __init__(self, size: int, probability: float, fill: tuple[int, ...]) -> None:
        super().__init__()
        self.size, self.probability = size, probability
        self.fill = torch.tensor(fill, dtype=torch.uint8).view(-1, 1, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw whether there is a square and its upper left corner, which may be negative."""
        (height, width), draws = functional.get_size(flat_inputs[0]), torch.rand(3).tolist()
        top, left = int(draws[1] * height) - self.size // 2, int(draws[2] * width) - self.size // 2
        return {"applies": draws[0] < self.probability, "top": top, "left": left}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A copy with the square filled."""
        if not params["applies"]:
            return inpt
        image, top, left = inpt.clone(), params["top"], params["left"]
        image[..., max(top, 0) : max(top + self.size, 0), max(left, 0) : max(left + self.size, 0)] = self.fill
        return image


def cutout_transforms(settings: Cutout, fill: tuple[int, ...]) -> list[v2.Transform]:
    """``CutoutSquare``, unless it is off."""
    return [CutoutSquare(settings.size, settings.probability, fill)] if settings.size else []


def random_erasing_batch(images: Tensor, settings: RandomErasing, fill: tuple[int, ...], draws: Draws) -> Tensor:
    """Fill a rectangle inside each chosen image of (N, C, H, W); one into which no attempt fits stays whole."""
    if not settings.probability:
        return images
    height, width = images.shape[-2:]
    draw = draws("random_erasing", 4 * ATTEMPTS + 1)
    chosen, draw = draw[:, -1] < settings.probability, draw[:, :-1].view(-1, ATTEMPTS, 4)
    heights, widths = random_sides(draw, settings.scale, settings.ratio, height * width)
    attempt, found = first_fitting((heights < height) & (widths < width))
    pick = torch.arange(len(images)), attempt
    high, wide, place = heights[pick], widths[pick], draw[pick]
    top, left = (place[:, 2] * (height - high + 1)).long(), (place[:, 3] * (width - wide + 1)).long()
    return _fill_boxes(images, (top, top + high, left, left + wide), chosen & found, fill)


def random_erasing_transforms(settings: RandomErasing, fill: tuple[int, ...]) -> list[v2.Transform]:
    """The same for one image tensor (C, H, W)."""
    if not settings.probability:
        return []
    return [v2.RandomErasing(settings.probability, settings.scale, settings.ratio, value=list(fill))]


def _fill_boxes(
    images: Tensor, box: tuple[Tensor, Tensor, Tensor, Tensor], chosen: Tensor, fill: tuple[int, ...]
) -> Tensor:
    """Fill rows top..bottom and columns left..right (exclusive ends, (N,) each) of the chosen images."""
    top, bottom, left, right = (edge[:, None] for edge in box)
    rows, columns = torch.arange(images.shape[2]), torch.arange(images.shape[3])
    inside = ((rows >= top) & (rows < bottom) & chosen[:, None])[:, :, None] & ((columns >= left) & (columns < right))[
        :, None
    ]
    color = torch.tensor(fill, dtype=images.dtype).view(1, -1, 1, 1)
    return torch.where(inside[:, None], color, images)
