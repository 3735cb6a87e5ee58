"""From scored boxes to detections: the score threshold, the best of each level, non-maximum suppression."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import batched_nms, clip_boxes_to_image

from lit_cnn.detection.boxes import Detections


@dataclass(frozen=True)
class DecodingSettings:
    """Which of a detector's boxes are kept.

    Args:
        score_threshold: Boxes of a lower score are left out; mean average precision needs 0.05 or less.
        nms_threshold: Of two boxes of a class whose IoU is larger, the one with the lower score is left out.
        max_detections: At most so many per image, the best.
        candidates: At most so many per level of the pyramid before the suppression.
    """

    score_threshold: float = 0.05
    nms_threshold: float = 0.5
    max_detections: int = 100
    candidates: int = 1000

    def __post_init__(self) -> None:
        for name in ("score_threshold", "nms_threshold"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"decoding.{name} must be in [0, 1], got {getattr(self, name)}")
        for name in ("max_detections", "candidates"):
            if getattr(self, name) < 1:
                raise ValueError(f"decoding.{name} must be at least 1, got {getattr(self, name)}")


class LevelBoxes(NamedTuple):
    """What a head says of one level of the pyramid and one image.

    Attributes:
        scores: (A, K) float32 in [0, 1], of each class.
        boxes: (A, 4) float32 in pixels of the canvas, or (A, K, 4) where each class has a box of its own.
    """

    scores: Tensor
    boxes: Tensor


def by_level(scores: Iterable[Tensor], boxes: Iterable[Tensor], anchors: Sequence[Tensor]) -> list[list[LevelBoxes]]:
    """What a head says of N images at the A anchors of all levels, as what it says of each level.

    Args:
        scores: (A, K) of each image.
        boxes: (A, 4) of each image.
        anchors: (A_level, 4) of each level.
    """
    sizes = [len(level) for level in anchors]
    return [
        [LevelBoxes(*level) for level in zip(*(part.split(sizes) for part in image), strict=True)]
        for image in zip(scores, boxes, strict=True)
    ]


def select(levels: Sequence[LevelBoxes], canvas: tuple[int, int], settings: DecodingSettings) -> Detections:
    """The detections of one image.

    Args:
        levels: Of the pyramid, any number.
        canvas: Height and width in pixels, to which boxes are clipped.
        settings: What is kept.
    """
    kept = [_candidates(level, settings) for level in levels]
    boxes, scores, labels = (torch.cat(parts) for parts in zip(*kept, strict=True))
    boxes = clip_boxes_to_image(boxes, canvas)
    best = batched_nms(boxes, scores, labels, settings.nms_threshold)[: settings.max_detections]
    return Detections(boxes[best], scores[best], labels[best])


def _candidates(level: LevelBoxes, settings: DecodingSettings) -> tuple[Tensor, Tensor, Tensor]:
    """(boxes, scores, labels) of the best pairs of box and class."""
    flat = level.scores.flatten()
    above = torch.where(flat > settings.score_threshold)[0]
    scores, order = flat[above].topk(min(settings.candidates, len(above)))
    pairs, classes = above[order], level.scores.shape[1]
    rows, labels = torch.div(pairs, classes, rounding_mode="floor"), pairs % classes
    boxes = level.boxes[rows] if level.boxes.dim() == 2 else level.boxes[rows, labels]
    return boxes, scores, labels
