"""Cross-validation on few images: each is validated on once, by a fold that a hash of its name decides."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lit_cnn.choosing.images import ImageSet
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.names import name_hashes
from lit_cnn.run_folder.atomic import write_text

ENOUGH = 1000
"""Validation images from which on no folds are needed: at 100 the standard error of a paired difference is about 4
points, at 1000 1.3."""
FOLDS = (5, 3)
"""Numbers of folds, the second where there is no time for the first."""


def fold_numbers(images: ImageSet) -> tuple[int, ...]:
    """The numbers of folds that may be taken; 1 for the images' own validation split."""
    if images.count("val") >= ENOUGH or not isinstance(images.splits["train"], FolderSplit):
        return (1,)
    fewest = min(np.bincount(images.pooled().labels.numpy(), minlength=len(images.class_names)).tolist())
    return tuple(number for number in FOLDS if number <= fewest) or (1,)


def folds_of(hashes: np.ndarray, labels: np.ndarray, folds: int) -> np.ndarray:
    """int64 (N,): the fold of each image. Of each class the folds have as many images, give or take one.

    Args:
        hashes: int64 (N,) of the images' names.
        labels: int64 (N,) of their classes.
        folds: How many there are.
    """
    order = np.lexsort((hashes, labels))
    counts = np.bincount(labels)
    places = np.concatenate([np.arange(count) for count in counts]) if len(counts) else np.zeros(0, dtype=np.int64)
    found = np.empty(len(labels), dtype=np.int64)
    # A class begins where the one before it has ended, so that the last images do not all fall into the first folds.
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    found[order] = (places + starts) % folds
    return found


def write_folds(images: ImageSet, folds: int, folder: Path) -> list[Path]:
    """A list of files for each fold, in which the images of the fold are those to validate on; returns the lists."""
    pooled = images.pooled()
    numbers = folds_of(name_hashes(pooled, images.class_names), pooled.labels.numpy(), folds)
    folder.mkdir(parents=True, exist_ok=True)
    names = [images.class_names[label] for label in pooled.labels.tolist()]
    paths = [pooled.paths[row] for row in range(len(pooled))]
    files = []
    for fold in range(folds):
        splits = ["val" if number == fold else "train" for number in numbers.tolist()]
        files.append(folder / f"fold{fold}.csv")
        write_text(files[-1], _list(paths, names, splits))
    return files


def _list(paths: Sequence[str], names: Sequence[str], splits: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "label", "split"])
    writer.writerows(zip(paths, names, splits, strict=True))
    return text.getvalue()
