"""mixup for detection (Zhang et al. 2019, "Bag of freebies for training object detection neural networks",
arXiv:1902.04103): two canvases are blended, and the boxes of both remain, weighted by the shares.

The share is drawn per image, as there, keyed by (seed, step, position in the global batch), and the partner is that of
the classification's mixing, position XOR 1: the result does not depend on the number of ranks or accumulated batches.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup, blend_images, draw_images, partners, positions_of
from lit_cnn.data.settings import require, require_probability
from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.upload import upload


@dataclass(frozen=True)
class BoxMixup:
    """mixup for detection (Zhang et al. 2019): convex combinations of two images, with the boxes of both, each weighted
    in the loss by its image's share.

    Args:
        alpha: the share that an image keeps is drawn from Beta(alpha, alpha), for each image; 0 is off. The paper has
            1.5.
        probability: share of the images that mix.
        stop_epoch: first epoch without mixup; null mixes to the end. The paper's code stops 20 epochs before it.
    """

    alpha: float = 0.0
    probability: float = 1.0
    stop_epoch: int | None = None

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "mixup.alpha", self.alpha, "0 (off) or positive")
        require_probability("mixup.probability", self.probability)
        valid = self.stop_epoch is None or self.stop_epoch >= 0
        require(valid, "mixup.stop_epoch", self.stop_epoch, "null or an epoch number")

    def active(self, epoch: int) -> bool:
        """Whether the batches of an epoch are mixed."""
        return self.alpha > 0 and (self.stop_epoch is None or epoch < self.stop_epoch)


def mix_boxes(batch: BoxBatch, mixup: BoxMixup, key: tuple[int, int], global_batch: int | None = None) -> BoxBatch:
    """Mix a micro-batch of the optimizer step ``key`` = (seed, step).

    Args:
        batch: images float or uint8; those with a negative index, and an odd last one, stay as they are.
        mixup: settings, of which ``stop_epoch`` is the caller's to follow.
        key: seed and optimizer step.
        global_batch: images of an optimizer step; without it the device is waited for to read the positions.

    Returns:
        The batch with images of the same shape and type. The boxes of an image are its own, with the share that it
        keeps, and then its partner's, with the rest.
    """
    if mixup.alpha == 0 or not len(batch.images):
        return batch
    partner = partners(batch.index)
    count = positions_of(batch.position, global_batch)
    drawn = draw_images(key, count, Mixup(mixup.alpha, mixup.probability), CutMix(), Mixing())
    share = upload(torch.from_numpy(drawn.share).float(), batch.images.device)[batch.position]
    share = torch.where(partner == torch.arange(len(partner), device=partner.device), 1.0, share)
    images = blend_images(batch.images[partner], batch.images, share.view(-1, 1, 1, 1))
    return _with_boxes_of_both(batch._replace(images=images), partner, share)


def _with_boxes_of_both(batch: BoxBatch, partner: Tensor, share: Tensor) -> BoxBatch:
    """The batch with each box also in its image's ``partner`` (N,), where the ``share`` (N,) of that leaves a rest."""
    own, other = batch.rows, partner[batch.rows]
    lent = (share[other] < 1).nonzero()[:, 0]
    rows = torch.cat([own, other[lent]])
    order = rows.argsort(stable=True)
    shares = torch.cat([batch.shares * share[own], (batch.shares * (1 - share[other]))[lent]])
    source = torch.cat([torch.arange(len(own), device=own.device), lent])[order]
    return batch._replace(
        boxes=batch.boxes[source], labels=batch.labels[source], rows=rows[order], shares=shares[order]
    )
