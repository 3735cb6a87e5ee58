"""Cross-validation on few images: each is validated on once, by a fold that a hash of its name decides."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

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


FoldsAsked = Literal["auto", "1"]
"""Folds where the validation images are few, or always the given split."""


def fold_numbers(images: ImageSet, asked: FoldsAsked = "auto") -> tuple[int, ...]:
    """The numbers of folds that may be taken; 1 for the images' own validation split."""
    if why_no_folds(images, asked):
        return (1,)
    fewest = min(count for count in pooled_counts(images) if count >= FOLDS[-1])
    return tuple(number for number in FOLDS if number <= fewest)


def why_no_folds(images: ImageSet, asked: FoldsAsked = "auto") -> str:
    """Why the images' own validation split is taken; empty where they are divided into folds."""
    if asked == "1":
        return "--folds 1 asks for it"
    if images.count("val") >= ENOUGH:
        return f"{images.count('val'):,} validation images are enough without folds"
    if not isinstance(images.splits["train"], FolderSplit):
        return "arrays are not divided into folds, only files are"
    if max(pooled_counts(images)) < FOLDS[-1]:
        return f"no class has the {FOLDS[-1]} images that folds need"
    return ""


def pooled_counts(images: ImageSet) -> list[int]:
    """Files of each class to train and validate on."""
    return np.bincount(images.pooled().labels.numpy(), minlength=len(images.class_names)).tolist()


def folds_of(hashes: np.ndarray, labels: np.ndarray, folds: int) -> np.ndarray:
    """int64 (N,): the fold of each image. Of each class the folds have as many images, give or take one; images of
    classes with fewer images than there are folds are in none (-1), and so trained on in all.

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
    found[counts[labels] < folds] = -1
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
