"""The labeled images of a folder or a list that a trained network is evaluated on, with its labels by class name."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from lit_cnn.data.sources.class_names import numbered, same_form
from lit_cnn.data.sources.extensions import few, left_out_reasons
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.find_lists import WHOLE, find_lists, is_list
from lit_cnn.data.sources.flat import flat_labels, is_flat
from lit_cnn.data.sources.folders import FolderSplit, Labeled
from lit_cnn.data.sources.labeled import lacks_class_folders
from lit_cnn.data.sources.layout import Layout, find_layout
from lit_cnn.data.sources.lists import read_listed_split
from lit_cnn.data.sources.tree import subfolders, walk


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
    folders = subfolders(path)
    # A network's own class may have a split's name.
    if folders and all(folder.name in class_names for folder in folders):
        return _read(WHOLE, path, class_names)
    layout = find_layout(path)
    if lacks_class_folders(path) and split not in layout.splits and find_lists(path):
        return read_listed_split(path, class_names, split)
    name, folder = _choose(path, layout, split)
    return _flat(name, folder, layout, class_names) if is_flat(folder) else _read(name, folder, class_names)


def _choose(path: Path, layout: Layout, split: Literal["val", "test"]) -> tuple[str, Path]:
    found = layout.splits
    if not found:
        return WHOLE, layout.root
    if split in found:
        return split, found[split]
    if len(found) == 1 and "train" not in found:
        return next(iter(found.items()))
    there = " and ".join(f"{folder.name}/" for folder in found.values())
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
    paths: list[str] = []
    labels: list[int] = []
    extensions: Counter[str] = Counter()
    for place in subfolders(folder):
        tree = walk(place)
        extensions += tree.extensions
        if tree.images and place.name not in numbers:
            twin = next((known for known in class_names if same_form(known) == same_form(place.name)), None)
            meant = f"; is it {twin!r}?" if twin is not None else ""
            raise ValueError(
                f"{place} is named as none of the network's classes ({few(list(class_names))}){meant}; rename or "
                "remove it"
            )
        paths += tree.images
        labels += [numbers[place.name]] * len(tree.images) if tree.images else []
    if not paths:
        raise ValueError(
            f"{folder} holds no image in class folders; one folder per class is expected, named as the network's "
            f"classes ({few(list(class_names))})"
        )
    images = FolderSplit(PathTable.of(paths, str(folder)), torch.tensor(labels))
    return Labeled({name: images}, list(class_names), left_out_reasons(extensions))
