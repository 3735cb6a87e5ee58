"""A split whose images are in one folder without class folders, with a list that gives their classes, as ImageNet's
``val/`` and ``LOC_val_solution.csv``."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lit_cnn.data.sources.class_names import numbered
from lit_cnn.data.sources.find_lists import WHOLE, lists_in, named_lists
from lit_cnn.data.sources.layout import has_class_folders, split_of
from lit_cnn.data.sources.tables import Table, has_columns, read_table
from lit_cnn.data.sources.tree import own_images
from lit_cnn.data.sources.wording import few

ABOVE = 3
"""Folders above that of the splits in which ImageNet's list may be: Kaggle's archive has it there."""


def is_flat(folder: Path) -> bool:
    """Whether a folder holds images but no class folders."""
    return any(True for _ in own_images(folder)) and not has_class_folders(folder)


def flat_labels(folder: Path, root: Path, split: str, class_names: Sequence[str]) -> tuple[list[str], list[int], Path]:
    """The images of a flat split, their labels, and the list that gives these.

    Args:
        folder: that of the images.
        root: the folder that holds the splits' folders.
        split: name of the split.
        class_names: label k is ``class_names[k]``.

    Raises:
        LookupError: if there is no such list.
        ValueError: if a list leaves out an image or gives a class that is not in ``class_names``; one sentence.
    """
    images = sorted(own_images(folder))
    for file in _candidates(folder, root, split):
        table = read_table(file)
        paths = _slashed(table.paths, images)
        named = _by_name(table, paths, _rows_of(table, paths, folder, root, split))
        classes = [named.get(name, named.get(name.rpartition(".")[0])) for name in map(os.path.basename, images)]
        if not any(classes):
            continue
        without = [image for image, label in zip(images, classes, strict=True) if not label]
        if without:
            raise ValueError(
                f"{file} gives no class for {len(without)} of the {len(images)} images in {folder}, the "
                f"first is {os.path.basename(without[0])}; add rows or remove the images"
            )
        return images, _labels(table, classes, class_names), file
    raise LookupError(split)


def _slashed(paths: Sequence[str], images: Sequence[str]) -> list[str]:
    """The paths of a list with forward slashes, except where a backslash is part of an image's name."""
    own = {os.path.basename(image) for image in images if "\\" in image}
    return [path if os.path.basename(path) in own else path.replace("\\", "/") for path in paths]


def _rows_of(table: Table, paths: Sequence[str], folder: Path, root: Path, split: str) -> list[int]:
    """Numbers of the rows that may be of the images in ``folder``: of the split, where a column states it, and in that
    folder, where their paths state one. Without either, the list's name must not say another split."""
    rows: Iterable[int] = range(len(paths))
    if table.splits is not None and split != WHOLE:
        rows = [row for row in rows if table.splits[row] == split]
    other = table.splits is None and split_of(table.file.stem)[0] not in (None, split)
    stated = {place: _is_place(place, table.file, folder, root) for place in set(map(os.path.dirname, paths))}
    stated[""] = not other
    return [row for row in rows if stated[os.path.dirname(paths[row])]]


def _is_place(place: str, file: Path, folder: Path, root: Path) -> bool:
    """Whether the folder that a list states is ``folder``: from the list's own on, as the end of its path, or, of a set
    that was moved, from the folder of the splits on."""
    there, below = os.path.abspath(folder), os.path.relpath(folder, root)
    if os.path.abspath(file.parent / place) == there:
        return True
    stated = f"{os.sep}{os.path.normpath(place)}"
    return there.endswith(stated) or (below != os.curdir and stated.endswith(f"{os.sep}{below}"))


def _labels(table: Table, classes: list[str | None], class_names: Sequence[str]) -> list[int]:
    numbers = numbered(class_names)
    unknown = [label for label in classes if label not in numbers]
    if unknown:
        raise ValueError(
            f"{table.file} gives the class {unknown[0]}, which is not among the classes ({few(list(class_names))}); "
            "write them by these names"
        )
    return [numbers[str(label)] for label in classes]


def _by_name(table: Table, paths: Sequence[str], rows: Iterable[int]) -> dict[str, str]:
    """Class of the file of each row by its name without folders."""
    named: dict[str, str] = {}
    for row in rows:
        name, label = os.path.basename(paths[row]), table.labels[row]
        if named.setdefault(name, label) != label:
            raise ValueError(
                f"{table.file} gives {name} the classes {named[name]} and {label} (line {table.lines[row]}); keep one"
            )
    return named


def _candidates(folder: Path, root: Path, split: str) -> Iterator[Path]:
    """Lists that may give the classes: named for the split or, in the split's own folder, any."""
    place = folder
    while True:
        yield from named_lists(place, split)
        if place in (root, place.parent):
            break
        place = place.parent
    yield from (file for file in (*lists_in(folder), *lists_in(root)) if has_columns(file))
    for above in list(root.absolute().parents)[:ABOVE]:
        file = above / f"LOC_{split}_solution.csv"
        if file.is_file():
            yield file
