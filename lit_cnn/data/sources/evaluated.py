"""The labeled images of a folder or a list that a trained network is evaluated on, with its labels by class name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from lit_cnn.data.sources.class_folders import left_out, list_classes, nesting_notes
from lit_cnn.data.sources.class_names import numbered, same_form
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.find_lists import WHOLE, find_lists, is_list
from lit_cnn.data.sources.flat import flat_labels, is_flat
from lit_cnn.data.sources.folders import FolderSplit, Labeled
from lit_cnn.data.sources.labeled import lacks_class_folders
from lit_cnn.data.sources.layout import Layout, find_layout, has_class_folders, split_of
from lit_cnn.data.sources.lists import read_listed_split
from lit_cnn.data.sources.tree import subfolders
from lit_cnn.data.sources.wording import few


def labeled_images(path: Path, class_names: Sequence[str], split: Literal["val", "test"]) -> Labeled:
    """The images of one split of ``path``, or all of them where it has no splits.

    Args:
        path: a folder of class folders, or one with ``val/`` or ``test/`` of such folders (see ``layout.py``), or a
            list of files with their classes. It may lack classes of the network and order them otherwise.
        class_names: of the network; label k is ``class_names[k]``.
        split: which to take; another one is taken where it is the only one and not train.

    Returns:
        One split, named as it was found, or "all".

    Raises:
        ValueError: one sentence: the split is not there, no image is, or a class is not the network's.
    """
    if path.is_file():
        if not is_list(path):
            raise ValueError(
                f"{path} is not a folder of images or a list of them (.csv, .tsv or .txt); pass one of these"
            )
        return read_listed_split(path, class_names, split)
    if _holds_known_classes(path, class_names):
        return _read(WHOLE, path, class_names)
    layout = find_layout(path)
    if lacks_class_folders(path) and split not in layout.splits and find_lists(path):
        return read_listed_split(path, class_names, split)
    name, folder = _choose(path, layout, split)
    return _flat(name, folder, layout, class_names) if is_flat(folder) else _read(name, folder, class_names)


def _holds_known_classes(path: Path, class_names: Sequence[str]) -> bool:
    """Whether all folders are named as classes, which a split's name may be too, and none holds class folders then."""
    folders = subfolders(path)
    return bool(folders) and all(
        folder.name in class_names and not (split_of(folder.name)[0] and has_class_folders(folder))
        for folder in folders
    )


def _choose(path: Path, layout: Layout, split: Literal["val", "test"]) -> tuple[str, Path]:
    found = layout.splits
    if not found:
        return WHOLE, layout.root
    if split in found:
        return split, found[split]
    if len(found) == 1 and "train" not in found:
        return next(iter(found.items()))
    there = " and ".join(f"{folder.relative_to(path)}/" for folder in found.values())
    raise ValueError(f"{path} holds {there} but no {split} split; add one, or pass the folder whose images you mean")


def _flat(name: str, folder: Path, layout: Layout, class_names: Sequence[str]) -> Labeled:
    """A split without class folders, by the list that gives its classes."""
    try:
        images, labels, file = flat_labels(folder, layout.root, name, class_names)
    except LookupError:
        raise ValueError(
            f"{folder} holds images without class folders, so without labels; make one folder per class, or pass a "
            "list of its files with their classes (a CSV file with the columns path and label)"
        ) from None
    split = FolderSplit(PathTable.of(images, str(folder)), torch.tensor(labels))
    return Labeled({name: split}, list(class_names), notes=(f"the classes were read from {file}",))


def _read(name: str, folder: Path, class_names: Sequence[str]) -> Labeled:
    """All images of the class folders of ``folder``."""
    numbers = numbered(class_names)
    listing, _ = list_classes(folder, indexed=False)
    for place, count in zip(listing.classes, listing.counts, strict=True):
        if count and place not in numbers:
            twin = next((known for known in class_names if same_form(known) == same_form(place)), None)
            meant = f"; is it {twin!r}?" if twin is not None else ""
            raise ValueError(
                f"the folder {folder / place} is not named as one of the network's classes ({few(list(class_names))})"
                f"{meant}; rename or remove it"
            )
    if not len(listing.paths):
        raise ValueError(
            f"{folder} holds no image in class folders; one folder per class is expected, named as the network's "
            f"classes ({few(list(class_names))})"
        )
    labels = torch.tensor([numbers.get(place, -1) for place in listing.classes])
    images = FolderSplit(listing.paths, labels.repeat_interleave(torch.tensor(listing.counts)))
    notes = tuple(nesting_notes(folder, listing))
    return Labeled({name: images}, list(class_names), left_out([listing]), notes)
