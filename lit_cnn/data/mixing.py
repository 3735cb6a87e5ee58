"""mixup (Zhang et al. 2017) and CutMix (Yun et al. 2019) on a whole batch, with targets on the simplex.

One share lambda is drawn per optimizer step, as in both papers' code, keyed by (seed, step) alone. The partner of the
sample at position p is p XOR 1 of the shuffled batch, which never crosses a micro-batch of even size: the result does
not depend on the number of ranks or accumulated batches.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lit_cnn.data.mixing_settings import CutMix, Mixing, Mixup
from lit_cnn.randomness import derive_key


class Draw(NamedTuple):
    """What one optimizer step does: ``method``, and the share each image keeps of itself (before CutMix clips)."""

    method: str
    share: float
    center: tuple[float, float]


def draw(key: tuple[int, int], mixup: Mixup, cutmix: CutMix, mixing: Mixing) -> Draw:
    """The decision of the optimizer step ``key`` = (seed, step): method "mixup", "cutmix" or "none"."""
    random = np.random.default_rng(derive_key(*key, "mixing") & 0xFFFFFFFFFFFFFFFF)
    switch, apply, row, column = random.random(4).tolist()
    both = mixup.alpha > 0 and cutmix.alpha > 0
    use_cutmix = switch < mixing.switch_probability if both else cutmix.alpha > 0
    alpha, probability = (cutmix.alpha, cutmix.probability) if use_cutmix else (mixup.alpha, mixup.probability)
    if alpha == 0 or apply >= probability:
        return Draw("none", 1.0, (row, column))
    return Draw("cutmix" if use_cutmix else "mixup", float(random.beta(alpha, alpha)), (row, column))


def cutmix_box(height: int, width: int, share: float, center: tuple[float, float]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of a box with sides sqrt(1 - share) of the image's, clipped at the border.

    ``center`` holds two uniform draws in [0, 1) for the box's centre over all pixels.
    """
    box_height, box_width = (int(side * math.sqrt(1.0 - share)) for side in (height, width))
    row, column = int(center[0] * height), int(center[1] * width)
    top, left = row - box_height // 2, column - box_width // 2
    return max(top, 0), min(top + box_height, height), max(left, 0), min(left + box_width, width)


def partners(index: Tensor) -> Tensor:
    """(N,) local partner of each sample: i XOR 1; an odd last one takes 0; padding (index -1) keeps to itself."""
    own = torch.arange(len(index), device=index.device)
    partner = own ^ 1
    partner = torch.where(partner < len(index), partner, torch.zeros_like(partner))
    valid = (index >= 0) & (index[partner] >= 0)
    return torch.where(valid, partner, own)


def mix(
    images: Tensor,
    targets: Tensor,
    index: Tensor,
    num_classes: int,
    key: tuple[int, int],
    mixup: Mixup,
    cutmix: CutMix,
    mixing: Mixing,
) -> tuple[Tensor, Tensor]:
    """Mix a micro-batch of the optimizer step ``key`` = (seed, step).

    Args:
        images: (N, C, H, W) float or uint8.
        targets: (N,) int64 class indices.
        index: (N,) int64 rows of the split; samples with -1 stay as they are.
        num_classes: K.
        key: seed and optimizer step.
        mixup: settings of mixup.
        cutmix: settings of CutMix.
        mixing: how the two share the steps.

    Returns:
        Images of the same shape and type, and targets (N, K) float32; both unchanged in a step that does not mix.
    """
    step = draw(key, mixup, cutmix, mixing)
    if step.method == "none":
        return images, targets
    partner, share = partners(index), step.share
    if step.method == "mixup":
        mixed = torch.lerp(images[partner].float(), images.float(), share) if images.dtype == torch.uint8 else None
        images = mixed.round().to(torch.uint8) if mixed is not None else torch.lerp(images[partner], images, share)
    else:
        height, width = images.shape[-2:]
        top, bottom, left, right = cutmix_box(height, width, share, step.center)
        share = 1.0 - (bottom - top) * (right - left) / (height * width)
        pasted = images[partner, :, top:bottom, left:right]
        images = images.clone()
        images[:, :, top:bottom, left:right] = pasted
    one_hot = functional.one_hot(targets, num_classes).float()
    return images, torch.lerp(one_hot[partner], one_hot, share)
