"""Figures of a detector on a split, the same for any number of ranks; the protocol of each has a name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lit_cnn.detection.boxes import AnnotatedSplit, Detections
from lit_cnn.detection.coco_average_precision import ABSENT, CocoFigures, coco_figures, require_evaluator
from lit_cnn.detection.gathering import gather_found
from lit_cnn.detection.matching import ClassMatches, confusion_with_background, match_classes, not_counted
from lit_cnn.detection.thresholds import Thresholds
from lit_cnn.detection.voc_average_precision import area_under_curve, eleven_point

PROTOCOLS = {
    "map": "COCO mAP@[.50:.95]",
    "map50": "COCO mAP@.50",
    "map75": "COCO mAP@.75",
    "map_small": "COCO mAP@[.50:.95], objects below 32² px",
    "map_medium": "COCO mAP@[.50:.95], objects of 32² to 96² px",
    "map_large": "COCO mAP@[.50:.95], objects above 96² px",
    "voc07_ap50": "VOC 2007 11-point mAP@.50",
    "voc_ap50": "VOC 2010 area mAP@.50",
}
"""Figure -> the protocol by which it is counted, as it is called wherever the figure stands."""
COCO_MAX_DETECTIONS = 100
"""Of one image that count in COCO's published figures."""


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one class; an average precision is ``ABSENT`` (-1) where the class has no object.

    Attributes:
        name: Of the class.
        objects: True boxes, without crowds and difficult ones.
        difficult: True boxes that are difficult or crowds.
        detections: Boxes that were found, without those of difficult objects and crowds.
        ap: COCO AP@[.50:.95].
        ap50: COCO AP@.50.
        voc07_ap50: VOC 2007 11-point AP@.50.
        voc_ap50: VOC 2010 area AP@.50.
        f1: Highest F1 at an IoU of 0.5 over all score thresholds, 0 without detections.
    """

    name: str
    objects: int
    difficult: int
    detections: int
    ap: float
    ap50: float
    voc07_ap50: float
    voc_ap50: float
    f1: float


class DetectionMetrics:
    """What was found in the images of a split, and how much of it is right.

    Each rank calls ``update`` as often as it likes; ``compute`` brings together what all have found, so all have to
    call it. Only images that were seen count, each once: of a row that comes several times, on one rank or on several,
    the first is taken. Every rank computes the same figures.

    Args:
        split: The truth, known on every rank.
        max_detections: Of one image that count in COCO's figures, those of the highest scores.

    Raises:
        ValueError: If faster-coco-eval is not installed.
    """

    updated: bool
    """Whether there was an update since the last reset: on every rank, whether its images count or are padding."""

    def __init__(self, split: AnnotatedSplit, max_detections: int = COCO_MAX_DETECTIONS) -> None:
        require_evaluator()
        self.split, self.max_detections = split, max_detections
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self.updated = False
        self._seen: list[tuple[int, Detections]] = []
        self._found: dict[int, Detections] | None = None
        self._coco: CocoFigures | None = None
        self._matches: list[ClassMatches] | None = None

    def update(self, index: Tensor, detections: Sequence[Detections]) -> None:
        """Take what was found in some images.

        Args:
            index: (N,) int64, rows of the split; images with a negative one do not count.
            detections: Of each of the N images, in pixels of its file and by falling score.
        """
        self.updated = True
        rows = index.tolist()
        on_cpu = [Detections(*(part.detach().cpu() for part in each)) for each in detections]
        self._seen += [(row, each) for row, each in zip(rows, on_cpu, strict=True) if row >= 0]
        self._found = self._coco = self._matches = None

    @property
    def found(self) -> dict[int, Detections]:
        """Row -> detections, of all ranks, ascending. The first time after an update all ranks have to ask for it."""
        if self._found is None:
            self._found = gather_found(self._seen)
        return self._found

    def compute(self) -> dict[str, float]:
        """The figures that ``PROTOCOLS`` names, in [0, 1], or ``ABSENT`` (-1) where no object is of that kind.

        The VOC figures are means over the classes that have an object that is not difficult.
        """
        totals, classes = self._coco_figures().totals, self.per_class()
        return {
            "map": totals["map"],
            "map50": totals["map_50"],
            "map75": totals["map_75"],
            "map_small": totals["map_small"],
            "map_medium": totals["map_medium"],
            "map_large": totals["map_large"],
            "voc07_ap50": mean_of_present([each.voc07_ap50 for each in classes]),
            "voc_ap50": mean_of_present([each.voc_ap50 for each in classes]),
        }

    def protocol(self, figure: str) -> str:
        """How a figure of ``compute`` is counted, such as ``COCO mAP@.50``."""
        capped = figure.startswith("map") and self.max_detections != COCO_MAX_DETECTIONS
        return PROTOCOLS[figure] + (f", {self.max_detections} detections an image" if capped else "")

    def per_class(self) -> list[ClassFigures]:
        """Figures of each class, in the order of the labels."""
        coco, split = self._coco_figures(), self.split
        left_out = np.zeros(len(split.class_names), dtype=np.int64)
        for image in (split.images[row] for row in self.found):
            left_out += np.bincount(image.labels[not_counted(image)], minlength=len(left_out))
        return [
            ClassFigures(
                name=name,
                objects=matches.objects,
                difficult=int(left_out[label]),
                detections=len(matches.scores),
                ap=float(coco.per_class[label]),
                ap50=float(coco.per_class_50[label]),
                voc07_ap50=eleven_point(matches) if matches.objects else ABSENT,
                voc_ap50=area_under_curve(matches) if matches.objects else ABSENT,
                f1=float(matches.f1.max(initial=0)),
            )
            for label, (name, matches) in enumerate(zip(split.class_names, self.matches(), strict=True))
        ]

    def matches(self) -> list[ClassMatches]:
        """Of each class, which detections are correct at an IoU of 0.5: precision, recall and F1 by score."""
        if self._matches is None:
            self._matches = match_classes(self.split, self.found)
        return self._matches

    def confusion(self, thresholds: Thresholds) -> np.ndarray:
        """(K + 1, K + 1) true by found class with the background last, of what the thresholds leave."""
        left = {row: thresholds.apply(each) for row, each in self.found.items()}
        return confusion_with_background(self.split, left)

    def _coco_figures(self) -> CocoFigures:
        if self._coco is None:
            self._coco = coco_figures(self.split, self.found, self.max_detections)
        return self._coco


def mean_of_present(figures: Sequence[float]) -> float:
    """Mean of the figures that are not ``ABSENT``, or ``ABSENT`` where all are."""
    present = [figure for figure in figures if figure != ABSENT]
    return float(np.mean(present)) if present else ABSENT
