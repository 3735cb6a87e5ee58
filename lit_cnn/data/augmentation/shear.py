"""Random horizontal shear."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.settings import require


@dataclass(frozen=True)
class Shear:
    """Random horizontal shear; the area outside the image takes the data set's mean color.

    Args:
        degrees: the angle is drawn from [-degrees, degrees]; 0 is off.
    """

    degrees: float = 0.0

    def __post_init__(self) -> None:
        require(0.0 <= self.degrees < 90.0, "shear.degrees", self.degrees, "at least 0 and below 90")


def shear_batch(images: Tensor, settings: Shear, fill: tuple[int, ...], draws: Draws) -> Tensor:
    """Shear each uint8 image of (N, C, H, W) by its own angle."""
    if not settings.degrees:
        return images
    angles = ((2 * draws("shear", 1)[:, 0] - 1) * settings.degrees).tolist()
    color = [float(level) for level in fill]
    mode = InterpolationMode.BILINEAR
    sheared = [
        functional.affine(
            image, angle=0.0, translate=[0, 0], scale=1.0, shear=[angle, 0.0], interpolation=mode, fill=color
        )
        for image, angle in zip(images, angles, strict=True)
    ]
    return torch.stack(sheared)


def shear_transforms(settings: Shear, fill: tuple[int, ...]) -> list[v2.Transform]:
    """The same for one PIL image."""
    mode = InterpolationMode.BILINEAR
    if not settings.degrees:
        return []
    return [v2.RandomAffine(0, shear=settings.degrees, fill=list(fill), interpolation=mode)]
