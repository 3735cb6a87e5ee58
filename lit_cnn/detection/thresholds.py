"""From a score for everything to boxes one would show: thresholds chosen on images that were not trained on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torchvision.ops import batched_nms

from lit_cnn.detection.boxes import AnnotatedSplit, Detections
from lit_cnn.detection.gathering import Found
from lit_cnn.detection.matching import ClassMatches, match_classes

NMS_GRID = (0.3, 0.4, 0.45, 0.5, 0.6, 0.7)
"""Overlaps that are tried."""
UNCHOSEN = 0.3
"""Score threshold of a class of which no detection is correct, and of all where no validation has chosen."""


@dataclass(frozen=True)
class Thresholds:
    """What is shown of the detections.

    Args:
        score: Least score of each class, K numbers.
        nms: Largest IoU of two boxes of a class that are both shown.
        chosen_on: The images that they were chosen on, such as "val, 87 images".
    """

    score: tuple[float, ...]
    nms: float
    chosen_on: str

    def apply(self, found: Detections) -> Detections:
        """The detections that are shown, still by falling score."""
        least = torch.tensor(self.score, device=found.scores.device)[found.labels]
        return suppressed(_taken(found, found.scores >= least), self.nms)

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint, in built-in types."""
        return {**asdict(self), "score": list(self.score)}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Thresholds":
        """The inverse of ``as_dict``."""
        return cls(tuple(stored["score"]), stored["nms"], stored["chosen_on"])


def unchosen(classes: int, nms: float) -> Thresholds:
    """Where no validation has chosen any."""
    return Thresholds((UNCHOSEN,) * classes, nms, "no images")


def suppressed(found: Detections, nms: float) -> Detections:
    """Without the boxes that overlap a better one of their class by an IoU above ``nms``."""
    kept = batched_nms(found.boxes.float(), found.scores.float(), found.labels, nms)
    return _taken(found, kept)


def choose_thresholds(
    split: AnnotatedSplit, found: Found, chosen_on: str, grid: Sequence[float] = NMS_GRID
) -> Thresholds:
    """The NMS threshold with the highest mean of the classes' best F1, and the score of each class where it is reached.

    Args:
        split: The truth.
        found: Detections of its images, of which NMS has left more than is to be shown: no larger threshold than
            theirs can be chosen.
        chosen_on: What the images are called.
        grid: NMS thresholds to try; of equally good ones the first is taken.
    """
    tried = []
    for nms in grid:
        matches = match_classes(split, {row: suppressed(each, nms) for row, each in found.items()})
        best = [float(each.f1.max(initial=0)) for each in matches if each.objects]
        tried.append((float(np.mean(best)) if best else 0.0, nms, matches))
    _, nms, matches = max(tried, key=lambda each: each[0])
    return Thresholds(tuple(best_score(each) for each in matches), nms, chosen_on)


def best_score(matches: ClassMatches) -> float:
    """The score threshold of the highest F1; of equally good ones the highest.

    It lies halfway to the next lower score, since scores differ in their last digits from machine to machine.
    """
    if not matches.correct.any():
        return UNCHOSEN
    scores = matches.scores.astype(float)
    ends = np.append(scores[:-1] > scores[1:], True)  # equal scores are kept or dropped together
    best = int(np.argmax(np.where(ends, matches.f1, -1)))
    return float(scores[best] if best + 1 == len(scores) else (scores[best] + scores[best + 1]) / 2)


def _taken(found: Detections, rows: torch.Tensor) -> Detections:
    return Detections(*(part[rows] for part in found))
