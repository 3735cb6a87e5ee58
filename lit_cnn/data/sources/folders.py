"""Folders of image files: classes are folders, and a file becomes an upright PIL image of the wanted mode."""

import os
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lit_cnn.data.sources.class_folders import class_folders, left_out, list_classes, nesting_notes
from lit_cnn.data.sources.class_names import numbered, same_form, similar_names
from lit_cnn.data.sources.decoding import RGB, BrokenImage, EncodedImage, PixelFormat
from lit_cnn.data.sources.extensions import left_out_reasons, register_plugins
from lit_cnn.data.sources.file_index import Listing, PathTable
from lit_cnn.data.sources.flat import flat_labels, is_flat
from lit_cnn.data.sources.layout import Layout, find_layout
from lit_cnn.data.sources.shards import is_packed
from lit_cnn.data.sources.tree import LINK_TO_NOTHING, holds_images, own_images, walk
from lit_cnn.data.sources.wording import counted, few

NO_CLASSES = (
    "holds no class folders with images; make one folder per class with its images inside, or list the files in a CSV "
    "file with the columns path and label and pass it as data.path"
)
KEPT = "the kept list of files was used"


@dataclass(frozen=True)
class FolderSplit:
    """N file paths and labels int64 (N,).

    Args:
        paths: of the files.
        labels: of their classes.
        columns: further values of each, unicode arrays (N,) by the name of the column of a list.
        base: a list's folder where some of its files are outside, from which they are named to be held out; else empty.
    """

    paths: PathTable
    labels: Tensor
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    base: str = ""

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows: Tensor) -> "FolderSplit":
        """The given rows, in their order."""
        places = rows.numpy()
        columns = {name: values[places] for name, values in self.columns.items()}
        return replace(self, paths=self.paths.take(places), labels=self.labels[rows], columns=columns)

    def read(self, row: int, pixel_format: PixelFormat = RGB) -> EncodedImage:
        """The file of a row (see ``read_file``)."""
        return read_file(self.paths[row], pixel_format)


@dataclass(frozen=True)
class Labeled:
    """What reading a folder (or a list of files) finds.

    Args:
        splits: by name: train, and val and test where they are there.
        class_names: K names; label k is ``class_names[k]``.
        left_out: reason, such as "no image by the ending (.txt)" -> files that no split holds for it.
        notes: sentences on what else a user should know of how it was read.
    """

    splits: dict[str, FolderSplit]
    class_names: list[str]
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_file(path: str | os.PathLike[str], pixel_format: PixelFormat = RGB) -> EncodedImage:
    """A file's bytes, to be decoded to ``pixel_format``.

    Raises:
        FileNotFoundError: if the file is gone.
        BrokenImage: if it cannot be read.
    """
    register_plugins()
    name = os.fspath(path)
    try:
        with open(path, "rb") as stream:
            return EncodedImage(stream.read(), name, pixel_format)
    except FileNotFoundError:
        gone = LINK_TO_NOTHING if os.path.islink(name) else "no longer exists"
        raise FileNotFoundError(f"the image {name} {gone}") from None
    except PermissionError:
        message = (
            f"the image {name} cannot be read by this user (permission denied); fix its permissions or remove the file"
        )
        raise BrokenImage(message) from None
    except OSError as error:
        raise BrokenImage(f"the image {name} cannot be read ({error.strerror}); replace or remove the file") from None


def load_image(path: str | os.PathLike[str], pixel_format: PixelFormat = RGB) -> Image.Image:
    """Decode a file of any mode to ``pixel_format``, turned upright by its EXIF orientation.

    Raises:
        ValueError: if the file cannot be decoded completely; the first line names it.
        FileNotFoundError: if the file is gone.
    """
    return read_file(path, pixel_format).picture()


def read_folder(path: Path, *, indexed: bool = False) -> Labeled:
    """Read the folders of the splits (see ``layout.py``), or, without them, one folder of class folders as train.

    Args:
        path: the folder.
        indexed: use and keep the index of ``file_index.py`` instead of listing all files each time.

    Returns:
        The splits found by name, and the class names in sorted order.

    Raises:
        ValueError: one sentence on what is wrong with the folder.
    """
    if not path.is_dir():
        raise ValueError(f"{path} is a file; {_advice(path)}")
    layout = find_layout(path)
    if layout.splits and "train" not in layout.splits:
        there = few([f"{folder.name}/" for folder in layout.splits.values()])
        raise ValueError(f"{path} holds {there} but no folder of training images; add one named train")
    reading = _Reading(path, layout, indexed=indexed)
    for split, folder in layout.splits.items() or [("train", layout.root)]:
        reading.add(split, folder)
    return reading.result()


def _advice(file: Path) -> str:
    """What to do with a file that is not a list."""
    if file.suffix == ".npz":
        return "read it with data.source npz"
    if file.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"):
        return "unpack the archive and pass the folder"
    return "data.source imagefolder expects a folder of class folders, or a list of files (.csv, .tsv or .txt)"


