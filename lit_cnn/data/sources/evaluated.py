"""The labeled images of a folder or a list that a trained network is evaluated on, with its labels by class name."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from lit_cnn.data.sources.extensions import few, left_out_reasons
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit, Labeled
from lit_cnn.data.sources.layout import Layout, find_layout
from lit_cnn.data.sources.tree import subfolders, walk

WHOLE = "all"
"""Name of the split of a folder that has none."""


def labeled_images(path: Path, class_names: Sequence[str], split: Literal["val", "test"]) -> Labeled:
    """The images of one split of ``path``, or all of them where it has no splits.

    Args:
        path: a folder of class folders, or one with ``val/`` or ``test/`` of such folders (see ``layout.py``).
        class_names: of the network; label k is ``class_names[k]``. The folder may lack some and order them otherwise.
        split: which to take; another one is taken where it is the only one and not train.

    Returns:
        One split, named as it was found, or "all".

    Raises:
        ValueError: one sentence: the split is not there, no image is, or a class is not the network's.
    """
    folders = subfolders(path)
    # A network's own class may have a split's name.
    layout = Layout(path) if folders and all(f.name in class_names for f in folders) else find_layout(path)
    name, folder = _choose(path, layout, split)
    return _read(name, folder, class_names)


def _choose(path: Path, layout: Layout, split: Literal["val", "test"]) -> tuple[str, Path]:
    found = layout.splits
    if not found:
        return WHOLE, layout.root
    if split in found:
        return split, found[split]
    if len(found) == 1 and "train" not in found:
        return next(iter(found.items()))
    there = " and ".join(f"{folder.name}/" for folder in found.values())
    advice = "pass the folder whose images you mean, or add one named " + split
    raise ValueError(f"{path} holds {there} but no {split} split; {advice}")


def _read(name: str, folder: Path, class_names: Sequence[str]) -> Labeled:
    """All images of the class folders of ``folder``."""
    numbers = {known: number for number, known in enumerate(class_names)}
    paths: list[str] = []
    labels: list[int] = []
    extensions: Counter[str] = Counter()
    for place in subfolders(folder):
        tree = walk(place)
        extensions += tree.extensions
        if tree.images and place.name not in numbers:
            raise ValueError(
                f"{place} is not a class of the network, which knows {few(list(class_names))}; rename or remove it"
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
