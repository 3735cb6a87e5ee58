"""Detections in the form of COCO's results files, which COCO's own evaluation reads."""

import os
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


def image_ids_of(paths: Sequence[str]) -> list[int | str]:
    """What results call image files that no annotations name.

    Each has the number that its name is, as COCO's files are named, else its name without the ending. Where two files
    would have the same, all have their path below the folder that holds all of them, without the ending or, where two
    are still the same, with it.
    """
    files = [os.path.abspath(path) for path in paths]
    number = len(set(files))
    short = [_short_id(path) for path in files]
    if len(set(short)) == number:
        return short
    common = os.path.commonpath([os.path.dirname(file) for file in files])
    below = [PurePath(os.path.relpath(file, common)) for file in files]
    without: list[int | str] = [path.with_suffix("").as_posix() for path in below]
    return without if len(set(without)) == number else [path.as_posix() for path in below]


def _short_id(path: str) -> int | str:
    stem = PurePath(path).stem
    return int(stem) if stem.isascii() and stem.isdecimal() else stem
