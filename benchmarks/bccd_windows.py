"""A classification set with boxes, cut from the blood cells of BCCD: what `lit-cnn localize` is tried on.

    python benchmarks/bccd_windows.py --data bccd --out windows     # a few seconds
    lit-cnn fit RECIPE --data.source list --data.path windows
    lit-cnn localize runs/... --data windows

A window of 256 px is cut around a white cell, a platelet where the window shows no part of a white cell, or a red cell
where it shows neither; its class is that rarest cell. Where in the window the cell is, is drawn for each, keyed by file
and box, so that the middle of a window is no better than another place. The boxes of the class that are at least half
in the window are kept, cut to it. Each window is in the split of its image. Written are Pascal VOC's layout and a list
for each split (`train.csv`, …) for the training of a classifier.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.detection.annotations import read_annotations
from lit_cnn.detection.boxes import AnnotatedImage
from lit_cnn.randomness import derive_key, uniform_number

SIDE = 256
"""Of a window in pixels."""
RARITY = ("WBC", "Platelets", "RBC")
"""The classes, rarest first."""
TRIES = 20
"""Places that are drawn for a cell until a window shows no rarer one."""
MOST = {"RBC": 1}
"""Windows of an image at most; of the other classes each cell has one."""
VISIBLE = 0.5
"""Share of a box's area that must be in the window for the box to be kept."""


class Window(NamedTuple):
    """A window of an image: where it begins, its class, and the boxes (M, 4) of that class in its pixels."""

    left: int
    top: int
    label: str
    boxes: np.ndarray


def windows_of(image: AnnotatedImage, names: tuple[str, ...], side: int = SIDE) -> Iterator[Window]:
    """The windows of an image, those of the rarest class first."""
    boxes = {name: image.boxes[image.labels == names.index(name)] for name in RARITY if name in names}
    for rank, label in enumerate(RARITY):
        rarer = [boxes[name] for name in RARITY[:rank] if name in boxes]
        forbidden = np.concatenate(rarer) if rarer else np.zeros((0, 4))
        found = 0
        for number, cell in enumerate(boxes.get(label, ())):
            corner = _corner(image, label, number, cell, forbidden, side)
            if corner is None or found == MOST.get(label, len(image.boxes)):
                continue
            found += 1
            kept = _within(boxes[label], corner, side)
            yield Window(*corner, label, kept)


def _corner(
    image: AnnotatedImage, label: str, number: int, cell: np.ndarray, forbidden: np.ndarray, side: int
) -> tuple[int, int] | None:
    """Left and top of a window that shows all of a cell and no forbidden box; None where none was drawn."""
    ranges = []
    for low, high, length in ((cell[0], cell[2], image.width), (cell[1], cell[3], image.height)):
        first, last = max(0, int(np.ceil(high)) - side), min(int(np.floor(low)), length - side)
        if first > last:
            return None
        ranges.append((first, last))
    key = derive_key("windows", image.path, label, number)
    for attempt in range(TRIES):
        left, top = (
            first + int(uniform_number(key, 2 * attempt + axis) * (last - first + 1))
            for axis, (first, last) in enumerate(ranges)
        )
        if not _shown(forbidden, (left, top), side).any():
            return left, top
    return None


def _cut(boxes: np.ndarray, corner: tuple[int, int], side: int) -> np.ndarray:
    """(M, 4) boxes in pixels of the window, cut to it."""
    return (boxes - np.tile(np.array(corner), 2)).clip(0, side)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _shown(boxes: np.ndarray, corner: tuple[int, int], side: int) -> np.ndarray:
    """(M,) square pixels of each box that a window shows."""
    return _areas(_cut(boxes, corner, side))


def _within(boxes: np.ndarray, corner: tuple[int, int], side: int) -> np.ndarray:
    """The boxes of which a window shows enough, cut to it."""
    return _cut(boxes, corner, side)[_shown(boxes, corner, side) >= VISIBLE * _areas(boxes)]


def write_windows(data: Path, out: Path, side: int = SIDE) -> dict[str, Counter[str]]:
    """Cut all windows; how many of each split have each class."""
    counts: dict[str, Counter[str]] = {}
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for split, annotated in read_annotations(data).splits.items():
        rows = []
        for image in annotated.images:
            with Image.open(Path(annotated.root, image.path)) as file:
                picture = file.convert("RGB")
            for number, window in enumerate(windows_of(image, annotated.class_names, side)):
                name = f"{Path(image.path).stem}_{number}"
                area = (window.left, window.top, window.left + side, window.top + side)
                picture.crop(area).save(out / "JPEGImages" / f"{name}.jpg", quality=95)
                (out / "Annotations" / f"{name}.xml").write_text(annotation(name, window, side))
                rows.append((name, window.label))
        (out / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name, _ in rows))
        with open(out / f"{split}.csv", "w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(
                [("path", "label"), *((f"JPEGImages/{name}.jpg", label) for name, label in rows)]
            )
        counts[split] = Counter(label for _, label in rows)
    return counts


def annotation(name: str, window: Window, side: int) -> str:
    """Pascal VOC's XML of a window, which counts pixels from 1 and includes the last."""
    objects = "".join(
        f"<object><name>{escape(window.label)}</name><difficult>0</difficult><bndbox><xmin>{left + 1:g}</xmin>"
        f"<ymin>{top + 1:g}</ymin><xmax>{right:g}</xmax><ymax>{bottom:g}</ymax></bndbox></object>"
        for left, top, right, bottom in window.boxes.tolist()
    )
    size = f"<size><width>{side}</width><height>{side}</height><depth>3</depth></size>"
    return f"<annotation><filename>{escape(name)}.jpg</filename>{size}{objects}</annotation>"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", default="bccd", help="folder of BCCD in Pascal VOC's layout, also below the data root"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder that is written")
    options = parser.parse_args()
    for split, counts in write_windows(resolve_data_path(options.data), options.out).items():
        print(split, ", ".join(f"{counts[name]} {name}" for name in RARITY))


if __name__ == "__main__":
    main()
