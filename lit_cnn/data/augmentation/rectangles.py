"""Rectangles of random area and aspect ratio, tried as torchvision tries them: what random resized crop cuts out and
random erasing fills."""

import math

import torch
from torch import Tensor

ATTEMPTS = 10
"""Rectangles that are tried before falling back, as in torchvision."""


def random_sides(
    draws: Tensor, scale: tuple[float, float], ratio: tuple[float, float], area: int
) -> tuple[Tensor, Tensor]:
    """Two side lengths in pixels (N, ATTEMPTS), whose quotient first / second is log-uniform in ``ratio``.

    Args:
        draws: uniform numbers (N, ATTEMPTS, 2 or more) in [0, 1), of which the first decides on the area and the second
            on the quotient.
        scale: smallest and largest share of ``area``.
        ratio: smallest and largest quotient.
        area: pixels of the image.
    """
    target = area * (scale[0] + (scale[1] - scale[0]) * draws[..., 0].double())
    low, high = math.log(ratio[0]), math.log(ratio[1])
    quotient = torch.exp(low + (high - low) * draws[..., 1].double())
    return (target * quotient).sqrt().round().long(), (target / quotient).sqrt().round().long()


def first_fitting(fits: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) number of the first true attempt and whether there is one, of (N, ATTEMPTS)."""
    return fits.int().argmax(1), fits.any(1)
