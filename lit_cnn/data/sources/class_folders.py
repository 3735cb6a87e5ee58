"""One folder of class folders: its files by class, and what a user should know where the folders below are nested."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lit_cnn.data.sources.class_names import require_text
from lit_cnn.data.sources.extensions import left_out_reasons
from lit_cnn.data.sources.file_index import Listing, PathTable, load_listing, save_listing, unreliable
from lit_cnn.data.sources.layout import is_neutral, split_of
from lit_cnn.data.sources.tree import (
    LINK_TO_NOTHING,
    count_thumbnails,
    links_to_nothing,
    own_images,
    own_links_to_nothing,
    subfolders,
    walk,
)
from lit_cnn.data.sources.wording import counted, few

NAMED = 5
"""Links to nothing that are named each."""


def class_folders(folder: Path) -> list[str]:
    """Sorted names of the class folders of a split.

    Raises:
        ValueError: if the folder cannot be listed or a name is not valid text.
    """
    places = subfolders(folder)
    for place in places:
        require_text(place.name, place)
    return [place.name for place in places]


def list_classes(folder: Path, *, indexed: bool) -> tuple[Listing, list[str]]:
    """The files of every class folder in ``folder``, and sentences on a list of them that was kept earlier.

    Args:
        folder: a split.
        indexed: use and keep the index of ``file_index.py`` instead of listing all files each time.

    Raises:
        ValueError: if a folder cannot be listed, or class folders hold the splits.
    """
    notes = []
    unkept = unreliable(folder) if indexed else None
    listing = load_listing(folder) if indexed and unkept is None else None
    if listing is None or listing.classes != class_folders(folder):  # a link's target may be there now
        started = time.time_ns()
        listing = _list(folder)
        if indexed and unkept is None and not listing.dangling:
            unkept = save_listing(folder, listing, started)
    notes += _dangling_notes(listing.dangling)
    if unkept is not None:
        notes.append(unkept)
    _refuse_inner_splits(folder, listing)
    return listing, notes


def _dangling_notes(links: list[str]) -> list[str]:
    """A sentence for each of the first links, and their number where there are more."""
    more = f"; so are {len(links) - NAMED} more" if len(links) > NAMED else ""
    notes = [f"{link} {LINK_TO_NOTHING}" for link in links[:NAMED]]
    return [*notes[:-1], notes[-1] + more] if notes else []


def _list(folder: Path) -> Listing:
    paths: list[str] = []
    dangling = own_links_to_nothing(folder)
    counts, direct, extensions = [], [], Counter[str]()
    folders, classes, thumbnails = [str(folder)], class_folders(folder), count_thumbnails(folder)
    for name in classes:
        tree = walk(folder / name)
        paths += tree.images
        folders += tree.folders
        counts.append(len(tree.images))
        direct.append(tree.direct)
        extensions += tree.extensions
        thumbnails += tree.thumbnails
        dangling += links_to_nothing(tree.others)
    loose = sum(1 for _ in own_images(folder))
    table = PathTable.of(paths, str(folder))
    return Listing(table, classes, counts, folders, direct, loose, thumbnails, extensions, dangling)


def _inner(folder: Path, listing: Listing) -> dict[str, list[str]]:
    """Names of the folders directly in each class folder."""
    inner: dict[str, list[str]] = {name: [] for name in listing.classes}
    for place in listing.folders:
        parts = os.path.relpath(place, folder).split(os.sep)
        if len(parts) == 2 and parts[0] in inner:
            inner[parts[0]].append(parts[1])
    return inner


def _refuse_inner_splits(folder: Path, listing: Listing) -> None:
    """Refuse class folders that hold folders of splits: whole data sets, or classes with the splits inside."""
    inner = _inner(folder, listing)
    splits = {name: [place for place in places if _names_split(place)] for name, places in inner.items()}
    for name, places in splits.items():
        if len({split_of(place)[0] for place in places}) > 1 or (places and all(splits.values())):
            raise ValueError(
                f"{folder / name} holds {few([f'{place}/' for place in places])} inside one class: pass "
                f"{folder / name} as data.path, or where {name} is a class put the folders of the splits outside "
                f"(train/{name})"
            )


def _names_split(name: str) -> bool:
    split, rest = split_of(name)
    return split is not None and not rest


def nesting_notes(folder: Path, listing: Listing) -> list[str]:
    """Sentences where the class folders may not be meant as such: images lie deeper, or no name is that of a class."""
    if listing.classes and all(is_neutral(name) for name in listing.classes):
        return [
            f"the folders in {folder} ({few(listing.classes)}) are taken for classes; if they only part the images, "
            "pass a list of the files with their classes as data.path"
        ]
    deep = sum(listing.counts) - sum(listing.direct)
    inner = _inner(folder, listing)
    if not deep:
        return []
    if not sum(listing.direct) and all(len(inner[name]) > 1 for name in listing.classes):
        below = few([f"{name}/{place}" for name in listing.classes for place in inner[name]], 3)
        return [
            f"the classes are the folders in {folder} ({few(listing.classes, 3)}), which hold only folders: if those "
            f"({below}) are the classes, move them up, or pass a list of the files with their classes as data.path"
        ]
    return [f"the classes are the folders in {folder}; {counted(deep, 'image')} in deeper folders count for them"]


def left_out(listings: Sequence[Listing]) -> dict[str, int]:
    """Why files of the folders of splits are in none of their classes: reason -> files."""
    places = {
        "in folders of thumbnails": sum(listing.thumbnails for listing in listings),
        "next to the class folders": sum(listing.loose for listing in listings),
    }
    extensions = sum((listing.extensions for listing in listings), Counter[str]())
    return {**left_out_reasons(extensions), **{reason: count for reason, count in places.items() if count}}
