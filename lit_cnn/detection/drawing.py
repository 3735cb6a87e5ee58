"""Pictures of a detector as plain arrays for the functions of ``lit_cnn.reports`` that draw them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.sources.decoding import RGB, PixelFormat, attempt
from lit_cnn.data.sources.folders import read_file
from lit_cnn.detection.boxes import AnnotatedImage, AnnotatedSplit, BoxBatch, Detections
from lit_cnn.detection.canvas import Canvas
from lit_cnn.detection.gathering import Found
from lit_cnn.detection.matching import CORRECT, WRONG, outcomes
from lit_cnn.detection.metrics import DetectionMetrics
from lit_cnn.detection.thresholds import Thresholds

SHOWN = 8
"""Images of a picture; each is there twice, with its true boxes and with what was found."""
BATCH = 16
"""Images of the first batch that are drawn."""
TILE = Canvas(360, 480, (255, 255, 255))
"""What an image of a picture is fitted into."""
SCORED = 12
"""Boxes of an image up to which their scores are written."""
BACKGROUND = "background"


class Picture(NamedTuple):
    """What ``Artist.draw`` takes.

    Attributes:
        name: Of the file, without its ending.
        function: Below ``lit_cnn.reports``.
        arguments: Its arguments except ``out_png``: plain data.
    """

    name: str
    function: str
    arguments: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Mistakes:
    """What is right and wrong in an image, at an IoU of 0.5.

    Attributes:
        missed: (M,) bool, true boxes that nothing found; difficult objects and crowds are not missed.
        wrong: (D,) bool, detections of which none of their class is there, or whose object has a better one.
        correct: Number of correct detections.
    """

    missed: np.ndarray
    wrong: np.ndarray
    correct: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall in the image; 1 where nothing is there and nothing was found."""
        wrong = int(self.missed.sum() + self.wrong.sum())
        return 2 * self.correct / (2 * self.correct + wrong) if self.correct + wrong else 1.0

    def __str__(self) -> str:
        return f"{self.correct} found, {int(self.missed.sum())} missed, {int(self.wrong.sum())} wrong"


def mistakes(image: AnnotatedImage, found: Detections) -> Mistakes:
    """Match what is shown of an image with the truth."""
    result, taken = outcomes(image, found)
    missed = ~(taken | image.difficult | image.crowd)
    return Mistakes(missed, result == WRONG, int((result == CORRECT).sum()))


def validation_pictures(
    metrics: DetectionMetrics, thresholds: Thresholds, title: str, pixel_format: PixelFormat = RGB
) -> list[Picture]:
    """Truth next to what was found, the worst images, precision over recall, and the confusion with background.

    Every rank has to call it, unless all have asked ``metrics`` for what was found before.

    Args:
        metrics: Of the images that were seen.
        thresholds: What is shown of the detections; the curves are of all of them.
        title: Which weights these are.
        pixel_format: What the pixels of the files become, as the detector sees them.
    """
    shown = {row: thresholds.apply(each) for row, each in metrics.found.items()}
    split, rows = metrics.split, spread(list(shown), SHOWN)
    worst = worst_rows(split, shown, SHOWN)
    pairs = f"true boxes left, found boxes right, missed and wrong ones dashed, {title}"
    lowest = f"images with the lowest F1 at IoU 0.5, missed and wrong boxes dashed, {title}"
    names = [*split.class_names, BACKGROUND]
    confusion = {
        "matrix": metrics.confusion(thresholds),
        "class_names": names,
        "counted": "boxes",
        "title": f"{title}, IoU 0.5",
    }
    sheets = [
        Picture(name, "box_sheet.draw_box_sheet", truth_and_found(split, shown, chosen, heading, pixel_format))
        for name, chosen, heading in (("found_boxes", rows, pairs), ("worst_images", worst, lowest))
        if chosen
    ]
    return [
        *sheets,
        Picture("precision_recall", "precision_recall.draw_precision_recall", _curves(metrics, thresholds, title)),
        Picture("confusion", "confusion.draw_confusion", confusion),
    ]


