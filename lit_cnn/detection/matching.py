"""Which detections are correct: true boxes and found boxes of an image matched, and counted by class.

The rule is Pascal VOC's: each detection belongs to the true box of its class that it overlaps most; it is correct if
their IoU is at least 0.5 and no detection of a higher score has that box. What belongs to a difficult object is neither
correct nor wrong, nor is what would be wrong and lies in a crowd of its class by at least half of its area: a crowd is
a region of many objects, and COCO asks for that share of a detection instead of the IoU.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from lit_cnn.detection.boxes import AnnotatedImage, AnnotatedSplit, Detections
from lit_cnn.detection.canvas import box_areas
from lit_cnn.detection.gathering import Found

IOU = 0.5
"""Overlap from which on a box counts as found; and share of a detection's area from which on it lies in a crowd."""
CORRECT, WRONG, IGNORED = 1, 0, -1
"""Outcomes of a detection."""


@dataclass(frozen=True, eq=False)
class ClassMatches:
    """All detections of one class.

    Attributes:
        scores: (D,) float32, falling.
        correct: (D,) bool; ignored detections are left out.
        objects: True objects, without difficult ones and crowds.
    """

    scores: np.ndarray
    correct: np.ndarray
    objects: int

    @property
    def found(self) -> np.ndarray:
        """(D,) int64, objects found by the detections up to each."""
        return np.cumsum(self.correct, dtype=np.int64)

    @property
    def precision(self) -> np.ndarray:
        """(D,) of the detections up to each."""
        return self.found / np.arange(1, len(self.correct) + 1)

    @property
    def recall(self) -> np.ndarray:
        """(D,) of the detections up to each; 0 where there is no object."""
        return self.found / max(self.objects, 1)

    @property
    def f1(self) -> np.ndarray:
        """(D,) harmonic mean of precision and recall of the detections up to each."""
        return 2 * self.found / (np.arange(1, len(self.correct) + 1) + self.objects)


class Outcomes(NamedTuple):
    """Detections of an image matched with its true boxes.

    Attributes:
        detections: (D,) int8, CORRECT, WRONG or IGNORED.
        found: (M,) bool, the true boxes that a detection has.
    """

    detections: np.ndarray
    found: np.ndarray


def outcomes(image: AnnotatedImage, found: Detections) -> Outcomes:
    """Match what was found in an image, by falling score, with the truth."""
    result = np.full(len(found.scores), WRONG, dtype=np.int8)
    taken = np.zeros(len(image.labels), dtype=bool)
    if not len(taken) or not len(result):
        return Outcomes(result, taken)
    overlaps = box_iou(found.boxes, _boxes(image))
    same = found.labels[:, None] == torch.tensor(image.labels)
    overlaps[~same | torch.tensor(image.crowd)] = -1
    overlap, nearest = (each.numpy() for each in overlaps.max(dim=1))
    belongs, ignored = overlap >= IOU, image.difficult[nearest]
    counted = np.flatnonzero(belongs & ~ignored)
    objects, first = np.unique(nearest[counted], return_index=True)
    result[counted[first]], taken[objects] = CORRECT, True
    result[belongs & ignored] = IGNORED
    result[(result == WRONG) & _in_crowd(image, found)] = IGNORED
    return Outcomes(result, taken)


def not_counted(image: AnnotatedImage) -> np.ndarray:
    """(M,) bool: the true boxes that are neither found nor missed."""
    return image.difficult | image.crowd


def match_classes(split: AnnotatedSplit, found: Found) -> list[ClassMatches]:
    """The detections of each class in the images that were seen."""
    classes = len(split.class_names)
    images = [(split.images[row], each) for row, each in found.items()]
    outcome = np.concatenate(
        [np.zeros(0, dtype=np.int8), *(outcomes(image, each).detections for image, each in images)]
    )
    scores = np.concatenate([np.zeros(0, dtype=np.float32), *(each.scores.numpy() for _, each in images)])
    labels = np.concatenate([np.zeros(0, dtype=np.int64), *(each.labels.numpy() for _, each in images)])
    objects = np.zeros(classes, dtype=np.int64)
    for image, _ in images:
        objects += np.bincount(image.labels[~not_counted(image)], minlength=classes)
    order = np.argsort(-scores, kind="stable")
    order = order[outcome[order] != IGNORED]
    chosen = [order[labels[order] == label] for label in range(classes)]
    return [
        ClassMatches(scores[rows], outcome[rows] == CORRECT, int(n)) for rows, n in zip(chosen, objects, strict=True)
    ]


def confusion_with_background(split: AnnotatedSplit, found: Found) -> np.ndarray:
    """(K + 1, K + 1) int64: true class by found class, the last of each being the background.

    In each image, true boxes are first given to detections of their class and then, of what is left, to those of
    another class, by falling score and with an IoU of at least 0.5. Objects that nobody has are found as background; a
    detection without an object is a find on background, unless it overlaps a difficult object that much or lies in a
    crowd of its class.
    """
    classes = len(split.class_names)
    counts = np.zeros((classes + 1, classes + 1), dtype=np.int64)
    for row, each in found.items():
        np.add.at(counts, tuple(_pairs(split.images[row], each, background=classes)), 1)
    return counts


def _pairs(image: AnnotatedImage, found: Detections, background: int) -> np.ndarray:
    """(2, P): true and found class of the objects and detections of an image."""
    ignored, said = not_counted(image), found.labels.numpy()
    overlaps = box_iou(found.boxes, _boxes(image)).numpy()
    same = said[:, None] == image.labels
    taken_by = np.full(len(image.labels), -1)
    free = np.ones(len(said), dtype=bool)
    for allowed in (same, ~same):
        for detection in np.flatnonzero(free):
            open_to = np.where(allowed[detection] & (taken_by < 0) & ~ignored, overlaps[detection], -1)
            if open_to.size and open_to.max() >= IOU:
                taken_by[open_to.argmax()], free[detection] = detection, False
    excused = (overlaps[:, image.difficult] >= IOU).any(axis=1) | _in_crowd(image, found)
    taken = taken_by >= 0
    missed, alone = image.labels[~taken & ~ignored], said[free & ~excused]
    true = np.concatenate([image.labels[taken], missed, np.full(len(alone), background)])
    answer = np.concatenate([said[taken_by[taken]], np.full(len(missed), background), alone])
    return np.stack([true, answer])


def _in_crowd(image: AnnotatedImage, found: Detections) -> np.ndarray:
    """(D,) bool: the detections of whose area at least ``IOU`` is in one crowd of their class."""
    crowds, labels = _boxes(image)[image.crowd], torch.tensor(image.labels[image.crowd])
    low = torch.maximum(found.boxes[:, None, :2], crowds[:, :2])
    high = torch.minimum(found.boxes[:, None, 2:], crowds[:, 2:])
    shares = (high - low).clamp(min=0).prod(dim=2) / box_areas(found.boxes)[:, None]
    return ((shares >= IOU) & (found.labels[:, None] == labels)).any(dim=1).numpy()


def _boxes(image: AnnotatedImage) -> Tensor:
    return torch.tensor(image.boxes)
