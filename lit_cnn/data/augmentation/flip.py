"""Random mirroring."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.settings import require_probability


@dataclass(frozen=True)
class Flip:
    """Random mirroring.

    Args:
        horizontal: probability of exchanging left and right.
        vertical: probability of exchanging top and bottom.
    """

    horizontal: float = 0.5
    vertical: float = 0.0

    def __post_init__(self) -> None:
        require_probability("flip.horizontal", self.horizontal)
        require_probability("flip.vertical", self.vertical)


def flip_batch(images: Tensor, settings: Flip, draws: Draws) -> Tensor:
    """Mirror each image of (N, C, H, W) by its own draws."""
    for name, probability, dim in (("flip-x", settings.horizontal, 3), ("flip-y", settings.vertical, 2)):
        if probability:
            chosen = draws(name, 1) < probability
            images = torch.where(chosen[:, :, None, None], images.flip(dim), images)
    return images


class Mirror(v2.Transform):
    """Mirror an image tensor (C, H, W) along a dimension by torchvision's draw, without the time that its own transform
    takes to find out what it was given.

    Args:
        probability: Of mirroring.
        dim: 2 exchanges left and right, 1 top and bottom.
    """

    def __init__(self, probability: float, dim: int) -> None:
        super().__init__()
        self.probability, self.dim = probability, dim

    def forward(self, image: Tensor) -> Tensor:
        """The image, mirrored or not."""
        return image if torch.rand(1).item() >= self.probability else image.flip(self.dim)


def flip_transforms(settings: Flip) -> list[v2.Transform]:
    """The same for one image tensor."""
    sides = ((settings.horizontal, 2), (settings.vertical, 1))
    return [Mirror(probability, dim) for probability, dim in sides if probability]
