"""What is wrong with a data set before a training finds out: files, labels, duplicates, balance of classes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from lit_cnn.data.checks.appearance import check_appearance, check_levels, check_sizes
from lit_cnn.data.checks.duplicates import check_duplicates
from lit_cnn.data.checks.finding import Finding
from lit_cnn.data.checks.inspection import CheckedImage, Look, inspect, look_at
from lit_cnn.data.sources.arrays import ArraySplit, read_npz
from lit_cnn.data.sources.class_names import similar_names
from lit_cnn.data.sources.decoding import RGB, PixelFormat
from lit_cnn.data.sources.extensions import left_out_notes
from lit_cnn.data.sources.find_lists import is_list
from lit_cnn.data.sources.folders import FolderSplit, Labeled
from lit_cnn.data.sources.huggingface import FILES, HubSplit, is_hub_folder, read_hub
from lit_cnn.data.sources.labeled import read_labeled
from lit_cnn.data.sources.load import Split
from lit_cnn.data.sources.shards import ShardSplit, is_packed, read_shards
from lit_cnn.data.sources.tree import LINK_TO_NOTHING

IMBALANCE = 10
"""Largest class / smallest class from which on the classes count as out of balance."""
HARMLESS = ("the splits are ", "the classes of the images in ")
"""How notes on reading begin that only say how it went."""

Splits = dict[str, ArraySplit] | dict[str, FolderSplit] | dict[str, HubSplit] | dict[str, ShardSplit]
Advance = Callable[[int, int], None]
"""Called with the images looked at and how many there are."""


@dataclass(frozen=True)
class _Set:
    """What is checked: splits by name, names of the classes, and what was found when they were read."""

    splits: Splits
    class_names: list[str]
    findings: tuple[Finding, ...] = ()


def check_data(path: Path, pixel_format: PixelFormat = RGB, advance: Advance | None = None) -> Iterator[Finding]:
    """Findings about a folder of class folders, a list of files, an npz file, or a set of ``lit-cnn data pack`` or of
    the datasets library.

    Every image is decoded once. Images are the same when their pixels are.

    Args:
        path: Where it is.
        pixel_format: What the pixels of files become.
        advance: Called as images are looked at.

    Raises:
        ValueError: If the path is none of these, or cannot be a classification set at all.
    """
    found = _read(path)
    yield from found.findings
    images = _look_at_all(found, pixel_format, advance)
    yield from check_appearance(images)
    for name, split in found.splits.items():
        own = [image for image in images if image.split == name]
        yield from check_sizes(name, own)
        stated, arrays = pixel_format.levels is not None, isinstance(split, ArraySplit)
        yield from check_levels(name, own, stated=stated, arrays=arrays)
        yield from _check_balance(name, split.labels, found.class_names)
    yield from check_duplicates(images)


def _read(path: Path) -> _Set:
    if path.suffix == ".npz":
        splits, names = read_npz(path)
        return _Set(splits, names, tuple(Finding("warning", note) for note in similar_names(names)))
    if path.suffix in FILES or is_hub_folder(path):
        hub = read_hub(str(path))
        return _Set(hub.splits, hub.class_names, tuple(map(_of_note, hub.notes)))
    if is_packed(path):
        return _Set(*read_shards(str(path)))
    if not path.is_dir() and not is_list(path):
        raise ValueError(
            f"{path} is not a data set: pass a folder, a list (.csv, .tsv, .txt), an .npz or a .parquet file"
        )
    found = read_labeled(path)
    return _Set(found.splits, found.class_names, tuple(_of_reading(found)))


def _of_reading(found: Labeled) -> Iterator[Finding]:
    """Files that no split holds, and how the others were found."""
    yield from (Finding("warning", note) for note in left_out_notes(found.left_out))
    yield from map(_of_note, found.notes)


def _of_note(note: str) -> Finding:
    """What a link to nothing may have been is missing, such as a whole class."""
    return Finding("fact" if note.startswith(HARMLESS) else "error" if LINK_TO_NOTHING in note else "warning", note)


def _look_at_all(found: _Set, pixel_format: PixelFormat, advance: Advance | None) -> list[CheckedImage]:
    total = sum(len(split) for split in found.splits.values())
    images: list[CheckedImage] = []
    for name, split in found.splits.items():
        labels = split.labels.tolist()
        for row, look in enumerate(_looks(split, pixel_format)):
            problem = None if isinstance(look, Look) else str(look)
            good = look if isinstance(look, Look) else None
            images.append(CheckedImage(name, _place(name, split, row), found.class_names[labels[row]], good, problem))
            if advance is not None:
                advance(len(images), total)
    return images


def _looks(split: Split, pixel_format: PixelFormat) -> Iterator[Look | Exception]:
    if isinstance(split, ArraySplit):
        for image in split.images:
            pixels = image.permute(1, 2, 0).numpy()
            yield look_at(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    else:  # litdata's reader belongs to one thread
        reads = (partial(split.read, row, pixel_format) for row in range(len(split)))
        yield from inspect(reads, threads=1 if isinstance(split, ShardSplit) else None)


def _place(name: str, split: Split, row: int) -> str:
    if isinstance(split, FolderSplit):
        return split.paths[row]
    return f"{name}_images[{row}]" if isinstance(split, ArraySplit) else f"{name}, image {row}"


def _check_balance(split: str, labels: Tensor, names: Sequence[str]) -> Iterator[Finding]:
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