def first_batch(images: Tensor, batch: BoxBatch, names: Sequence[str]) -> Picture:
    """The first training batch with the boxes that are trained on.

    Args:
        images: uint8 (N, 3, H, W), those of the batch as ``DetectionData.denormalize`` gives them.
        batch: The batch.
        names: Of the classes.
    """
    chosen = [(batch.rows == number).cpu() for number in range(min(len(images), BATCH))]
    arguments = {
        "images": images[:BATCH].permute(0, 2, 3, 1).cpu().numpy(),
        "boxes": [batch.boxes.cpu()[rows].numpy() for rows in chosen],
        "labels": [batch.labels.cpu()[rows].numpy() for rows in chosen],
        "names": list(names),
        "title": "first training batch",
    }
    return Picture("first_batch", "box_sheet.draw_box_sheet", arguments)


def spread(rows: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the rows, evenly spread."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return [rows[place] for place in places.tolist()]


def worst_rows(split: AnnotatedSplit, shown: Found, count: int) -> list[int]:
    """The images of the lowest F1, of equal ones those of the most mistakes; images without a mistake are left out."""
    made = {row: mistakes(split.images[row], each) for row, each in shown.items()}
    number = {row: int(each.missed.sum() + each.wrong.sum()) for row, each in made.items()}
    wrong = [row for row in made if number[row]]
    return sorted(wrong, key=lambda row: (made[row].f1, -number[row]))[:count]


def truth_and_found(
    split: AnnotatedSplit, shown: Found, rows: Sequence[int], title: str, pixel_format: PixelFormat = RGB
) -> dict[str, Any]:
    """Arguments of ``draw_box_sheet``: each image with its true boxes, and next to it with what was found.

    A file that cannot be read is drawn as an empty image.
    """
    sheet: dict[str, list[Any]] = {name: [] for name in ("images", "boxes", "labels", "captions", "scores", "dashed")}
    for row in rows:
        image, found = split.images[row], shown[row]
        tile, scale, offset = TILE.frame(_pixels(split, image, pixel_format))
        made, pixels = mistakes(image, found), tile.permute(1, 2, 0).numpy()
        few = len(found.scores) <= SCORED
        for boxes, labels, caption, scores, dashed in (
            (torch.tensor(image.boxes), image.labels, Path(image.path).name, None, made.missed),
            (found.boxes, found.labels.numpy(), str(made), found.scores.numpy() if few else None, made.wrong),
        ):
            sheet["images"].append(pixels)
            sheet["boxes"].append(Canvas.boxes_to_canvas(boxes, scale, offset).numpy())
            sheet["labels"].append(labels)
            sheet["captions"].append(caption)
            sheet["scores"].append(scores)
            sheet["dashed"].append(dashed)
    arguments = {**sheet, "images": np.stack(sheet["images"]), "names": list(split.class_names)}
    return {**arguments, "title": title, "columns": 4, "cell": 3.4}


def _pixels(split: AnnotatedSplit, image: AnnotatedImage, pixel_format: PixelFormat) -> Tensor:
    """(3, h, w) uint8 of a file; white where it can no longer be read, since pictures never end a run."""
    read = attempt(lambda: read_file(str(Path(split.root, image.path)), pixel_format).pixels())
    return read if isinstance(read, Tensor) else torch.full((3, image.height, image.width), 255, dtype=torch.uint8)


def _curves(metrics: DetectionMetrics, thresholds: Thresholds, title: str) -> dict[str, Any]:
    """Arguments of ``draw_precision_recall``."""
    matches, classes = metrics.matches(), metrics.per_class()
    kept = [int((each.scores >= least).sum()) for each, least in zip(matches, thresholds.score, strict=True)]
    return {
        "recalls": [each.recall for each in matches],
        "precisions": [each.precision for each in matches],
        "average_precisions": [each.voc_ap50 for each in classes],
        "names": list(metrics.split.class_names),
        "protocol": "VOC 2010 area AP@.50",
        "title": title,
        "chosen": [
            (float(each.recall[count - 1]), float(each.precision[count - 1])) if count else (0.0, 1.0)
            for each, count in zip(matches, kept, strict=True)
        ],
    }
