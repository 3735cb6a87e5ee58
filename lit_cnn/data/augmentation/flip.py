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


def flip_transforms(settings: Flip) -> list[v2.Transform]:
    """The same for one image tensor."""
    steps: list[v2.Transform] = []
    if settings.horizontal:
        steps.append(v2.RandomHorizontalFlip(settings.horizontal))
    if settings.vertical:
        steps.append(v2.RandomVerticalFlip(settings.vertical))
    return steps
