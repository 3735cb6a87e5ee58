"""What is wrong with annotations, and what becomes of it: the one place that decides it for every layout.

=====================  =========================================================  ========================
kind                   what it is                                                 what becomes of it
=====================  =========================================================  ========================
missing image          a file that annotations or a list name is not there        image left out
unreadable image       its size is not stated and its header cannot be read       image left out
missing annotation     an image of Pascal VOC, of a list if any, has no XML file  image left out
unreadable annotation  an XML or label file that cannot be read                   image left out
doubled image          an image that its split, or trainval, lists twice          the second is left out
unknown image          a box of COCO of an image that the file does not list      box left out
unreadable box         no four numbers, or no class                               box left out
unknown class          a class that is not among the names                        box left out
not finite box         a coordinate is NaN or infinite                            box left out
degenerate box         at most 1 px wide or high, or its sides are exchanged      box left out
outside box            at most 1 px of its width or height is inside the image    box left out
box over the edge      it ends more than 1 px outside of the image                clipped to the image
doubled box            class and coordinates of an earlier box of the image       kept: it is the truth
=====================  =========================================================  ========================

A box that ends up to 1 px outside is clipped without a word, since files round. Pascal VOC counts pixels from 1 and
includes the last: 1 is taken from left and top. Images without boxes are kept, as background; in YOLO's layout so is an
image without label file. ``difficult`` boxes are kept and trained on, ``iscrowd`` regions are kept and not trained on.
COCO's area is kept where it is stated and at most the image's. Ids of classes may have gaps. Polygons of YOLO's layout
become the boxes around them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lit_cnn.data.checks.finding import Kind
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.packed import PackedImages

LEAST_SIDE = 1.0
"""Pixels that a box must exceed in width and in height."""
SLACK = 1.0
"""Pixels by which a box may end outside of its image without being named."""

Findings = dict[str, list[str]]


class Rule(NamedTuple):
    """What becomes of what is wrong: how grave it is, and what is left out of it, if anything."""

    gravity: Kind
    left_out: str = ""


RULES = {
    "missing image": Rule("error", "image"),
    "unreadable image": Rule("error", "image"),
    "missing annotation": Rule("error", "image"),
    "unreadable annotation": Rule("error", "image"),
    "doubled image": Rule("warning", "image"),
    "unknown image": Rule("error", "box"),
    "unreadable box": Rule("error", "box"),
    "unknown class": Rule("error", "box"),
    "not finite box": Rule("warning", "box"),
    "degenerate box": Rule("warning", "box"),
    "outside box": Rule("warning", "box"),
    "box over the edge": Rule("warning"),
    "doubled box": Rule("warning"),
}
"""Kind -> what becomes of it, in the order of the table above."""
PLURALS = {"box over the edge": "boxes over the edge", "unknown class": "boxes of unknown classes"}
"""Where the plural is not the kind's with s or es."""


class StatedBox(NamedTuple):
    """A box as its file states it, in pixels from 0 to the image's width and height.

    Attributes:
        corners: left, top, right, bottom; anything that floats can be.
        name: of its class, whether it is known or not.
        number: of the box in its file, for people.
        difficult: of Pascal VOC.
        crowd: of COCO.
        area: in square pixels; NaN takes the box's.
    """

    corners: tuple[float, float, float, float]
    name: str
    number: int
    difficult: bool = False
    crowd: bool = False
    area: float = float("nan")


@dataclass(eq=False)
class StatedImage:
    """An image as its annotations state it.

    Attributes:
        path: of the file below the root, with forward slashes.
        width: in pixels, of the upright image.
        height: in pixels.
        boxes: in the order of the file.
        image_id: what results call it; None takes the name of the file without its ending.
    """

    path: str
    width: int
    height: int
    boxes: list[StatedBox] = field(default_factory=list)
    image_id: int | str | None = None


@dataclass(eq=False)
class StatedSplit:
    """A split as its annotations state it, and what was wrong when they were read."""

    images: list[StatedImage] = field(default_factory=list)
    findings: Findings = field(default_factory=dict)

    def found(self, kind: str, sentence: str) -> None:
        """Note what is wrong."""
        self.findings.setdefault(kind, []).append(sentence)


def plural(kind: str, count: int) -> str:
    """``1 degenerate box``, ``2 degenerate boxes``."""
    several = PLURALS.get(kind, f"{kind}es" if kind.endswith("x") else f"{kind}s")
    return f"{count:,} {kind if count == 1 else several}"


