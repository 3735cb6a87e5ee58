"""PCA color noise (Krizhevsky et al. 2012, section 4.1): one random color is added to all pixels of an image."""

from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from lit_cnn.data.augmentation.draws import Draws

# Principal components of ImageNet's RGB pixels in [0, 1] (fb.resnet.torch, datasets/imagenet.lua); a column of
# EIGENVECTORS is a component, EIGENVALUES[k] the weight of column k.
EIGENVALUES = torch.tensor([0.2175, 0.0188, 0.0045])
EIGENVECTORS = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def random_colors(draws: Tensor, std: float) -> Tensor:
    """Offsets (N, 3) of red, green and blue in levels of 0 to 255, from uniform draws (N, 3) in [0, 1)."""
    shares = torch.special.ndtri(draws.double().clamp(min=2.0**-25)).float() * std
    return 255.0 * (shares * EIGENVALUES) @ EIGENVECTORS.T


def add_colors(images: Tensor, offsets: Tensor) -> Tensor:
    """Add to each uint8 image (N, 3, H, W) its color (N, 3), rounded and clamped to uint8."""
    return (images.float() + offsets[:, :, None, None]).round().clamp(0, 255).to(torch.uint8)


def lighting_batch(images: Tensor, std: float, draws: Draws) -> Tensor:
    """Add to each uint8 RGB image of (N, 3, H, W) a random color of standard deviation ``std``; 0 is off."""
    return add_colors(images, random_colors(draws("lighting", 3), std)) if std else images


class Lighting(v2.Transform):
    """The same for one RGB PIL image."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the color as a table of new levels: 256 for red, then for green, then for blue."""
        levels = torch.arange(256, dtype=torch.uint8).expand(1, 3, 1, 256)
        return {"table": add_colors(levels, random_colors(torch.rand(1, 3), self.std)).flatten().tolist()}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Add it."""
        return inpt.point(params["table"])


def lighting_transforms(std: float) -> list[v2.Transform]:
    """``Lighting``, unless ``std`` is 0."""
    return [Lighting(std)] if std else []
