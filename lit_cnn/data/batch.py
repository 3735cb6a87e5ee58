"""The batch every loader yields, every hook passes on and every step consumes."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

PADDING = -1
"""``index`` of a sample that stands for none."""
SKIPPED = -2
"""``index`` of a sample whose file cannot be decoded, under ``data.on_error: skip``."""


class Batch(NamedTuple):
    """One micro-batch of N samples.

    Attributes:
        images: (N, C, H, W); uint8 when it leaves the loader, normalized float in channels_last after
            ``ImageData.on_after_batch_transfer``.
        targets: class indices (N,) int64; after mixing (N, K) float32 on the simplex (under ``mixing.first`` when it
            leaves the loader).
        index: (N,) int64, row in the source split; negative (``PADDING``, ``SKIPPED``) where no loss or metric may
            count the sample.
        position: (N,) int64, position in the global batch of the optimizer step (the key of dropout and drop path).
        weight: float32 scalar, the factor on this micro-batch's mean loss that makes the average over ranks and
            accumulation the mean over the global batch: n_local * world_size * accumulation / n_global.
    """

    images: Tensor
    targets: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    position: Tensor
    weight: Tensor


LARGEST = 1 << 20
"""Samples of a micro-batch of another loader at most, whose positions are counted in steps of it."""


def as_batch(batch: Any, place: int) -> Batch:
    """A batch of ours as it is; of another loader's pair a batch whose every sample counts once.

    Args:
        batch: A ``Batch``, or images (N, C, H, W), floating point as the network takes them, and targets: classes (N,),
            or (N, K) on the simplex.
        place: Number of the micro-batch among those of all processes in an optimizer step, which distinguishes the
            keys of its samples from those of the others.

    Raises:
        ValueError: If it is anything else, saying what was found, or its images are not normalized.
    """
    if isinstance(batch, Batch):
        if not batch.images.is_floating_point():
            raise ValueError(
                "a loader of an ImageData gives pixels that are not yet normalized: pass the ImageData itself to the "
                "trainer, as datamodule"
            )
        return batch
    if not isinstance(batch, (list, tuple)) or len(batch) != 2 or not all(isinstance(part, Tensor) for part in batch):
        raise ValueError(f"a loader must give pairs of tensors (images, targets), got {type(batch).__name__}")
    images, targets = batch
    if not images.is_floating_point():
        raise ValueError(f"a loader's images must be floating point as the network takes them, got {images.dtype}")
    rows = torch.arange(len(images), device=images.device)
    return Batch(images, targets, rows, rows + place * LARGEST, torch.ones((), device=images.device))
