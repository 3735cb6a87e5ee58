"""Groups of images, such as those of one patient, that are held out whole."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.names import NamedSplit, image_names, relative_path, text_hashes, to_unit

COLUMN = "column:"
"""Begins a ``data.group_by`` that names a column of a list."""
_NAMED = 5
"""Classes or groups that a note names."""


def require_grouping(group_by: str) -> None:
    """Refuse what is neither a column nor a regular expression.

    Raises:
        ValueError: with the position of the mistake.
    """
    if group_by.startswith(COLUMN):
        return
    try:
        re.compile(group_by)
    except (re.error, OverflowError, RecursionError) as error:  # the message of re.error gives the position
        raise ValueError(
            f"data.group_by {group_by!r} is not a regular expression ({error}): correct it, or state column:NAME for a "
            "column of a list"
        ) from None


def image_groups(split: NamedSplit, group_by: str) -> np.ndarray:
    """str (N,): the group of each image.

    Args:
        split: the images.
        group_by: column:NAME, or a regular expression that is searched in the path below the split's folder, whose
            first group, or whole match where it has none, is the name.

    Raises:
        ValueError: naming the first image that has none, or the column that is not there.
    """
    paths = image_names(split)
    name_of = _column(split, group_by.removeprefix(COLUMN)) if group_by.startswith(COLUMN) else _match(paths, group_by)
    names = [name_of(row) for row in range(len(split))]
    for row, name in enumerate(names):
        if not name:
            reason = "is empty for" if group_by.startswith(COLUMN) else "matches nothing of"
            raise ValueError(
                f"data.group_by {group_by!r} {reason} the image {relative_path(paths, row)}, but every image "
                "needs a group: change data.group_by, or the image's entry or name"
            )
    return np.array(names, dtype=np.str_)


def _match(paths: PathTable, group_by: str) -> Callable[[int], str]:
    pattern = re.compile(group_by)

    def name_of(row: int) -> str:
        found = pattern.search(relative_path(paths, row))
        return (found[1 if pattern.groups else 0] or "") if found else ""

    return name_of


def _column(split: NamedSplit, name: str) -> Callable[[int], str]:
    columns = split.columns if isinstance(split, FolderSplit) else {}
    if name not in columns:
        known = f"it has {', '.join(sorted(columns))}" if columns else "only lists of files have columns"
        raise ValueError(
            f"data.group_by names the column {name!r}, which the data does not have ({known}): correct it, or state a "
            "regular expression over the paths"
        )
    values = columns[name]
    return lambda row: str(values[row]).strip()


def rows_by_group(
    labels: np.ndarray, groups: np.ndarray, class_names: Sequence[str], fraction: float
) -> tuple[np.ndarray, list[str]]:
    """bool (N,): the images of the groups held out, whose names have a hash in [0, 1) below ``fraction``; and what is
    to be said of it.

    Where all groups of a class would be held out, the one of its highest hash is trained on; where none would, the one
    of its lowest hash is held out that leaves every class a training image.

    Raises:
        ValueError: if none can be held out.
    """
    names, number = np.unique(groups, return_inverse=True)
    place = to_unit(text_hashes(names.tolist()))
    contains = np.zeros((len(names), len(class_names)), dtype=bool)
    contains[number, labels] = True
    held = place < fraction
    by_hash = np.argsort(place, kind="stable")
    for label in np.flatnonzero(contains.any(axis=0) & ~contains[~held].any(axis=0)):
        if not contains[~held, label].any():
            held[by_hash[contains[by_hash, label]][-1]] = False
    trained = contains[~held].sum(axis=0)  # training groups of each class
    absent = []
    for label in np.flatnonzero(contains.any(axis=0) & ~contains[held].any(axis=0)).tolist():
        if contains[held, label].any():
            continue
        own = by_hash[contains[by_hash, label]]
        chosen = next((group for group in own if (trained[contains[group]] > 1).all()), None)
        if chosen is None:
            absent.append(class_names[label])
        else:
            held[chosen] = True
            trained -= contains[chosen]
    if not held.any():
        raise ValueError(
            f"data.group_by makes {few('group', 'groups', names.tolist())} of the training images, of which none can "
            "be held out without leaving a class untrained: state smaller groups, or give a validation split"
        )
    note = f"{few('class', 'classes', absent)} without validation images: no group of data.group_by can be spared"
    return held[number], [note] if absent else []


def shared_groups(groups: dict[str, np.ndarray]) -> list[str]:
    """A sentence for each split that shares groups with the training split.

    Args:
        groups: split -> (N,) group of each of its images; empty where there are no groups.
    """
    notes = []
    for name, title in (("val", "validation"), ("test", "test")):
        shared = np.intersect1d(groups["train"], groups[name]).tolist() if name in groups else []
        if shared:
            notes.append(
                f"{few('group', 'groups', shared)} of data.group_by both in the training and in the {title} split, so "
                f"that {title} accuracy is flattered"
            )
    return notes


def few(one: str, several: str, names: Sequence[str]) -> str:
    """``1 class (cat)``, ``7 classes (a, b, c, d, e, ...)``."""
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"{len(names)} {one if len(names) == 1 else several} ({shown})"
