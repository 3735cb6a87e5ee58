"""Files that a command writes, looked at before its work begins."""

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

PICTURES = (".png", ".pdf", ".svg")
"""Endings of pictures."""


def add_output(parser: argparse.ArgumentParser, flag: str, text: str, several: bool = False) -> None:
    """A flag that names a file, or may be repeated to name several."""
    if several:
        parser.add_argument(flag, type=_path, action="append", default=[], metavar="FILE", help=text)
    else:
        parser.add_argument(flag, type=_path, metavar="FILE", help=text)


def _path(text: str) -> Path:
    return Path(text).expanduser()


def require_writable(flag: str, path: Path, endings: Sequence[str] = (), *, in_new_folder: bool = False) -> None:
    """Refuse a file that could not be written once the work is done.

    Args:
        flag: What names it.
        path: The file.
        endings: Those that it may have; none: any.
        in_new_folder: Its folder need not exist, since what writes the file makes it.

    Raises:
        ValueError: If its ending is none of ``endings`` (where there are some), its folder does not exist, or it may
            not be written.
    """
    if endings and path.suffix not in endings:
        known = f"{', '.join(endings[:-1])} or {endings[-1]}" if len(endings) > 1 else endings[0]
        raise ValueError(f"{flag} {path} ends in {path.suffix or 'nothing'}, but {known} is expected")
    folder = _existing(path.parent) if in_new_folder else path.parent
    if not folder.is_dir():
        raise ValueError(f"{flag} {path} cannot be written, since there is no folder {folder}: make it first")
    if path.is_dir():
        raise ValueError(f"{flag} {path} is a folder: name a file in it")
    if not _may_write(folder) or (path.exists() and not _may_write(path)):
        raise ValueError(f"{flag} {path} cannot be written (permission denied): choose another place")


def chosen_output(stated: Path | None, default: Path, sources: Iterable[Path]) -> Path:
    """Where a command writes: the file that ``--out`` states, or one of a default name, which replaces nothing.

    Args:
        stated: By ``--out``.
        default: The file where nothing is stated.
        sources: Files that the command reads; those that do not exist do not count.

    Raises:
        ValueError: If the file is one of the sources, or was not stated and is there already.
    """
    place = default if stated is None else stated.expanduser()
    read = [source for source in map(Path.expanduser, sources) if source.exists()]
    if place.exists() and any(source.samefile(place) for source in read):
        raise ValueError(f"{place} is read by this command, which would write over it: name another file by --out")
    if stated is None and place.exists():
        raise ValueError(f"{place} is there already: name another file by --out, or this one to write over it")
    return place


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