class _Reading:
    """Splits of a layout that are read one after the other, train first."""

    def __init__(self, path: Path, layout: Layout, *, indexed: bool) -> None:
        self.path, self.layout, self.indexed = path, layout, indexed
        self.names: list[str] = []
        self.splits: dict[str, FolderSplit] = {}
        self.listings: list[Listing] = []
        self.notes: list[str] = []

    def add(self, split: str, folder: Path) -> None:
        """Read one split."""
        if split == "train":
            self.names = _training_classes(self.path, folder)
        elif is_flat(folder):
            self._add_flat(split, folder)
            return
        elif split == "test" and not holds_images(folder):
            self.notes.append(f"{folder} holds no image: there is no test split")
            return
        listing, notes = list_classes(folder, indexed=self.indexed)
        self.notes += [*notes, *nesting_notes(folder, listing)]
        self.listings.append(listing)
        self._require_filled(split, folder, listing)
        numbers = numbered(self.names)
        for name, count in zip(listing.classes, listing.counts, strict=True):
            if count and name not in numbers:
                raise ValueError(_unknown_class(folder / name, self.names))
        labels = torch.tensor([numbers.get(name, -1) for name in listing.classes], dtype=torch.int64)
        self.splits[split] = FolderSplit(listing.paths, labels.repeat_interleave(torch.tensor(listing.counts)))

    def _require_filled(self, split: str, folder: Path, listing: Listing) -> None:
        """Refuse a class without training images, and a split without any."""
        empty = [name for name, count in zip(listing.classes, listing.counts, strict=True) if not count]
        if empty and split == "train":
            path = folder / empty[0]
            raise ValueError(f"the class folder {path} holds no image{_others(path)}; add images or remove it")
        if not len(listing.paths):
            raise ValueError(f"{folder} {NO_CLASSES}")
        if empty:
            self.notes.append(f"{folder} holds no image of {few(empty)}")

    def _add_flat(self, split: str, folder: Path) -> None:
        """Images without class folders, by a list of their classes; a test split without one is left out."""
        try:
            files, labels, file = flat_labels(folder, self.layout.root, split, self.names)
        except LookupError:
            images = counted(sum(1 for _ in own_images(folder)), "image")
            if split == "test":
                self.notes.append(f"{folder} holds {images} without class folders: no labels, left out")
                return
            raise ValueError(
                f"{folder} holds {images} but no class folders; make one folder per class, or put a list "
                f"{split}.csv with the columns path and label next to it, with names alone or paths from there on"
            ) from None
        self.splits[split] = FolderSplit(PathTable.of(files, str(folder)), torch.tensor(labels))
        self.notes.append(f"the classes of the images in {folder} were read from {file}")

    def result(self) -> Labeled:
        """All that was found."""
        named = {split: folder.relative_to(self.path) for split, folder in self.layout.splits.items()}
        if any(str(folder) != split for split, folder in named.items()):
            self.notes.insert(0, f"the splits are {few([f'{folder} ({split})' for split, folder in named.items()])}")
        for folder in self.layout.others:
            images = counted(len(walk(folder).images), "image")
            self.notes.append(f"{folder} holds {images} but is not a split by its name: left out")
        kept = [listing.written for listing in self.listings if listing.written is not None]
        if kept:
            date = datetime.fromtimestamp(min(kept)).strftime("%Y-%m-%d %H:%M")
            self.notes.append(f"{KEPT} (written {date}); set data.file_index to false to list the files again")
        return Labeled(self.splits, self.names, left_out(self.listings), (*self.notes, *similar_names(self.names)))


def _training_classes(path: Path, train: Path) -> list[str]:
    """Names of the classes, from the folders of the training split.

    Raises:
        ValueError: if there are fewer than two.
    """
    names = class_folders(train)
    if not names:
        if is_packed(path):
            raise ValueError(f"{path} is a set written by lit-cnn data pack; read it with data.source litdata")
        raise ValueError(f"{train} {NO_CLASSES}")
    if len(names) == 1:
        inner = class_folders(train / names[0])
        advice = f"; if {few(inner)} are the classes, pass {train / names[0]} as data.path" if len(inner) > 1 else ""
        raise ValueError(
            f"{train} holds one class only ({names[0]}); classification needs at least two class folders{advice}"
        )
    return names


def _unknown_class(folder: Path, names: list[str]) -> str:
    twin = next((name for name in names if same_form(name) == same_form(folder.name)), None)
    known = f"; it has {twin!r}, which differs in capitals, blanks or accents" if twin is not None else ""
    return f"the class folder {folder} has no counterpart in the training folder{known}; add one or remove it"


def _others(folder: Path) -> str:
    """What else is in a class folder without images."""
    extensions = walk(folder).extensions
    return f" ({'; '.join(left_out_reasons(extensions))})" if extensions else ""
