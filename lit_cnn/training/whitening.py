"""A first convolution that whitens: its filters are the principal components of the training images' patches.

Natural images spread their variance over few directions; a network that starts with all of them scaled equally need not
learn to do so. Jordan 2024 (arXiv:2404.00498) starts CIFAR networks so and keeps the layer fixed.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

CHUNK = 64
"""Images whose patches are in memory at a time …"""
CHUNK_NUMBERS = 1 << 24
"""… or fewer where so many patches would have more numbers than this, of 8 bytes each."""
EPSILON = 5e-4
"""Added to each component's variance, so that the smallest are not amplified into noise (Jordan's constant)."""


def principal_components(images: Tensor, kernel: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Of all patches of ``kernel`` = (height, width) px, about no mean, in float64.

    Args:
        images: (N, C, H, W), normalized, no smaller than the kernel.
        kernel: Height and width of a patch.

    Returns:
        Variances (D,) in decreasing order and orthonormal components (D, C, height, width); D = C * height * width.
    """
    height, width = kernel
    size = images.shape[1] * height * width
    products, count = torch.zeros(size, size, dtype=torch.float64), 0
    for part in images.split(images_at_a_time(images.shape[2:], size)):
        windows = part.double().unfold(2, height, 1).unfold(3, width, 1)
        patches = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, size)
        products += patches.T @ patches
        count += len(patches)
    variances, vectors = torch.linalg.eigh(products / count)
    return variances.flip(0), vectors.T.flip(0).reshape(-1, images.shape[1], height, width)


def images_at_a_time(sides: Sequence[int], size: int) -> int:
    """How many images of ``sides`` = (H, W) have their patches of ``size`` numbers each, one per pixel, in memory."""
    return min(CHUNK, max(1, CHUNK_NUMBERS // (math.prod(sides) * size)))


@torch.no_grad()
def whiten_first_convolution(network: nn.Module, images: Tensor) -> str:
    """Set the first convolution's filters to the components, each followed by its negative, and keep them fixed.

    Filter 2i is component i over the square root of its variance, filter 2i + 1 its negative; filters beyond twice the
    components keep their random start. A bias becomes zero.

    Args:
        network: Its first convolution must not be grouped.
        images: (N, C, H, W) training images as the network sees them in evaluation.

    Returns:
        A sentence that says what was done.

    Raises:
        ValueError: If there is no such convolution.
    """
    convolution = first_convolution(network)
    height, width = convolution.kernel_size
    variances, components = principal_components(images, (height, width))
    filters = components / (variances + EPSILON).sqrt()[:, None, None, None]
    pairs = torch.stack((filters, -filters), dim=1).flatten(0, 1)[: convolution.out_channels]
    convolution.weight[: len(pairs)] = pairs.to(convolution.weight)
    if convolution.bias is not None:
        convolution.bias.zero_()
    fix_first_convolution(network)
    share = float(variances[: (len(pairs) + 1) // 2].sum() / variances.sum())
    return (
        f"the first convolution whitens patches of {height} x {width} px with {len(pairs)} fixed filters "
        f"({100 * share:.2f} % of the variance of {len(images)} images)"
    )


def fix_first_convolution(network: nn.Module) -> None:
    """Keep the optimizer from changing its filters; a bias stays free."""
    first_convolution(network).weight.requires_grad_(False)


def first_convolution(network: nn.Module) -> nn.Conv2d:
    """The first in the order of the modules.

    Raises:
        ValueError: If there is none, or if it is grouped, so that no filter sees all channels.
    """
    found = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    if found is None or found.groups != 1:
        raise ValueError("initial.whitening needs a network that begins with an ungrouped convolution")
    return found
