"""Detections in the form of COCO's results files, which COCO's own evaluation reads."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from lit_cnn.detection.boxes import Detections


def coco_results(image_id: int | str, found: Detections, category_ids: Sequence[int]) -> list[dict[str, Any]]:
    """An entry for each detection of an image: image_id, category_id, bbox and score.

    Args:
        image_id: What the annotations call the image.
        found: In pixels of the file.
        category_ids: What the annotations call each class, K numbers.

    Returns:
        Built-in types; ``bbox`` is [left, top, width, height] in pixels to three decimals.
    """
    return [
        {
            "image_id": image_id,
            "category_id": category_ids[label],
            "bbox": [round(value, 3) for value in (left, top, right - left, bottom - top)],
            "score": round(score, 6),
        }
        for (left, top, right, bottom), score, label in zip(*(part.tolist() for part in found), strict=True)
    ]


def image_id_of(path: str) -> int | str:
    """What results call an image file that no annotations name: the number that its name is, as COCO's files are named,
    else its name without the ending."""
    stem = PurePath(path).stem
    return int(stem) if stem.isascii() and stem.isdecimal() else stem
