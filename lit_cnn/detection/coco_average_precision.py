"""Average precision as COCO counts it, by torchmetrics and faster-coco-eval; each class from the same evaluation.

Crowds are COCO's: what is found in one is neither correct nor wrong. Difficult objects are objects, since COCO has no
such mark. Objects are small below 32² square pixels of the file and large above 96².
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from lit_cnn.detection.boxes import AnnotatedImage, AnnotatedSplit, Detections
from lit_cnn.detection.gathering import Found

ABSENT = -1.0
"""COCO's average precision of what has no true object: no part of a mean."""
EVALUATOR: Final = "faster_coco_eval"


@dataclass(frozen=True, eq=False)
class CocoFigures:
    """Average precisions in [0, 1], or ``ABSENT``.

    Attributes:
        totals: torchmetrics' names such as ``map_50`` -> mean over the classes that have objects.
        per_class: (K,) float64, AP@[.50:.95].
        per_class_50: (K,) float64, AP@.50.
    """

    totals: dict[str, float]
    per_class: np.ndarray
    per_class_50: np.ndarray


def require_evaluator() -> None:
    """Refuse to go on without the package that evaluates.

    Raises:
        ValueError: With the command that installs it.
    """
    if importlib.util.find_spec(EVALUATOR) is None:
        raise ValueError("COCO's average precision needs faster-coco-eval: pip install 'lit-cnn[detection]'")


def coco_figures(split: AnnotatedSplit, found: Found, max_detections: int = 100) -> CocoFigures:
    """Evaluate the images that were seen.

    Args:
        split: The truth.
        found: What was found, in pixels of the files.
        max_detections: Of one image that count, those of the highest scores; COCO's own figures have 100.

    Raises:
        ValueError: If faster-coco-eval is not installed.
    """
    require_evaluator()
    from torchmetrics.detection import MeanAveragePrecision  # it takes a second to import

    metric = MeanAveragePrecision(
        # sorted by it, and the highest counts; all three have to be there
        max_detection_thresholds=[min(1, max_detections), min(10, max_detections), max_detections],
        extended_summary=True,
        backend=EVALUATOR,
        sync_on_compute=False,  # its own exchange hangs where ranks have seen different numbers of images
    )
    metric.warn_on_many_detections = False
    metric.update([_answer(each) for each in found.values()], [_truth(split.images[row]) for row in found])
    result = metric.compute()
    totals = {name: float(result[name]) for name in _TOTALS}
    if "precision" not in result:  # there was no image
        return CocoFigures(totals, *np.full((2, len(split.class_names)), ABSENT))
    # IoU thresholds, recalls, classes, all areas, the highest number of detections
    precision = result["precision"][:, :, :, 0, -1].numpy()
    labels = result["classes"].reshape(-1).tolist()  # a single one comes without a dimension
    return CocoFigures(
        totals,
        _means(precision, labels, len(split.class_names)),
        _means(precision[:1], labels, len(split.class_names)),
    )


_TOTALS = ("map", "map_50", "map_75", "map_small", "map_medium", "map_large")


def _means(precision: np.ndarray, labels: Sequence[int], classes: int) -> np.ndarray:
    """(K,) mean precision of each class, which all have the same number of thresholds and recalls."""
    means = np.full(classes, ABSENT)
    means[list(labels)] = precision.mean(axis=(0, 1))  # of a class without objects each is -1
    return means


def _answer(found: Detections) -> dict[str, Tensor]:
    return {"boxes": found.boxes, "scores": found.scores, "labels": found.labels}


def _truth(image: AnnotatedImage) -> dict[str, Tensor]:
    columns = {"boxes": image.boxes, "labels": image.labels, "iscrowd": image.crowd.astype(int), "area": image.areas}
    return {name: torch.tensor(column) for name, column in columns.items()}
