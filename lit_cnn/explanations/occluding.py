"""Occlusion: which parts of an image a network needs, found by covering them.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, arXiv:1311.2901, section 4.2. It asks
nothing of the network but its answers, and costs a pass for each place of the patch.
"""

import torch
from torch import Tensor, nn

from lit_cnn.pretrained.order import kept_mode

BATCH_SIZE = 64


@torch.no_grad()
def occlusion(
    network: nn.Module,
    images: Tensor,
    classes: Tensor,
    *,
    size: int,
    stride: int,
    fill: float = 0.0,
    batch_size: int = BATCH_SIZE,
) -> Tensor:
    """How far the probability of a class falls while a square patch covers a pixel, averaged over its places there.

    Args:
        network: Any classifier, on the images' device; it is run in evaluation mode, and left in its own.
        images: (N, C, H, W) in the network's units.
        classes: int64 (N, M), the classes of each image that are asked for.
        size: Side of the patch in pixels of ``images``.
        stride: Pixels from one place to the next, at most ``size``; the last place ends at the image's edge.
        fill: Level of the patch in the network's units; 0 is the mean color of the training images.
        batch_size: Covered images in one pass.

    Returns:
        (N, M, H, W) in [-1, 1]: the probability without the patch less that with it; negative where it rises.

    Raises:
        ValueError: If the patch is larger than the images, or leaves pixels out.
    """
    height, width = images.shape[-2:]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"the patch is {size} px wide but must have 1 to {min(height, width)}, the image's side")
    if not 1 <= stride <= size:
        raise ValueError(
            f"the stride is {stride} px but must be 1 to {size}, the patch's side, so that no pixel is left"
        )
    places = [(top, left) for top in _starts(height, size, stride) for left in _starts(width, size, stride)]
    totals = images.new_zeros(*classes.shape, height, width)
    covers = images.new_zeros(height, width)
    for top, left in places:
        covers[top : top + size, left : left + size] += 1
    classes = classes.to(images.device)
    with kept_mode(network):
        network.eval()
        for image, asked, total in zip(images, classes, totals, strict=True):
            whole = network(image[None]).softmax(dim=1)[0, asked]
            for start in range(0, len(places), batch_size):
                chosen = places[start : start + batch_size]
                covered = network(_covered(image, chosen, size, fill)).softmax(dim=1)[:, asked]
                for (top, left), drop in zip(chosen, whole - covered, strict=True):
                    total[:, top : top + size, left : left + size] += drop[:, None, None]
    return totals / covers


def _starts(side: int, size: int, stride: int) -> list[int]:
    """Where patches begin along a side."""
    return sorted({*range(0, side - size + 1, stride), side - size})


def _covered(image: Tensor, places: list[tuple[int, int]], size: int, fill: float) -> Tensor:
    """The image (C, H, W) once for each place, covered there."""
    copies = image.expand(len(places), *image.shape).clone(memory_format=torch.contiguous_format)
    for copy, (top, left) in zip(copies, places, strict=True):
        copy[:, top : top + size, left : left + size] = fill
    return copies.contiguous(memory_format=torch.channels_last)
