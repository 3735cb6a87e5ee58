"""From a folder to annotated splits: which layout it has, what its files state, and what is held out for validation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.groups import image_groups, rows_by_group
from lit_cnn.data.sources.holdout import GIVEN, HoldOut, rows_by_hash
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.coco import coco_files, read_coco
from lit_cnn.detection.findings import RULES, plural, settle
from lit_cnn.detection.packed import PackedImages
from lit_cnn.detection.voc import read_voc, voc_folders
from lit_cnn.detection.yolo import read_yolo, yolo_folders

Layout = Literal["auto", "voc", "coco", "yolo"]
LAYOUTS = {
    "voc": "Annotations/ and JPEGImages/ of Pascal VOC",
    "coco": "annotations/instances_train*.json or train/_annotations.coco.json of COCO",
    "yolo": "images/train and labels/train, or train/images and train/labels, of YOLO",
}
"""Name -> what a folder of the layout holds."""
IMAGE = ("image",)
"""The one class that all images have where only their names matter."""


@dataclass(frozen=True)
class Annotated:
    """What a folder of annotated images holds.

    Args:
        origin: the folder.
        layout: voc, coco or yolo.
        splits: train, and val and test where they are there; of images that are evaluated alone, their split.
        notes: sentences on what else a user should know of how it was read.
        validation: where the validation images come from, for people.
    """

    origin: str
    layout: str
    splits: Mapping[str, AnnotatedSplit]
    notes: tuple[str, ...] = ()
    validation: str = GIVEN

    @property
    def measured(self) -> AnnotatedSplit:
        """Images to train on, or the only ones."""
        return self.splits["train"] if "train" in self.splits else next(iter(self.splits.values()))

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names in the order of the labels."""
        return self.measured.class_names

    @property
    def train(self) -> AnnotatedSplit:
        """Images to train on."""
        return self.splits["train"]

    @property
    def val(self) -> AnnotatedSplit:
        """Images to validate on, which are there ``with_validation``."""
        return self.splits["val"]

    @property
    def test(self) -> AnnotatedSplit | None:
        """Images to test on, where there are any."""
        return self.splits.get("test")


def fitting_layouts(path: Path) -> list[str]:
    """The layouts that a folder has."""
    tests: dict[str, Callable[[Path], object]] = {"voc": voc_folders, "coco": coco_files, "yolo": yolo_folders}
    return [name for name, test in tests.items() if path.is_dir() and test(path)]


def find_layout(path: Path, layout: Layout = "auto") -> str:
    """The stated layout, or the only one that fits.

    Raises:
        ValueError: If the folder does not have it, or none, or two.
    """
    if layout not in ("auto", *LAYOUTS):
        raise ValueError(f"data.layout is {layout!r} but must be auto, voc, coco or yolo")
    fitting = fitting_layouts(path)
    if layout != "auto":
        if layout not in fitting:
            raise ValueError(f"{path} does not have the layout {layout}, as it lacks {LAYOUTS[layout]}")
        return layout
    if not fitting:
        known = "; ".join(f"{name}: {text}" for name, text in LAYOUTS.items())
        raise ValueError(f"{path} has none of the layouts of annotated images ({known}); correct the path")
    if len(fitting) > 1:
        raise ValueError(f"{path} has {len(fitting)} layouts, {' and '.join(fitting)}: set data.layout to one of them")
    return fitting[0]


def read_annotations(path: Path, layout: Layout = "auto", *, to_train: bool = True) -> Annotated:
    """The annotated splits of a folder, by the rules of ``findings.py``.

    Args:
        path: the folder.
        layout: its layout.
        to_train: refuse a folder without training images; else any split will do.

    Raises:
        ValueError: One sentence on what is wrong with the folder.
    """
    found = find_layout(path, layout)
    root = str(path)
    notes: list[str] = []
    if found == "coco":
        coco = read_coco(path, to_train=to_train)
        splits, names, ids, noun = coco.splits, coco.class_names, coco.category_ids, "annotation"
        notes += coco.notes
    elif found == "yolo":
        splits, names = read_yolo(path, to_train=to_train)
        ids, noun = tuple(range(1, len(names) + 1)), "line"
    else:
        splits, noun = read_voc(path, to_train=to_train), "object"
        names = tuple(sorted({box.name for split in splits.values() for image in split.images for box in image.boxes}))
        ids = tuple(range(1, len(names) + 1))
    empty = [split for split, stated in splits.items() if not stated.images and not (to_train and split == "train")]
    notes += [f"the {split} split of {path} has no annotated image: left out" for split in empty]
    settled: dict[str, AnnotatedSplit] = {
        split: settle(splits[split], root, names, ids, noun)
        for split in ("train", "val", "test")
        if split in splits and split not in empty
    }
    if to_train:
        _require_boxes(path, settled["train"])
    elif not settled:
        raise ValueError(f"{path} holds no annotated image: {'; '.join(notes) or 'its lists name none'}")
    return Annotated(root, found, settled, tuple(notes))


