"""What passes between the parts of a detector: annotated images, batches of them, and what was found.

Every box is (left, top, right, bottom) in pixels, float32, where the image spans [0, width] x [0, height]: a box around
all of it is (0, 0, width, height). Labels count the classes from 0, whatever a file or a loss counts from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from torch import Tensor


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One image and its true boxes, in pixels of the file.

    Attributes:
        path: File, below the root of its ``AnnotatedSplit``, with forward slashes.
        width: Of the image in pixels, as the decoder gives it (after EXIF rotation).
        height: Of the image in pixels.
        boxes: (M, 4) float32.
        labels: (M,) int64 from 0 to K - 1.
        difficult: (M,) bool, Pascal VOC's: neither found nor missed in its metric; trained on.
        crowd: (M,) bool, COCO's ``iscrowd``: a region, not an object; ignored in training and metric.
        areas: (M,) float32, in square pixels of the file: COCO's area of the mask where stated, else the box's.
        image_id: What results name the image by: COCO's id, else the name of the file without its ending.
    """

    path: str
    width: int
    height: int
    boxes: np.ndarray
    labels: np.ndarray
    difficult: np.ndarray
    crowd: np.ndarray
    areas: np.ndarray
    image_id: int | str


@dataclass(frozen=True, eq=False)
class AnnotatedSplit:
    """The annotated images of one split.

    Attributes:
        root: Folder of the files.
        images: In a fixed order, which ``BoxBatch.index`` counts.
        class_names: K names in the order of the labels.
        category_ids: What results call each class: COCO's ids, which may have gaps; else 1 to K.
        findings: What is wrong with the annotations, by kind such as "degenerate box", each a list of sentences that
            name file and box. Nothing is left out that is not counted here.
    """

    root: str
    images: Sequence[AnnotatedImage]
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    findings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)


class BoxBatch(NamedTuple):
    """One micro-batch of N images on the recipe's canvas with M boxes in all.

    Attributes:
        images: (N, 3, H, W) of the canvas; uint8 when it leaves the loader, normalized float in channels_last after
            ``DetectionData.on_after_batch_transfer``.
        boxes: (M, 4) float32 in pixels of the canvas.
        labels: (M,) int64 from 0 to K - 1.
        rows: (M,) int64, the image of each box, ascending: from 0 to N - 1.
        shares: (M,) float32, weight of each box in the loss: 1, or what mixup gives its image.
        scales: (N,) float32, pixels of the canvas per pixel of the file: (box of the canvas - offset) / scale is the
            file's.
        offsets: (N, 2) float32, (x, y) on the canvas of the file's top left corner.
        index: (N,) int64, row of the split; negative where no loss or metric may count the image.
        position: (N,) int64, position in the global batch of the optimizer step.
        weight: float32 scalar, as ``Batch.weight``.
    """

    images: Tensor
    boxes: Tensor
    labels: Tensor
    rows: Tensor
    shares: Tensor
    scales: Tensor
    offsets: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    position: Tensor
    weight: Tensor


class Detections(NamedTuple):
    """What was found in one image, best first.

    Attributes:
        boxes: (D, 4) float32, in pixels of the canvas as the network gives them, of the file once ``to_file`` was
            applied.
        scores: (D,) float32 in [0, 1], descending.
        labels: (D,) int64 from 0 to K - 1.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
