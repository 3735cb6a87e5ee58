"""The files of a folder as one block of bytes, kept in a cache so that a start need not list millions of files again.

An index lies in ``$XDG_CACHE_HOME/lit-cnn/indexes`` (``~/.cache`` without that variable), one file per folder. It holds
the time of change of every directory below the folder and counts only while all of them agree: adding, removing or
renaming a file changes its directory's. (Replacing a file's content changes no path.) Deleting indexes is always safe.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import numpy as np

VERSION = 1
SETTLED = 2_000_000_000
"""Nanoseconds a directory must have been unchanged: a later change within one tick of the clock would go unnoticed."""


class PathTable(Sequence[str]):
    """Paths as one array of bytes: worker processes share it, where a list of strings would be copied page by page as
    their reference counts change.

    Args:
        root: what all paths begin with.
        content: uint8, the rest of all paths, one after the other.
        ends: (M,) int64, where each ends in ``content``.
        rows: (N,) int64, which of the M this table shows, in order; None for all.
    """

    def __init__(self, root: str, content: np.ndarray, ends: np.ndarray, rows: np.ndarray | None = None) -> None:
        self.root, self.content, self.ends, self.rows = root, content, ends, rows

    @classmethod
    def of(cls, paths: Iterable[str], root: str = "") -> "PathTable":
        """The table of paths that all begin with ``root``."""
        parts = [os.fsencode(path)[len(os.fsencode(root)) :] for path in paths]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        return cls(root, np.frombuffer(b"".join(parts), dtype=np.uint8), ends)

    def __len__(self) -> int:
        return len(self.ends) if self.rows is None else len(self.rows)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> "PathTable": ...

    def __getitem__(self, row: int | slice) -> "str | PathTable":
        if isinstance(row, slice):
            return self.take(np.arange(len(self))[row])
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        row %= len(self)
        place = row if self.rows is None else int(self.rows[row])
        start = int(self.ends[place - 1]) if place else 0
        return self.root + os.fsdecode(self.content[start : int(self.ends[place])].tobytes())

    def take(self, rows: np.ndarray) -> "PathTable":
        """The given rows, in their order, over the same bytes."""
        return PathTable(self.root, self.content, self.ends, rows if self.rows is None else self.rows[rows])


class Listing:
    """What listing a folder of class folders finds.

    Args:
        paths: the files, class by class.
        classes: names of the class folders.
        counts: files of each.
        folders: every directory that was listed.
    """

    def __init__(self, paths: PathTable, classes: list[str], counts: list[int], folders: list[str]) -> None:
        self.paths, self.classes, self.counts, self.folders = paths, classes, counts, folders


def cache_folder() -> Path:
    """Where indexes lie."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lit-cnn" / "indexes"


def _index_path(folder: Path) -> Path:
    return cache_folder() / f"{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:32]}.npz"


def _changes(folders: list[str]) -> np.ndarray:
    """Times of the last change in ns."""
    return np.array([os.stat(folder).st_mtime_ns for folder in folders], dtype=np.int64)


def load_listing(folder: Path) -> Listing | None:
    """The listing kept for ``folder``; None when there is none, when it is damaged, or when a directory has changed."""
    try:
        with open(_index_path(folder), "rb") as stream, np.load(stream, allow_pickle=False) as index:
            if index["version"] != VERSION or str(index["folder"]) != str(folder):
                return None
            folders = [str(name) for name in index["folders"]]
            if not np.array_equal(_changes(folders), index["changes"]):
                return None
            paths = PathTable(str(index["root"]), index["content"], index["ends"])
            classes, counts = [str(name) for name in index["classes"]], index["counts"].tolist()
            whole = len(paths) == sum(counts) and len(classes) == len(counts) and paths.ends[-1] == len(paths.content)
            return Listing(paths, classes, counts, folders) if whole else None
    except Exception:  # a damaged archive fails in zipfile, zlib, struct or numpy; the folder is listed instead
        return None


def save_listing(folder: Path, listing: Listing) -> None:
    """Keep a listing, whole or not at all; where the cache cannot be written, or the folder still changes, it is not
    kept."""
    try:
        changes = _changes(listing.folders)
        if time.time_ns() - changes.max() < SETTLED:
            return
        target = _index_path(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp", delete=False) as stream:
            np.savez(
                stream,
                version=VERSION,
                folder=str(folder),
                folders=np.array(listing.folders),
                changes=changes,
                root=listing.paths.root,
                content=listing.paths.content,
                ends=listing.paths.ends,
                classes=np.array(listing.classes),
                counts=np.array(listing.counts),
            )
        os.replace(stream.name, target)
    except (OSError, UnicodeError):
        return
