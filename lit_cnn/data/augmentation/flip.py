"""Random mirroring."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2

from lit_cnn.data.augmentation.draws import Draws, lasting_number
from lit_cnn.data.settings import require_probability


@dataclass(frozen=True)
class Flip:
    """Random mirroring.

    Args:
        horizontal: probability of exchanging left and right.
        vertical: probability of exchanging top and bottom.
        alternating: Left and right are drawn once for the whole run, and exchanged in every other epoch from then on,
            so that two epochs in a row show both sides of an image (Jordan 2024, arXiv:2404.00498, section 3.6).
    """

    horizontal: float = 0.5
    vertical: float = 0.0
    alternating: bool = False

    def __post_init__(self) -> None:
        require_probability("flip.horizontal", self.horizontal)
        require_probability("flip.vertical", self.vertical)


def mirrors(settings: Flip, draws: Draws) -> list[tuple[int, Tensor]]:
    """Each dimension that may be mirrored, from the end (-1: left and right), and in which images (N,) bool it is."""
    found = []
    if settings.alternating:
        found.append((-1, (draws.lasting("flip-x") < settings.horizontal) ^ (draws.epoch % 2 == 1)))
    elif settings.horizontal:
        found.append((-1, draws("flip-x", 1)[:, 0] < settings.horizontal))
    if settings.vertical:
        found.append((-2, draws("flip-y", 1)[:, 0] < settings.vertical))
    return found


def flip_batch(images: Tensor, settings: Flip, draws: Draws) -> Tensor:
    """Mirror each image of (N, C, H, W) by its own draws."""
    for dim, chosen in mirrors(settings, draws):
        images = torch.where(chosen[:, None, None, None], images.flip(dim), images)
    return images


def alternate(image: Tensor, settings: Flip, seed: int, epoch: int, index: int, repeat: int) -> Tensor:
    """An image (C, H, W) as ``flip_batch`` turns its left and right in this epoch where ``settings`` alternate."""
    first = lasting_number(seed, index, repeat, "flip-x") < settings.horizontal
    return image.flip(2) if first ^ (epoch % 2 == 1) else image


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
    """What of it is drawn in each epoch, for one image tensor."""
    sides = ((0.0 if settings.alternating else settings.horizontal, 2), (settings.vertical, 1))
    return [Mirror(probability, dim) for probability, dim in sides if probability]
