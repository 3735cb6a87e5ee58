"""What annotated images turned out to be, in a few lines for people and in built-in types for programs."""

import math
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from lit_cnn.data.image_size import Sides
from lit_cnn.data.sources.wording import counted, few
from lit_cnn.data.summary import SPLITS
from lit_cnn.detection.annotations import Annotated, packed
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.findings import RULES, plural

_CLASSES = 10
"""Classes that the line names."""


@dataclass(frozen=True)
class BoxSummary:
    """What was read, and as what.

    Args:
        source: the layout: voc, coco or yolo.
        path: the folder.
        class_names: K names.
        images: split -> how many.
        boxes: split -> how many.
        empty: split -> images without boxes.
        median_side: square root of the median box's area, crowds aside, in pixels of the files; of the training
            images, or the only ones.
        median_side_on_canvas: the same in pixels of the canvas.
        validation: where the validation images come from.
        left_out: kind of finding -> images or boxes left out of all splits for it.
        changed: kind of finding -> how many others there are.
        notes: sentences on what else a user should know.
        evaluated: the split that is evaluated; None for all of them, or a training.
    """

    source: str
    path: str
    class_names: tuple[str, ...]
    images: dict[str, int]
    boxes: dict[str, int]
    empty: dict[str, int]
    median_side: float
    median_side_on_canvas: float
    validation: str = "given"
    left_out: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    evaluated: str | None = None

    @classmethod
    def of(cls, annotated: Annotated, canvas: Sides) -> "BoxSummary":
        """That of annotated images on a canvas of (height, width)."""
        splits = annotated.splits
        images = {name: len(split) for name, split in splits.items()}
        boxes = {name: len(packed(split).boxes) for name, split in splits.items()}
        empty = {name: int((np.diff(packed(split).starts) == 0).sum()) for name, split in splits.items()}
        found = Counter(dict.fromkeys(RULES, 0))
        for split in splits.values():
            found.update({kind: len(sentences) for kind, sentences in split.findings.items()})
        out = {kind: number for kind, number in found.items() if number and RULES[kind].left_out}
        rest = {kind: number for kind, number in found.items() if number and not RULES[kind].left_out}
        sides = median_sides(annotated.measured, canvas)
        how, notes = annotated.validation, annotated.notes
        return cls(
            annotated.layout,
            annotated.origin,
            annotated.class_names,
            images,
            boxes,
            empty,
            *sides,
            how,
            out,
            rest,
            notes,
        )

    def of_split(self, split: str) -> "BoxSummary":
        """That of one split, which is evaluated."""
        return replace(self, evaluated=split)

    def lines(self) -> list[str]:
        """What was read, its boxes, what was left out of it, and the notes."""
        return [self._images(), self._boxes(), *self._findings(), *self.notes]

    def _images(self) -> str:
        number = len(self.class_names)
        classes = f"{number:,} class{'es' if number != 1 else ''}"
        head = f"data: {self.path} ({self.source}), {classes} ({few(list(self.class_names), _CLASSES)})"
        if self.evaluated is not None:
            how = f" ({self.validation})" if self.evaluated == "val" else ""
            return f"{head}, evaluated: {counted(self.images[self.evaluated], f'{SPLITS[self.evaluated]} image')}{how}"
        test = f"{self.images['test']:,} test images" if "test" in self.images else "no test split"
        train, val = self.images["train"], self.images["val"]
        return f"{head}, {train:,} training and {val:,} validation images ({self.validation}), {test}"

    def _boxes(self) -> str:
        splits = self.boxes if self.evaluated is None else (self.evaluated,)
        parts = [
            plural(f"{SPLITS[name]} box", self.boxes[name])
            + (f" ({counted(self.empty[name], 'image')} without)" if self.empty[name] else "")
            for name in splits
        ]
        sides = f"{self.median_side:.0f} px in the files, {self.median_side_on_canvas:.0f} px on the canvas"
        return f"boxes: {', '.join(parts)}; median side {sides}"

    def _findings(self) -> list[str]:
        out = [plural(kind, number) for kind, number in self.left_out.items()]
        rest = [plural(kind, number) for kind, number in self.changed.items()]
        parts = ([f"left out: {', '.join(out)}"] if out else []) + ([f"found: {', '.join(rest)}"] if rest else [])
        return [f"{'; '.join(parts)} (lit-cnn check --json {self.path} names them)"] if parts else []

    def as_dict(self) -> dict[str, Any]:
        """All of it, in built-in types."""
        values = asdict(self)
        values["classes"] = list(values.pop("class_names"))
        return {**values, "notes": list(self.notes)}


def median_sides(split: AnnotatedSplit, canvas: Sides) -> tuple[float, float]:
    """Square roots of the median area of objects, crowds aside, in square pixels of their files, and of a canvas
    (height, width) that these just fit into."""
    images = packed(split)
    objects = ~images.crowd
    areas = np.prod(images.boxes[:, 2:] - images.boxes[:, :2], axis=1, dtype=np.float64)[objects]
    scales = np.minimum(canvas[1] / images.sizes[:, 0], canvas[0] / images.sizes[:, 1])[images.rows[objects]]
    return tuple(math.sqrt(float(np.median(each))) if len(areas) else 0.0 for each in (areas, areas * scales**2))  # type: ignore[return-value]
