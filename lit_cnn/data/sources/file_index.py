"""The files of a folder as one block of bytes, kept in a cache so that a start need not list millions of files again.

An index is a file per folder in ``$XDG_CACHE_HOME/lit-cnn/indexes`` (``~/.cache`` without that variable). It holds the
times of change and the inode of every directory below the folder and counts only while all of them agree: adding,
removing or renaming a file changes its directory's, and a tree unpacked again, whose modification times are those of
the archive, differs in the rest. (Replacing a file's content changes no path.) Where these times say nothing, on file
systems in user space and where all directories show one time, no index is kept or read. Deleting indexes is always
safe.
"""

import contextlib
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np

from lit_cnn.data.sources.extensions import image_extensions
from lit_cnn.data.sources.mounts import plausible_times, user_space_mount

VERSION = 4
SETTLED = 2_000_000_000
"""Nanoseconds a directory must have been unchanged before it is listed: a change within one tick of the file system's
clock would go unnoticed."""


class PathTable(Sequence[str]):
    """Paths as one array of bytes. Processes forked from this one share it, where a list of strings would be copied
    page by page as their reference counts change; processes started otherwise get a copy of the bytes.

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

    def spans(self) -> tuple[np.ndarray, np.ndarray]:
        """int64 (N,), (N,): where each path begins in ``content``, and how many bytes of it are there."""
        starts = np.concatenate([np.zeros(1, dtype=np.int64), self.ends[:-1]])[: len(self.ends)]
        lengths = self.ends - starts
        return (starts, lengths) if self.rows is None else (starts[self.rows], lengths[self.rows])

    def take(self, rows: np.ndarray) -> "PathTable":
        """The given rows, in their order, over the same bytes."""
        return PathTable(self.root, self.content, self.ends, rows if self.rows is None else self.rows[rows])


@dataclass
class Listing:
    """What listing a folder of class folders finds.

    Args:
        paths: the files, class by class.
        classes: names of the class folders.
        counts: files of each.
        folders: every directory that was listed.
        direct: files of each class that are not in deeper folders.
        loose: images next to the class folders.
        thumbnails: images in folders of thumbnails.
        extensions: how many other files have which extension.
        dangling: links to nothing where a folder may be meant; with any, the listing must not be kept, since no time of
            a listed folder changes when their targets are there.
        written: when a kept listing was made, in seconds since 1970; None for one made now.
    """

    paths: PathTable
    classes: list[str]
    counts: list[int]
    folders: list[str]
    direct: list[int] = field(default_factory=list)
    loose: int = 0
    thumbnails: int = 0
    extensions: Counter[str] = field(default_factory=Counter)
    dangling: list[str] = field(default_factory=list)
    written: float | None = None


def cache_folder() -> Path:
    """Where indexes lie."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lit-cnn" / "indexes"


def _index_path(folder: Path) -> Path:
    return cache_folder() / f"{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:32]}.npz"


def _states(folders: list[str]) -> np.ndarray:
    """int64 (F, 3): times in ns of the last change of the contents and of the directory itself, and the inode."""
    states = [os.stat(folder) for folder in folders]
    return np.array([(state.st_mtime_ns, state.st_ctime_ns, state.st_ino % 2**63) for state in states], dtype=np.int64)


def _version() -> str:
    """Of the index's form and of what counts as an image, which an installed plugin changes."""
    return f"{VERSION} {' '.join(sorted(image_extensions()))}"


def unreliable(folder: Path) -> str | None:
    """Why no listing of ``folder`` is kept, as a sentence, or None where one can be."""
    kind = user_space_mount(folder)
    if kind is None:
        return None
    return f"the list of the files in {folder} is not kept: times of folders are not reliable on {kind} file systems"


def load_listing(folder: Path) -> Listing | None:
    """The listing kept for ``folder``; None when there is none, when it is damaged, or when a directory has changed."""
    try:
        with open(_index_path(folder), "rb") as stream, np.load(stream, allow_pickle=False) as index:
            if str(index["version"]) != _version() or str(index["folder"]) != str(folder):
                return None
            folders = [str(name) for name in index["folders"]]
            states = _states(folders)
            if not np.array_equal(states, index["states"]) or not plausible_times(states[:, :2]):
                return None
            paths = PathTable(str(index["root"]), index["content"], index["ends"])
            classes, counts = [str(name) for name in index["classes"]], index["counts"].tolist()
            whole = len(paths) == sum(counts) and len(classes) == len(counts) and paths.ends[-1] == len(paths.content)
            others = zip(index["extensions"].tolist(), index["numbers"].tolist(), strict=True)
            return (
                Listing(
                    *(paths, classes, counts, folders, index["direct"].tolist()),
                    *(int(index["loose"]), int(index["thumbnails"]), Counter(dict(others))),
                    written=os.fstat(stream.fileno()).st_mtime,
                )
                if whole
                else None
            )
    except Exception:  # a damaged archive fails in zipfile, zlib, struct or numpy; the folder is listed instead
        return None


def save_listing(folder: Path, listing: Listing, started: int) -> str | None:
    """Keep a listing, whole or not at all; where the cache cannot be written, or the folder was changed while it was
    listed or right before, it is not kept.

    Args:
        folder: what was listed.
        listing: what was found.
        started: ``time.time_ns()`` before the listing began.

    Returns:
        A sentence where the times of the folder's directories say nothing, so that no listing of it is ever kept.
    """
    try:
        states = _states(listing.folders)
        if started - states[:, :2].max() < SETTLED:
            return None
        if not plausible_times(states[:, :2]):
            return f"the list of the files in {folder} is not kept: its folders do not show when they were changed"
        content = {
            "version": _version(),
            "folder": str(folder),
            "folders": np.array(listing.folders),
            "states": states,
            "root": listing.paths.root,
            "content": listing.paths.content,
            "ends": listing.paths.ends,
            "classes": np.array(listing.classes),
            "counts": np.array(listing.counts),
            "direct": np.array(listing.direct),
            "loose": listing.loose,
            "thumbnails": listing.thumbnails,
            "extensions": np.array(list(listing.extensions), dtype=np.str_),
            "numbers": np.array(list(listing.extensions.values()), dtype=np.int64),
        }
        _replace(_index_path(folder), content)
    except (OSError, UnicodeError, RuntimeError):  # RuntimeError: this user has no home directory
        pass
    return None


def _replace(target: Path, content: dict[str, Any]) -> None:
    """Write an archive under a name of its own first, which does not stay when that fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp", delete=False)  # noqa: SIM115
    try:
        with stream:
            np.savez(stream, **content)
        os.replace(stream.name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(stream.name)
        raise
