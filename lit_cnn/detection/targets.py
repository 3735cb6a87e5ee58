"""What the boxes of a batch ask of a dense head, and by what its losses are divided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lit_cnn.detection.boxes import BoxBatch

IGNORED = -2
"""Match of an anchor that no loss counts."""
BACKGROUND = -1
"""Match of an anchor without an object."""

Normalizer = Literal["image", "batch", "global"]
"""By which number of matched anchors the sum of losses is divided: the image's own, with the mean over images (as
torchvision's RetinaNet); that of the process's batch (as its FCOS); that of the batches of all processes, by which the
loss does not depend on how many there are."""


class ImageBoxes(NamedTuple):
    """True boxes of one image: (M, 4) float32, labels (M,) as the head's columns, shares (M,)."""

    boxes: Tensor
    labels: Tensor
    shares: Tensor


@dataclass(frozen=True)
class Assignment:
    """What each of the A anchors of N images is to say.

    Attributes:
        positive: (N, A) bool, whether it has an object.
        labels: (N, A) int64, columns of their classes; 0 where it has none.
        boxes: (N, A, 4) float32, its true box; zeros where it has none.
        weights: (N, A) float32, its weight in every loss: the box's share, 1 for background, 0 where it is ignored or
            its image does not count.
    """

    positive: Tensor
    labels: Tensor
    boxes: Tensor
    weights: Tensor

    def classes(self, logits: Tensor) -> Tensor:
        """1 in the columns of ``logits`` (N, A, K) of the anchors' classes, else 0."""
        wanted = torch.zeros_like(logits)
        wanted[self.positive, self.labels[self.positive]] = 1.0
        return wanted


def split_images(batch: BoxBatch, first_label: int) -> list[ImageBoxes]:
    """The boxes of each image of ``batch``; none in an image that no loss may count.

    Args:
        first_label: Column of class 0.
    """
    counted = batch.index[batch.rows] >= 0
    counts = torch.bincount(batch.rows[counted], minlength=len(batch.index)).tolist()
    parts = [part[counted] for part in (batch.boxes.float(), batch.labels + first_label, batch.shares.float())]
    return [ImageBoxes(*image) for image in zip(*(part.split(counts) for part in parts), strict=True)]


def assign(matches: Sequence[Tensor], images: Sequence[ImageBoxes], valid: Tensor) -> Assignment:
    """Gather the box of each anchor.

    Args:
        matches: For each image (A,) int64: number of the box, BACKGROUND or IGNORED.
        images: Their boxes.
        valid: (N,) bool, whether a loss may count the image.
    """
    labels, boxes, weights = [], [], []
    for match, image in zip(matches, images, strict=True):
        positive, row = match >= 0, match.clamp(min=0)
        if len(image.boxes) == 0:  # nothing to gather from
            image = ImageBoxes(match.new_zeros(1, 4).float(), match.new_zeros(1), match.new_ones(1).float())
        labels.append(torch.where(positive, image.labels[row], 0))
        boxes.append(torch.where(positive[:, None], image.boxes[row], 0.0))
        weights.append(torch.where(positive, image.shares[row], (match == BACKGROUND).float()))
    weight = torch.stack(weights) * valid[:, None]
    return Assignment(torch.stack(list(matches)) >= 0, torch.stack(labels), torch.stack(boxes), weight)


def image_factors(assignment: Assignment, valid: Tensor, normalizer: Normalizer, *, synchronize: bool) -> Tensor:
    """(N,) float32: what the sum of the losses of each image is multiplied by before the images are added.

    Matched anchors count by the share of their box, at least 1 in all. Under ``global`` the mean of the processes'
    losses, each weighted by its number of images, is the sum over all images by the number of all matched anchors.

    Args:
        assignment: Of the batch.
        valid: (N,) bool, whether a loss may count the image.
        normalizer: Over what objects are counted.
        synchronize: Whether ``global`` asks the other processes; all of them must ask then.
    """
    return count_factors((assignment.weights * assignment.positive).sum(1), valid, normalizer, synchronize=synchronize)


def count_factors(objects: Tensor, valid: Tensor, normalizer: Normalizer, *, synchronize: bool) -> Tensor:
    """``image_factors`` by the numbers (N,) of what is counted in each image."""
    images = valid.sum().clamp(min=1).float()
    if normalizer == "image":
        return valid / (objects.clamp(min=1.0) * images)
    total, everywhere = objects.sum(), images
    if normalizer == "global" and synchronize and torch.distributed.is_initialized():
        both = torch.stack([total, valid.sum().float()])
        torch.distributed.all_reduce(both)
        total, everywhere = both[0], both[1].clamp(min=1.0)
    return valid * (everywhere / images) / total.clamp(min=1.0)
