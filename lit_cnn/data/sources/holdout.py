"""Which images are held out for validation where a set has no validation split.

Files (of folders and of lists) are held out by a hash of what they are called (``names.py``), so that adding, removing
or renaming other files or classes moves none of them. Sets in memory, whose rows have no names, and runs that began
before the hash did, hold out by a permutation of the rows of each class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.groups import few, image_groups, require_grouping, rows_by_group, shared_groups
from lit_cnn.data.sources.huggingface import HubSplit
from lit_cnn.data.sources.names import NamedSplit, hold_out_hashes, to_unit
from lit_cnn.randomness import generator

HoldOutRule = Literal["hash", "rows"]
GIVEN = "given"
"""Where the validation images come from that are not held out."""
Named = TypeVar("Named", FolderSplit, HubSplit)


@dataclass(frozen=True)
class HoldOut:
    """How images are held out.

    Args:
        fraction: of the images, or with ``group_by`` of the groups.
        rule: hash of class and path, or rows: the permutation of older runs.
        group_by: regular expression over the path below the split's folder whose first group, or whole match, is the
            name of the image's group, or column:NAME of a list; groups are held out whole.

    Raises:
        ValueError: naming the field whose value is impossible.
    """

    fraction: float = 0.1
    rule: HoldOutRule = "hash"
    group_by: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction < 1.0:
            raise ValueError(f"data.val_fraction is {self.fraction!r} but must lie between 0 and 1")
        if self.rule not in ("hash", "rows"):
            raise ValueError(f"data.hold_out is {self.rule!r} but must be hash or rows")
        if self.group_by is not None and self.rule == "rows":
            raise ValueError("data.group_by holds out groups by the hash of their names: set data.hold_out to hash")
        if self.group_by is not None:
            require_grouping(self.group_by)


@dataclass(frozen=True)
class SetAside(Generic[Named]):
    """Training and validation images.

    Args:
        train: to train on.
        val: to validate on.
        how: how the validation images were chosen, for people.
        notes: sentences on classes or groups for which the rule made an exception.
    """

    train: Named
    val: Named
    how: str
    notes: tuple[str, ...] = ()


def stratified_rows(labels: Tensor, fraction: float) -> tuple[Tensor, Tensor]:
    """Rows (kept, held out), both sorted; ``fraction`` of each class is held out, at least one image of two or more."""
    values, counts = labels.unique(return_counts=True)
    held = []
    for label, rows in zip(values.tolist(), labels.argsort(stable=True).split(counts.tolist()), strict=True):
        count = round(len(rows) * fraction)
        count = min(max(count, 1), len(rows) - 1) if len(rows) > 1 else 0
        held.append(rows[torch.randperm(len(rows), generator=generator("split", label))[:count]])
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[torch.cat(held)] = True
    return (~mask).nonzero().flatten(), mask.nonzero().flatten()


def require_some(held: int) -> None:
    """Refuse a source of which nothing can be held out."""
    if held == 0:
        raise ValueError("the source holds one image per class, too few to set any aside for validation; add images")


def set_aside(splits: dict[str, Named], class_names: Sequence[str], hold_out: HoldOut) -> SetAside[Named]:
    """Training and validation images of files: the given validation split, or one held out of the training images.

    Args:
        splits: by name, with train and perhaps val and test.
        class_names: K names.
        hold_out: how, where there is no val.

    Raises:
        ValueError: if no image can be held out, or a training image has no group; one sentence says why.
    """
    groups: dict[str, np.ndarray] = {}
    notes: list[str] = []
    if hold_out.group_by is not None:
        groups, notes = _groups(splits, hold_out.group_by)
    train = splits["train"]
    if "val" in splits:
        val, how = splits["val"], GIVEN
    else:
        held, how, said = _held_out(train, class_names, hold_out, groups.get("train"))
        notes += said
        train, val = (train.take(torch.from_numpy(np.flatnonzero(rows))) for rows in (~held, held))
        if groups:
            groups["train"] = groups["train"][~held]
    return SetAside(train, val, how, (*notes, *shared_groups(groups)))


def _groups(splits: Mapping[str, Named], by: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """The groups of each split's images, and what is to be said of those that have none: only training images need
    them."""
    found: dict[str, np.ndarray] = {}
    notes: list[str] = []
    for name, split in splits.items():
        try:
            found[name] = image_groups(split, by)
        except ValueError as error:
            if name == "train":
                raise
            notes.append(f"whether {name} shares groups with the training images is not known: {error}")
    return found, notes


def _held_out(
    train: NamedSplit, class_names: Sequence[str], hold_out: HoldOut, groups: np.ndarray | None
) -> tuple[np.ndarray, str, list[str]]:
    """bool (N,), how it was chosen, and notes."""
    share = f"{100 * hold_out.fraction:g} %"
    if groups is not None:
        held, notes = rows_by_group(train.labels.numpy(), groups, class_names, hold_out.fraction)
        return held, f"held out: {share} of the groups of data.group_by {hold_out.group_by}", notes
    if hold_out.rule == "hash":
        held, notes = rows_by_hash(train, class_names, hold_out.fraction)
        require_some(int(held.sum()))
        return held, f"held out: {share} by a hash of class and path", notes
    held = np.zeros(len(train), dtype=bool)
    held[stratified_rows(train.labels, hold_out.fraction)[1].numpy()] = True
    require_some(int(held.sum()))
    return held, f"held out: {share} of each class by rows", []


def rows_by_hash(split: NamedSplit, class_names: Sequence[str], fraction: float) -> tuple[np.ndarray, list[str]]:
    """bool (N,): the images held out, those whose hash in [0, 1) lies below ``fraction``; and what is to be said of it.

    A class that would have none holds out its lowest hash, and one that would have nothing else trains on its highest:
    the one case in which another image of the class can move one. The one image of a class is never held out.
    """
    place, labels = to_unit(hold_out_hashes(split, class_names)), split.labels.numpy()
    held = place < fraction
    counts = np.bincount(labels, minlength=len(class_names))
    among = np.bincount(labels[held], minlength=len(class_names))
    none, all_of_them = (counts > 1) & (among == 0), (counts > 0) & (among == counts)
    if none.any() or all_of_them.any():
        order = np.lexsort((place, labels))
        ends = np.cumsum(counts)
        held[order[(ends - counts)[none]]] = True
        held[order[(ends - 1)[all_of_them]]] = False
    several = all_of_them & (counts > 1)
    notes = []
    if none.any():
        notes.append(
            f"held out of {_named(none, class_names)}, where data.val_fraction alone would take none: the image with "
            "the lowest hash, which an image added to the class can change"
        )
    if several.any():
        notes.append(
            f"trained on of {_named(several, class_names)}, where data.val_fraction alone would hold out all: the "
            "image with the highest hash, which an image added to the class can change"
        )
    return held, notes


def _named(chosen: np.ndarray, class_names: Sequence[str]) -> str:
    return few("class", "classes", [class_names[number] for number in np.flatnonzero(chosen).tolist()])
