"""What is wrong with a data set before a training finds out: files, duplicates between splits, balance of classes."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from lit_cnn.data.sources.arrays import ArraySplit, read_npz
from lit_cnn.data.sources.decoding import attempt
from lit_cnn.data.sources.find_lists import is_list
from lit_cnn.data.sources.folders import FolderSplit, Labeled, read_file
from lit_cnn.data.sources.labeled import read_labeled

IMBALANCE = 10
"""Largest class / smallest class from which on the classes count as out of balance."""


@dataclass(frozen=True)
class Finding:
    """One thing a check has to say.

    Args:
        kind: error (a training stops or its figures are wrong), warning (worth a look), or fact.
        text: One sentence.
    """

    kind: Literal["error", "warning", "fact"]
    text: str


@dataclass(frozen=True)
class _Image:
    """What a check keeps of an image: its digest and sides, or why it cannot be read."""

    digest: str
    sides: tuple[int, int] | None
    problem: str | None = None


def check_data(path: Path) -> Iterator[Finding]:
    """Findings about a folder of class folders, a list of files or an npz file.

    Every image is decoded. Two files count as duplicates when their bytes are equal, two rows of an npz when their
    pixels are.

    Raises:
        ValueError: If the path is neither, or cannot be a classification set at all.
    """
    if path.is_dir() or is_list(path):
        found = read_labeled(path)
        folder_splits, names = found.splits, found.class_names
        labels = {name: split.labels for name, split in folder_splits.items()}
        images = {name: _read_files(split) for name, split in folder_splits.items()}
        places = {name: list(split.paths) for name, split in folder_splits.items()}
        yield from _check_reading(found)
    else:
        array_splits, names = read_npz(path)
        labels = {name: split.labels for name, split in array_splits.items()}
        images = {name: _read_arrays(split) for name, split in array_splits.items()}
        places = {name: [f"{name}_images[{row}]" for row in range(len(split))] for name, split in array_splits.items()}
    for name in images:
        yield from _check_images(name, images[name], places[name])
        yield from _check_balance(name, labels[name], names)
    yield from _check_duplicates(images, places)


def _check_reading(found: Labeled) -> Iterator[Finding]:
    """Files that no split holds, and how the others were found."""
    for reason, count in found.left_out.items():
        yield Finding("warning", f"{'1 file' if count == 1 else f'{count} files'} left out: {reason}")
    for note in found.notes:
        yield Finding("warning", note)


def _read_files(split: FolderSplit) -> list[_Image]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_read_file, split.paths))


def _read_file(path: str) -> _Image:
    image = attempt(partial(_read_whole, path))
    return image if isinstance(image, _Image) else _Image("", None, str(image))


def _read_whole(path: str) -> _Image:
    file = read_file(path)
    return _Image(hashlib.sha256(file.content).hexdigest(), file.picture().size)


def _read_arrays(split: ArraySplit) -> list[_Image]:
    height, width = split.images.shape[-2:]
    return [_Image(hashlib.sha256(image.numpy().tobytes()).hexdigest(), (width, height)) for image in split.images]


def _check_images(split: str, images: list[_Image], places: list[str]) -> Iterator[Finding]:
    for image, place in zip(images, places, strict=True):
        if image.problem:
            yield Finding("error", image.problem if place in image.problem else f"{place}: {image.problem}")
    sides = [side for image in images if image.sides for side in image.sides]
    if sides:
        yield Finding("fact", f"{split}: {len(images)} images, sides from {min(sides)} to {max(sides)} px")


def _check_balance(split: str, labels: Tensor, names: list[str]) -> Iterator[Finding]:
    counts = torch.bincount(labels, minlength=len(names))
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    text = f"{split}: {names[largest]} has {counts[largest]} images, {names[smallest]} {counts[smallest]}"
    if counts[largest] == counts[smallest]:
        yield Finding("fact", f"{split}: every class has {counts[largest]} images")
    elif counts[smallest] == 0:
        absent = [name for name, count in zip(names, counts.tolist(), strict=True) if count == 0]
        yield Finding("warning", f"{split}: no image of {', '.join(absent)}")
    elif counts[largest] > IMBALANCE * counts[smallest]:
        yield Finding(
            "warning", f"{text}: accuracy hides the rare classes; see validate --per-class, loss.class_weights"
        )
    else:
        yield Finding("fact", text)


def _check_duplicates(images: dict[str, list[_Image]], places: dict[str, list[str]]) -> Iterator[Finding]:
    where: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for split, found in images.items():
        for image, place in zip(found, places[split], strict=True):
            if image.problem is None:
                where[image.digest].append((split, place))
    for twins in where.values():
        splits = {split for split, _ in twins}
        if len(twins) > 1:
            kind: Literal["error", "warning"] = "error" if len(splits) > 1 else "warning"
            reason = (
                "in two splits, so that the accuracy is flattered" if len(splits) > 1 else f"twice in {twins[0][0]}"
            )
            yield Finding(kind, f"the same image is {reason}: {', '.join(place for _, place in twins)}")
