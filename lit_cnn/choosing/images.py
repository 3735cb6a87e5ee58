"""What the images are that a network is chosen for: classes, numbers, sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from lit_cnn.data.loading.fingerprints import digest
from lit_cnn.data.sources.arrays import ArraySplit, read_npz
from lit_cnn.data.sources.decoding import attempt
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.holdout import rows_by_hash, stratified_rows
from lit_cnn.data.sources.labeled import read_labeled
from lit_cnn.data.sources.load import resolve_data_path

HELD_OUT = 0.1
"""Share of the training images that a recipe validates on where there are no validation images."""
LOOKED_AT = 64
"""Image files whose sizes are read."""
BOXES = (("Annotations", "JPEGImages"), ("annotations", ""), ("labels", "images"))
"""Folders of the layouts of detection (Pascal VOC, COCO, YOLO): where the boxes are, and where the images."""


@dataclass(frozen=True)
class ImageSet:
    """Images with their classes.

    Args:
        path: Where they are.
        source: What a recipe's ``data.source`` says of them.
        class_names: K names.
        splits: train and, where they are there, val and test.
        channels: Of the images as they are read.
        side: Shorter side in pixels that half of the images exceed or have.
        smallest: The shortest side that was seen.
        largest: The longest shorter side that was seen.
    """

    path: Path
    source: Literal["imagefolder", "npz"]
    class_names: list[str]
    splits: Mapping[str, ArraySplit] | Mapping[str, FolderSplit]
    channels: int
    side: int
    smallest: int
    largest: int

    def count(self, split: str) -> int:
        """Images of a split; where there is none to validate on, a recipe holds it out of the training images."""
        if split == "val" and "val" not in self.splits:
            return self.held_out
        if split == "train" and "val" not in self.splits:
            return len(self.splits["train"]) - self.held_out
        return len(self.splits[split]) if split in self.splits else 0

    @cached_property
    def held_out(self) -> int:
        """Training images that a recipe validates on where there are no validation images."""
        train = self.splits["train"]
        if isinstance(train, FolderSplit):
            return int(rows_by_hash(train, self.class_names, HELD_OUT)[0].sum())
        return len(stratified_rows(train.labels, HELD_OUT)[1])

    @property
    def labeled(self) -> int:
        """Images to train and validate on."""
        return self.count("train") + self.count("val")

    def class_counts(self) -> list[int]:
        """Training images of each class, among them those that are held out."""
        return torch.bincount(self.splits["train"].labels, minlength=len(self.class_names)).tolist()

    def digest(self) -> str:
        """What says whether these are the same images, with the same classes, in the same split."""
        return "-".join(
            digest(self.splits[name], self.class_names)[:16] for name in ("train", "val") if name in self.splits
        )

    def pooled(self) -> FolderSplit:
        """The files to train and validate on as one split.

        Raises:
            TypeError: If they are not files.
        """
        train, val = self.splits["train"], self.splits.get("val")
        if not isinstance(train, FolderSplit):
            raise TypeError("only files are pooled")
        if not isinstance(val, FolderSplit):
            return train
        paths = [split.paths[row] for split in (train, val) for row in range(len(split))]
        return FolderSplit(type(train.paths).of(paths), torch.cat([train.labels, val.labels]))


def open_images(stated: str | Path) -> ImageSet:
    """Look at a folder of class folders, a list of files or an npz file.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it holds boxes, or no classes.
    """
    path = resolve_data_path(stated, "--data").resolve()
    if path.suffix == ".npz":
        arrays, names = read_npz(path)
        height, width = arrays["train"].images.shape[-2:]
        side, channels = min(height, width), arrays["train"].images.shape[1]
        return ImageSet(path, "npz", names, arrays, channels, side, side, side)
    refuse_boxes(path)
    found = read_labeled(path)
    sides = sorted(_sides(found.splits["train"]))
    if not sides:
        raise ValueError(f"none of the images that were looked at in {path} can be read: lit-cnn check {path} says why")
    median = sides[(len(sides) - 1) // 2]
    return ImageSet(path, "imagefolder", found.class_names, found.splits, 3, median, sides[0], sides[-1])


def refuse_boxes(path: Path) -> None:
    """Refuse a folder whose images have boxes instead of classes.

    Raises:
        ValueError: Naming the folder of the boxes.
    """
    for boxes, images in BOXES:
        if (path / boxes).is_dir() and (not images or (path / images).is_dir()):
            kinds = {file.suffix for file in (path / boxes).iterdir()}
            if kinds & ({".xml"} if boxes == "Annotations" else {".json"} if boxes == "annotations" else {".txt"}):
                raise ValueError(
                    f"{path} holds boxes ({boxes}/), but class folders are expected: what is chosen here classifies "
                    "whole images; detectors are trained by the recipes in recipes/detection"
                )


def _sides(split: FolderSplit) -> list[int]:
    """Shorter sides of some images, spread evenly; those that cannot be read are passed over."""
    rows = np.unique(np.linspace(0, len(split) - 1, min(LOOKED_AT, len(split))).round().astype(int)).tolist()
    found = (attempt(partial(_size, split, row)) for row in rows)
    return [min(size) for size in found if isinstance(size, tuple)]


def _size(split: FolderSplit, row: int) -> tuple[int, int]:
    return split.read(row).sides()
