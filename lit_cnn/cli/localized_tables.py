"""What ``lit-cnn localize`` says: rows of its table, built-in types for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import percent
from lit_cnn.cli.tables import Column, Table

if TYPE_CHECKING:
    from lit_cnn.explanations.localization import LocalizedImage
    from lit_cnn.explanations.localization_figures import LocalizationFigures

COLUMNS = (
    *(Column("box", "name"), Column("top-1 localization"), Column("GT-known"), Column("MaxBoxAcc")),
    *(Column("MaxBoxAcc's threshold", rank=1), Column("MaxBoxAccV2")),
)


def report_of(
    images: Sequence[LocalizedImage], rows: Sequence[LocalizationFigures], class_names: Sequence[str], shown: str
) -> dict[str, Any]:
    """Built-in types for JSON: the figures, and of each image the box of the shown class and its IoU with the best true
    box, where it has one of that class."""
    right = sum(image.right for image in images)
    return {
        "count": len(images),
        "accuracy": right / len(images),
        "classes_of_images": sum(len(image.true) for image in images),
        "figures": [asdict(row) for row in rows],
        "shown": shown,
        "images": [_report_of_image(image, class_names, shown) for image in images],
    }


def _report_of_image(image: LocalizedImage, class_names: Sequence[str], shown: str) -> dict[str, Any]:
    number = image.shown_class(shown)
    box = image.boxes.get(number)
    return {
        "file": image.name,
        "true": [class_names[each] for each in image.true],
        "predicted": class_names[image.predicted],
        "probability": image.probability,
        "class": class_names[number],
        "box": None if box is None else box.tolist(),
        "iou": image.overlap(number),
    }


def figures_table(report: dict[str, Any], rows: Sequence[LocalizationFigures]) -> Table:
    """A row for each way to a box."""
    cells = [
        [
            row.name,
            *map(percent, (row.top1, row.gt_known, row.max_box_acc)),
            "–" if row.best_threshold is None else f"{row.best_threshold:g}",
            percent(row.max_box_acc_v2),
        ]
        for row in rows
    ]
    chosen = "chosen on the validation images" if report["threshold_from"] == "val" else "given"
    notes = [
        f"{percent(report['accuracy'])} of the images are classified right; threshold {report['threshold']:g} of each "
        f"map's maximum ({chosen}) in top-1 localization (class right, IoU > 0.5) and GT-known (true class's map)",
        "MaxBoxAcc and MaxBoxAccV2 take the thresholds that are best on these very images",
        "true boxes within the crop: what the evaluation's crop leaves of them, the most that a map can reach",
    ]
    return Table(COLUMNS, cells, notes=notes)
