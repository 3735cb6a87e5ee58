"""PCA colour noise (Krizhevsky et al. 2012, section 4.1): one random colour is added to all pixels of an image."""

import torch
from torch import Tensor

# Principal components of ImageNet's RGB pixels in [0, 1] (fb.resnet.torch, datasets/imagenet.lua); a column of
# EIGENVECTORS is a component, EIGENVALUES[k] the weight of column k.
EIGENVALUES = torch.tensor([0.2175, 0.0188, 0.0045])
EIGENVECTORS = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def colours(draws: Tensor, std: float) -> Tensor:
    """Offsets (N, 3) of red, green and blue in levels of 0 to 255, from uniform draws (N, 3) in [0, 1)."""
    shares = torch.special.ndtri(draws.double().clamp(min=2.0**-25)).float() * std
    return 255.0 * (shares * EIGENVALUES) @ EIGENVECTORS.T


def add_colours(images: Tensor, offsets: Tensor) -> Tensor:
    """Add to each uint8 image (N, 3, H, W) its colour (N, 3), rounded and clamped to uint8."""
    return (images.float() + offsets[:, :, None, None]).round().clamp(0, 255).to(torch.uint8)