def settle(
    stated: StatedSplit, root: str, class_names: Sequence[str], category_ids: Sequence[int], noun: str
) -> AnnotatedSplit:
    """The split that is trained on, by the table above.

    Args:
        stated: images and boxes as their files state them.
        root: folder of the files.
        class_names: K names.
        category_ids: what results call each class.
        noun: what the layout calls one box's entry, such as object.
    """
    findings = {kind: list(sentences) for kind, sentences in stated.findings.items()}
    images = _once(stated.images, findings)
    boxes = [box for image in images for box in image.boxes]
    rows = np.repeat(np.arange(len(images)), [len(image.boxes) for image in images])
    numbers = {name: number for number, name in enumerate(class_names)}
    labels = np.array([numbers.get(box.name, -1) for box in boxes], dtype=np.int64)
    sizes = np.array([(image.width, image.height) for image in images], dtype=np.int64).reshape(-1, 2)
    corners = np.array([box.corners for box in boxes], dtype=np.float64).reshape(-1, 4)
    clipped, kinds = _judged(corners, labels, np.tile(sizes[rows], 2))
    for place in np.flatnonzero(kinds != "").tolist():
        sentence = _sentence(images[rows[place]].path, noun, boxes[place], kinds[place], corners[place])
        findings.setdefault(str(kinds[place]), []).append(sentence)
    kept = np.flatnonzero([not kind or not RULES[kind].left_out for kind in kinds.tolist()])
    for place in kept[_doubled(rows[kept], labels[kept], clipped[kept])].tolist():
        sentence = _sentence(images[rows[place]].path, noun, boxes[place], "doubled box", corners[place])
        findings.setdefault("doubled box", []).append(sentence)
    packed = _packed(images, sizes, rows[kept], clipped[kept], labels[kept], [boxes[place] for place in kept.tolist()])
    ordered = {kind: tuple(findings[kind]) for kind in RULES if kind in findings}
    return AnnotatedSplit(root, packed, tuple(class_names), tuple(category_ids), ordered)


def _once(images: Sequence[StatedImage], findings: Findings) -> list[StatedImage]:
    known: dict[str, StatedImage] = {}
    for image in images:
        if known.setdefault(image.path, image) is not image:
            findings.setdefault("doubled image", []).append(f"{image.path} is listed twice: the second is left out")
    return list(known.values())


def _judged(corners: np.ndarray, labels: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M, 4) boxes clipped to their images, and (M,) the first kind of ``RULES`` that each is of, or nothing.

    Args:
        corners: (M, 4) as stated.
        labels: (M,), -1 of unknown classes.
        limits: (M, 4) width, height, width, height of their images.
    """
    finite = np.isfinite(corners).all(axis=1)
    corners = np.where(finite[:, None], corners, 0.0)
    clipped = np.clip(corners, 0, limits)
    small, inside = (~((each[:, 2:] - each[:, :2]) > LEAST_SIDE).all(axis=1) for each in (corners, clipped))
    over = ((corners < -SLACK) | (corners > limits + SLACK)).any(axis=1)
    tests = (labels < 0, ~finite, small, inside, over)
    names = ("unknown class", "not finite box", "degenerate box", "outside box", "box over the edge")
    return clipped.astype(np.float32), np.select(tests, names, "").astype(object)


def _doubled(rows: np.ndarray, labels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Places of the boxes that an earlier one equals."""
    if not len(rows):
        return rows
    keys = np.column_stack([rows, labels, boxes])
    first = np.unique(keys, axis=0, return_index=True)[1]
    return np.setdiff1d(np.arange(len(rows)), first)


def _sentence(path: str, noun: str, box: StatedBox, kind: str, corners: np.ndarray) -> str:
    numbers = ", ".join(f"{number:g}" for number in corners.tolist())
    rule = RULES[kind]
    fate = "left out" if rule.left_out else "kept" if kind == "doubled box" else "clipped"
    return f"{path}, {noun} {box.number} ({box.name}), {kind} [{numbers}]: {fate}"


def _packed(
    images: Sequence[StatedImage],
    sizes: np.ndarray,
    rows: np.ndarray,
    corners: np.ndarray,
    labels: np.ndarray,
    boxes: Sequence[StatedBox],
) -> PackedImages:
    counts = np.bincount(rows, minlength=len(images))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    stated = np.array([box.area for box in boxes], dtype=np.float64)
    believable = (stated > np.finfo(np.float32).tiny) & (stated <= np.prod(sizes[rows], axis=1))
    areas = np.where(believable, stated, np.prod(corners[:, 2:] - corners[:, :2], axis=1)).astype(np.float32)
    difficult, crowd = (np.array([box[place] for box in boxes], dtype=bool) for place in (3, 4))
    paths = PathTable.of(image.path for image in images)
    return PackedImages(paths, sizes, starts, corners, labels, difficult, crowd, areas, _ids(images))


def _ids(images: Sequence[StatedImage]) -> list[int | str]:
    """Stated ids; else names of files without folder and ending or, where two of them are equal, without ending."""
    names = [image.path.rpartition(".")[0] or image.path for image in images]
    short = [name.rpartition("/")[2] for name in names]
    chosen = short if len(set(short)) == len(short) else names
    return [name if image.image_id is None else image.image_id for name, image in zip(chosen, images, strict=True)]
