"""Lists of files with their classes (CSV, TSV, text) as splits: one list with or without a column of splits, or one for
each split."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lit_cnn.data.sources.class_names import numbered, require_classes, similar_names, sorted_classes
from lit_cnn.data.sources.extensions import extension, image_extensions, left_out_reasons
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.find_lists import WHOLE, find_lists, lists_of
from lit_cnn.data.sources.folders import FolderSplit, Labeled
from lit_cnn.data.sources.listed_files import ListedFiles
from lit_cnn.data.sources.tables import Table, read_table
from lit_cnn.data.sources.tree import own_images, walk
from lit_cnn.data.sources.wording import counted, few


class Row(NamedTuple):
    """One row of a list: an existing file, its class and split (or "all"), and where the row is."""

    path: str
    label: str
    split: str
    table: Table
    number: int

    @property
    def place(self) -> str:
        """What messages call it."""
        return self.table.place(self.number)


@dataclass
class _Reading:
    """What reading lists has found so far: rows by path, files left out, and sentences."""

    rows: dict[str, Row] = field(default_factory=dict)
    extensions: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def read_list(path: Path) -> Labeled:
    """Read a list, or the lists of a folder, for training.

    A list named as the training split is read with the lists of the other splits next to it.

    Raises:
        ValueError: one sentence on what is wrong with a list, naming it.
    """
    lists = lists_of(path)
    reading = _read(lists)
    splits = {row.split for row in reading.rows.values()}
    if "train" not in splits and WHOLE not in splits:
        raise ValueError(
            f"{path} lists {few(sorted(splits)) or 'no'} images but no training images; add rows of the split train"
        )
    train = "train" if "train" in splits else WHOLE
    names = sorted_classes({row.label for row in reading.rows.values() if row.split == train})
    require_classes(names, f"{path} lists")
    found = _labeled(reading, lists, names, "the training classes")
    return replace(found, left_out={**found.left_out, **_unlisted(path, reading)})


def _unlisted(path: Path, reading: _Reading) -> dict[str, int]:
    """How many images are in the folder, or for one list next to those of its rows, without a row."""
    if path.is_dir():
        there = {os.path.abspath(image) for image in walk(path).images}
    else:
        folders = {os.path.dirname(image) for image in reading.rows}
        there = {image for folder in folders for image in own_images(Path(folder))}
    count = len(there - reading.rows.keys())
    return {"without a row in the list": count} if count else {}


def read_listed_split(path: Path, class_names: Sequence[str], wanted: str) -> Labeled:
    """The rows of one split of a list, or all where it has no splits, with labels by the class names of a network.

    Raises:
        ValueError: one sentence: the split is not there, or a class is not the network's.
    """
    lists = find_lists(path) if path.is_dir() else {WHOLE: path}
    reading = _read({name: file for name, file in lists.items() if name in (wanted, WHOLE)} or lists)
    splits = sorted({row.split for row in reading.rows.values()})
    if wanted not in splits and len(splits) == 1 and splits != ["train"]:
        wanted = splits[0]
    if wanted not in splits:
        raise ValueError(
            f"{path} lists the splits {few(splits)} but not {wanted}; add rows of it, or pass another list"
        )
    reading.rows = {name: row for name, row in reading.rows.items() if row.split == wanted}
    return _labeled(reading, lists, list(class_names), "the network's classes", evaluated=True)


def _read(lists: dict[str, Path]) -> _Reading:
    """All rows of lists by the split that each is named for; a column of splits comes before that name."""
    reading = _Reading()
    for name, file in lists.items():
        try:
            table = read_table(file)
            _require_rows(table)
        except ValueError as error:
            if name != "test" or len(lists) == 1:
                raise
            reading.notes.append(f"the test split is left out: {error}")
            continue
        reading.notes += table.notes
        _add(reading, table, name)
    if len(lists) > 1:
        reading.notes.append(f"the splits were read from {', '.join(file.name for file in lists.values())}")
    if not reading.rows:
        raise ValueError(
            f"{few([str(file) for file in lists.values()])} lists no image; a row for each file is expected"
        )
    return reading


def _require_rows(table: Table) -> None:
    """Refuse a list with a header alone, as a folder without images is."""
    if not table.paths:
        raise ValueError(f"{table.file} lists no image; add a row for each below its header, or remove the file")


def _add(reading: _Reading, table: Table, name: str) -> None:
    """The rows of a list whose files are there."""
    finder, known, missing, repeated, bare = ListedFiles(table.file), {*image_extensions(), ""}, [], 0, 0
    for number in range(len(table.paths)):
        split = name if table.splits is None else table.splits[number]
        if not table.labels[number] and split == "test":
            bare += 1
            continue
        found = _find(finder, table, number)
        if found is None:
            missing.append(number)
            continue
        ending = extension(os.path.basename(found))
        if ending not in known:
            reading.extensions[ending] += 1
            continue
        if not table.labels[number]:
            raise ValueError(f"{table.place(number)} names no class; add it or remove the row")
        repeated += _enter(reading.rows, Row(found, table.labels[number], split, table, number))
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(table.paths)} files that {table.file} lists are missing, the first is "
            f"{table.paths[missing[0]]} ({table.place(missing[0])}); write paths relative to the list's folder, or "
            "remove these rows"
        )
    if repeated:
        reading.notes.append(f"{counted(repeated, 'repeated row')} of {table.file.name} read once")
    if bare:
        reading.notes.append(f"{counted(bare, 'test image')} of {table.file.name} without a class: left out")


def _find(finder: ListedFiles, table: Table, number: int) -> str | None:
    path = table.paths[number]
    if not path:
        raise ValueError(f"{table.place(number)} names no file; add its path or remove the row")
    try:
        found = finder.find(path)
    except ValueError as error:
        raise ValueError(f"{error} ({table.place(number)})") from None
    if len(found) > 1:
        raise ValueError(
            f"{path} ({table.place(number)}) may be {found[0]} or {found[1]}; write its path from the list's folder on"
        )
    return found[0] if found else None


def _enter(rows: dict[str, Row], row: Row) -> bool:
    """Add a row; whether its file was there already, with the same class and split."""
    known = rows.setdefault(row.path, row)
    for what, first, second in (("class", known.label, row.label), ("split", known.split, row.split)):
        if first != second:
            raise ValueError(
                f"{row.path} has the {what} {first} ({known.place}) and the {what} {second} ({row.place}); keep one"
            )
    return known is not row


def _labeled(
    reading: _Reading, lists: dict[str, Path], names: list[str], owner: str, *, evaluated: bool = False
) -> Labeled:
    """Splits whose labels are positions in ``names``; all rows are train, or in evaluation "all", without splits."""
    numbers = numbered(names)
    places: dict[str, list[Row]] = {}
    for row in reading.rows.values():
        split = row.split if evaluated or row.split != WHOLE else "train"
        if row.label not in numbers:
            raise ValueError(
                f"{row.place} has the class {row.label}, which is not one of {owner} ({few(names)}); correct it"
                " or remove its rows"
            )
        places.setdefault(split, []).append(row)
    base = os.path.abspath(next(iter(lists.values())).parent)
    root = _root(base, reading.rows)
    outside = base if root != base.rstrip(os.sep) else ""
    splits = {
        split: FolderSplit(
            PathTable.of([row.path for row in rows], root),
            torch.tensor([numbers[row.label] for row in rows]),
            _columns(rows),
            outside,
        )
        for split, rows in sorted(places.items(), key=lambda item: ("train", "val", "test", WHOLE).index(item[0]))
    }
    notes = (*reading.notes, *similar_names(names))
    return Labeled(splits, names, left_out_reasons(reading.extensions), notes)


def _root(base: str, paths: dict[str, Row]) -> str:
    """The list's folder where all files are in it, which stays when rows are added, else what all paths begin with."""
    inside = base.rstrip(os.sep)
    if all(path.startswith(inside + os.sep) for path in paths):
        return inside
    return os.path.commonpath([os.path.dirname(path) for path in paths]).rstrip(os.sep)


def _columns(rows: list[Row]) -> dict[str, np.ndarray]:
    """The values of the columns that every row of a split has."""
    tables = {id(row.table): row.table for row in rows}.values()
    shared = [name for name in rows[0].table.columns if all(name in table.columns for table in tables)]
    return {name: np.array([row.table.columns[name][row.number] for row in rows], dtype=np.str_) for name in shared}