def _require_boxes(path: Path, train: AnnotatedSplit) -> None:
    crowd = packed(train).crowd
    if crowd.all():
        crowds = [f"{plural('region', len(crowd))} of crowds, iscrowd, which no training sees"] if len(crowd) else []
        reasons = "; ".join([*crowds, *(sentences[0] for sentences in train.findings.values())])
        raise ValueError(f"the training images of {path} have no box{f' ({reasons})' if reasons else ''}")


def with_validation(annotated: Annotated, hold_out: HoldOut, *, trainval: bool = False) -> Annotated:
    """With training and validation images: as the layout gives them, or held out of the training images by the hash of
    their paths, so that images that are added or removed move no others.

    Args:
        annotated: with train and perhaps val.
        hold_out: how, where there is no val.
        trainval: take both together for training first, and hold out of them.

    Raises:
        ValueError: If none can be held out.
    """
    splits = dict(annotated.splits)
    if trainval and "val" in splits:
        splits["train"] = joined(splits["train"], splits.pop("val"))
    if "val" in splits:
        return replace(annotated, splits=splits)
    train = splits["train"]
    held, how = _held_out(train, hold_out)
    if not held.any() or held.all():
        raise ValueError(
            f"of the {len(train)} training images of {annotated.origin} none can be held out for validation by "
            f"data.val_fraction {hold_out.fraction:g}: add images, or a validation split"
        )
    splits["train"], val = (take(train, np.flatnonzero(rows)) for rows in (~held, held))
    splits["val"] = replace(val, findings={})  # counted with the training images
    return replace(annotated, splits=splits, validation=how)


def _held_out(train: AnnotatedSplit, hold_out: HoldOut) -> tuple[np.ndarray, str]:
    """bool (N,): the images held out; and how they were chosen."""
    files, share = as_files(train), f"{100 * hold_out.fraction:g} %"
    if hold_out.group_by is None:
        return rows_by_hash(files, IMAGE, hold_out.fraction)[0], f"held out: {share} by a hash of the path"
    groups = image_groups(files, hold_out.group_by)
    held = rows_by_group(files.labels.numpy(), groups, IMAGE, hold_out.fraction)[0]
    return held, f"held out: {share} of the groups of data.group_by {hold_out.group_by}"


def as_files(split: AnnotatedSplit) -> FolderSplit:
    """The files of a split without their annotations, all of the class ``IMAGE``."""
    names = packed(split).paths
    root = split.root if split.root.endswith("/") else f"{split.root}/"
    table = PathTable(root, names.content, names.ends, names.rows)
    return FolderSplit(table, torch.zeros(len(table), dtype=torch.int64))


def packed(split: AnnotatedSplit) -> PackedImages:
    """The images of a split that ``read_annotations`` gave."""
    assert isinstance(split.images, PackedImages)
    return split.images


def take(split: AnnotatedSplit, rows: np.ndarray) -> AnnotatedSplit:
    """The given images, in their order; the findings stay those of the whole."""
    return replace(split, images=packed(split).take(rows))


def joined(first: AnnotatedSplit, second: AnnotatedSplit) -> AnnotatedSplit:
    """The images of both splits; of one that both list, the second is left out."""
    known, others = set(packed(first).paths), list(packed(second).paths)
    doubled = [f"{path} is in both splits: the second is left out" for path in others if path in known]
    found = (first.findings, second.findings, {"doubled image": doubled})
    findings = {kind: tuple(text for each in found for text in each.get(kind, ())) for kind in RULES}
    fresh = packed(second).take(np.flatnonzero([path not in known for path in others]))
    stated = {kind: texts for kind, texts in findings.items() if texts}
    return replace(first, images=packed(first).joined(fresh), findings=stated)
