"""Folders of image files: classes are folders, and a file becomes an upright PIL image of the wanted mode."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from lit_cnn.data.sources.decoding import RGB, BrokenImage, EncodedImage, PixelFormat
from lit_cnn.data.sources.file_index import Listing, PathTable, load_listing, save_listing
from lit_cnn.data.sources.layout import split_folders
from lit_cnn.data.sources.shards import INFO
from lit_cnn.data.sources.tree import list_images, list_others, subfolders, walk

__all__ = ["FolderSplit", "Labeled", "class_folders", "list_images", "list_others", "split_folders"]


@dataclass(frozen=True)
class FolderSplit:
    """N file paths and labels int64 (N,)."""

    paths: PathTable
    labels: Tensor

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows: Tensor) -> "FolderSplit":
        """The given rows, in their order."""
        return FolderSplit(self.paths.take(rows.numpy()), self.labels[rows])

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
    name = os.fspath(path)
    try:
        with open(path, "rb") as stream:
            return EncodedImage(stream.read(), name, pixel_format)
    except FileNotFoundError:
        raise FileNotFoundError(f"the image {name} no longer exists") from None
    except PermissionError:
        message = (
            f"the image {name} cannot be read by this user (permission denied); fix its permissions or remove the file"
        )
        raise BrokenImage(message) from None
    except OSError as error:
        advice = "replace or remove the file, or set data.on_error to skip"
        raise BrokenImage(f"the image {name} cannot be read ({error.strerror}); {advice}") from None


def load_image(path: str | os.PathLike[str], pixel_format: PixelFormat = RGB) -> Image.Image:
    """Decode a file of any mode to ``pixel_format``, turned upright by its EXIF orientation.

    Raises:
        ValueError: if the file cannot be decoded completely; the first line names it.
        FileNotFoundError: if the file is gone.
    """
    return read_file(path, pixel_format).picture()


def class_folders(folder: Path) -> list[str]:
    """Sorted names of the class folders of a split."""
    return [entry.name for entry in subfolders(folder)]


def _list_classes(folder: Path) -> Listing:
    """The files of every class folder, which each must have some."""
    paths: list[str] = []
    counts, folders, classes = [], [str(folder)], class_folders(folder)
    for name in classes:
        tree = walk(folder / name)
        if not tree.images:
            raise ValueError(f"the class folder {folder / name} holds no image; add images or remove it")
        paths += tree.images
        folders += tree.folders
        counts.append(len(tree.images))
    if not paths:
        raise ValueError(f"{folder} holds no class folders; one folder per class with its images inside is expected")
    return Listing(PathTable.of(paths, str(folder)), classes, counts, folders)


def _read_split(folder: Path, names: list[str], *, indexed: bool) -> FolderSplit:
    listing = load_listing(folder) if indexed else None
    if listing is None:
        started = time.time_ns()
        listing = _list_classes(folder)
        if indexed:
            save_listing(folder, listing, started)
    numbers = {name: number for number, name in enumerate(names)}
    for name in listing.classes:
        if name not in numbers:
            raise ValueError(
                f"the class folder {folder / name} has no counterpart in the training folder; add one or remove it"
            )
    labels = torch.tensor([numbers[name] for name in listing.classes])
    return FolderSplit(listing.paths, labels.repeat_interleave(torch.tensor(listing.counts)))


def read_folder(path: Path, *, indexed: bool = False) -> Labeled:
    """Read ``train/`` with optional ``val/`` and ``test/``, or, without ``train/``, one folder of class folders.

    Args:
        path: the folder.
        indexed: use and keep the index of ``file_index.py`` instead of listing all files each time.

    Returns:
        The splits found by name, and the class names in sorted order.

    Raises:
        ValueError: one sentence on what is wrong with the folder.
    """
    if not path.is_dir():
        raise ValueError(f"{path} is a file; data.source imagefolder expects a folder of class folders")
    folders = split_folders(path)
    if "train" not in folders:
        there = " and ".join(f"{folder.name}/" for folder in folders.values())
        raise ValueError(f"{path} holds {there} but no folder of training images; add one named train")
    train = folders["train"]
    names = class_folders(train)
    if not names:
        if (path / INFO / "index.json").is_file():
            raise ValueError(f"{path} is a set written by lit-cnn data pack; read it with data.source litdata")
        raise ValueError(f"{train} holds no class folders; one folder per class with its images inside is expected")
    if len(names) == 1:
        raise ValueError(f"{train} holds one class only ({names[0]}); classification needs at least two class folders")
    return Labeled({name: _read_split(folder, names, indexed=indexed) for name, folder in folders.items()}, names)
