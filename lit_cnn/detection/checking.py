"""What is wrong with annotated images before a training finds out: files, boxes, classes, duplicates."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from lit_cnn.data.checks.appearance import check_appearance, check_levels, check_sizes
from lit_cnn.data.checks.duplicates import check_duplicates
from lit_cnn.data.checks.finding import Finding, capped
from lit_cnn.data.checks.inspection import CheckedImage, Look, inspect
from lit_cnn.data.sources.decoding import RGB, PixelFormat
from lit_cnn.data.sources.folders import read_file
from lit_cnn.data.sources.tree import own_images
from lit_cnn.data.sources.wording import counted, few
from lit_cnn.detection.annotations import LAYOUTS, Annotated, Layout, packed, read_annotations
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.findings import RULES, plural

SAME = 0.9
"""Intersection over union from which on two boxes of a class are nearly the same."""
_ALL = " (--json names them all)"


@dataclass(frozen=True)
class CheckedClass:
    """A class of a split.

    Args:
        split: its name.
        name: of the class.
        boxes: how many, regions of crowds aside.
        images: how many hold one.
        median_side: square root of the median area in pixels of the files; NaN without boxes.
        difficult: how many are difficult.
    """

    split: str
    name: str
    boxes: int
    images: int
    median_side: float
    difficult: int


@dataclass(frozen=True)
class CheckedAnnotations:
    """What a check of annotated images has to say.

    Args:
        findings: sentences.
        classes: every class of every split.
    """

    findings: list[Finding] = field(default_factory=list)
    classes: list[CheckedClass] = field(default_factory=list)


def check_annotations(
    path: Path,
    layout: Layout = "auto",
    pixel_format: PixelFormat = RGB,
    advance: Callable[[int, int], None] | None = None,
    complete: bool = False,
) -> CheckedAnnotations:
    """Findings about a folder of annotated images, and its classes. Every image is decoded once.

    Args:
        path: the folder.
        layout: of it.
        pixel_format: what the pixels of files become.
        advance: called with the images looked at and how many there are.
        complete: name all images and boxes of a kind, not the first ten.

    Raises:
        ValueError: If the folder has no layout of annotated images, or cannot be read as it.
    """
    annotated = read_annotations(path, layout)
    classes = [each for name, split in annotated.splits.items() for each in checked_classes(name, split)]
    return CheckedAnnotations([*_findings(annotated, classes, pixel_format, advance, complete)], classes)


def _findings(
    annotated: Annotated,
    classes: Sequence[CheckedClass],
    pixel_format: PixelFormat,
    advance: Callable[[int, int], None] | None,
    complete: bool,
) -> Iterator[Finding]:
    yield Finding("fact", f"{annotated.origin} has the layout {annotated.layout}: {LAYOUTS[annotated.layout]}")
    yield from (Finding("warning", note) for note in annotated.notes)
    for name, split in annotated.splits.items():
        yield from _check_split(name, split, complete)
    yield from _check_classes(classes)
    yield from _check_shared(annotated)
    yield from _check_unlisted(annotated)
    images = _look_at_all(annotated, pixel_format, advance)
    yield from check_appearance(images)
    for name in annotated.splits:
        own = [image for image in images if image.split == name]
        yield from check_sizes(name, own)
        yield from check_levels(name, own, stated=pixel_format.levels is not None)
    yield from _check_annotated_sizes(annotated, images, complete)
    yield from check_duplicates(images)


def checked_classes(name: str, split: AnnotatedSplit) -> Iterator[CheckedClass]:
    """The classes of a split."""
    images = packed(split)
    sides = np.sqrt(np.prod(images.boxes[:, 2:] - images.boxes[:, :2], axis=1, dtype=np.float64))
    for label, title in enumerate(split.class_names):
        own = (images.labels == label) & ~images.crowd
        median = float(np.median(sides[own])) if own.any() else float("nan")
        holding, difficult = len(np.unique(images.rows[own])), int(images.difficult[own].sum())
        yield CheckedClass(name, title, int(own.sum()), holding, median, difficult)


def _check_split(name: str, split: AnnotatedSplit, complete: bool) -> Iterator[Finding]:
    images = packed(split)
    counts = np.diff(images.starts)
    most = int(counts.max(initial=0))
    yield Finding(
        "fact", f"{name}: {counted(len(images), 'image')}, {plural('box', len(images.boxes))}, at most {most}"
    )
    for number, what in (
        (int((counts == 0).sum()), "without boxes, which are background"),
        (int(images.difficult.sum()), "difficult, which count neither as found nor as missed"),
        (int(images.crowd.sum()), "of crowds, which no training sees"),
    ):
        noun = counted(number, "image") if what.startswith("without") else plural("box", number)
        if number:
            yield Finding("fact", f"{name}: {noun} {what}")
    for kind, sentences in split.findings.items():
        texts = [f"{name}: {sentence}" for sentence in sentences]
        rest = f"of {name}: {plural(kind, len(sentences))} in all{_ALL}"
        yield from capped(RULES[kind].gravity, texts, rest, complete)
    alike = [f"{name}: {text}" for text in nearly_same_boxes(split)]
    yield from capped("warning", alike, f"pairs of nearly the same box in {name}{_ALL}", complete)


def nearly_same_boxes(split: AnnotatedSplit) -> Iterator[str]:
    """A sentence for each pair of boxes of a class in an image that overlap by ``SAME`` and are not equal."""
    for image in split.images:
        for label in np.unique(image.labels):
            rows = np.flatnonzero((image.labels == label) & ~image.crowd)
            overlap = overlaps(image.boxes[rows])
            for first, second in np.argwhere(np.triu((overlap >= SAME) & (overlap < 1), 1)).tolist():
                places = " and ".join(
                    f"[{', '.join(f'{side:g}' for side in image.boxes[rows[place]].tolist())}]"
                    for place in (first, second)
                )
                title = split.class_names[int(label)]
                yield f"{image.path} has nearly the same box of {title} twice, {places}: both are kept"


def overlaps(boxes: np.ndarray) -> np.ndarray:
    """(M, M) intersection over union of (M, 4) boxes with each other."""
    low, high = np.maximum(boxes[:, None, :2], boxes[:, :2]), np.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = np.prod((high - low).clip(min=0), axis=2)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / (areas[:, None] + areas - shared)


def _check_classes(classes: Sequence[CheckedClass]) -> Iterator[Finding]:
    for split in dict.fromkeys(each.split for each in classes):
        absent = [each.name for each in classes if each.split == split and not each.boxes]
        if absent:
            effect = "nothing can be learned of them" if split == "train" else "they have no average precision"
            yield Finding("warning", f"{split}: no box of {few(absent)}: {effect}")


def _check_shared(annotated: Annotated) -> Iterator[Finding]:
    """Files that two splits list."""
    paths = {name: set(packed(split).paths) for name, split in annotated.splits.items()}
    for first, second in combinations(paths, 2):
        shared = sorted(paths[first] & paths[second])
        if shared:
            files = f"{counted(len(shared), 'image')} both in {first} and in {second}"
            yield Finding("error", f"{files}, so that the figures are flattered: {few(shared)}")


def _check_unlisted(annotated: Annotated) -> Iterator[Finding]:
    """Images that lie among those of the splits and are in none of them."""
    listed = {
        os.path.normpath(os.path.join(split.root, path))
        for split in annotated.splits.values()
        for path in packed(split).paths
    }
    folders = sorted({os.path.dirname(file) for file in listed})
    others = [file for folder in folders for file in sorted(own_images(Path(folder))) if file not in listed]
    if others:
        names = few([os.path.relpath(file, annotated.origin) for file in others])
        yield Finding("fact", f"{counted(len(others), 'image')} in no split, or left out: {names}")


def _look_at_all(
    annotated: Annotated, pixel_format: PixelFormat, advance: Callable[[int, int], None] | None
) -> list[CheckedImage]:
    total = sum(len(split) for split in annotated.splits.values())
    images: list[CheckedImage] = []
    for name, split in annotated.splits.items():
        files = [os.path.join(split.root, path) for path in packed(split).paths]
        for file, look in zip(files, inspect(partial(read_file, file, pixel_format) for file in files), strict=True):
            good, problem = (look, None) if isinstance(look, Look) else (None, str(look))
            images.append(CheckedImage(name, file, "", good, problem))
            if advance is not None:
                advance(len(images), total)
    return images


def _check_annotated_sizes(annotated: Annotated, images: Sequence[CheckedImage], complete: bool) -> Iterator[Finding]:
    """Images of another size than their annotations state, whose boxes are at wrong places."""
    sizes = np.concatenate([packed(split).sizes for split in annotated.splits.values()])
    texts = [
        f"{image.place} is {image.look.width} x {image.look.height} px as it is shown, but its annotations are of "
        f"{width} x {height} px: a training stops there"
        for image, (width, height) in zip(images, sizes.tolist(), strict=True)
        if image.look is not None and (image.look.width, image.look.height) != (width, height)
    ]
    yield from capped("error", texts, f"images of another size than annotated{_ALL}", complete)
