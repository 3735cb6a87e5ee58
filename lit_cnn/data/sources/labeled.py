"""Image files with their classes, whichever way these are given: folders of class folders, or lists."""

from pathlib import Path

from lit_cnn.data.sources.find_lists import find_lists, is_list
from lit_cnn.data.sources.folders import Labeled, read_folder
from lit_cnn.data.sources.layout import find_layout, is_neutral
from lit_cnn.data.sources.lists import read_list
from lit_cnn.data.sources.tree import holds_images, own_images, subfolders


def read_labeled(path: Path, *, indexed: bool = False) -> Labeled:
    """Read a list, or a folder: by its class folders or, where there are none, by the lists in it.

    Args:
        path: a CSV, TSV or text file, or a folder.
        indexed: see ``read_folder``.

    Raises:
        ValueError: one sentence on what is wrong with it.
    """
    if path.is_file() and is_list(path):
        return read_list(path)
    if path.is_dir() and lacks_class_folders(path) and find_lists(path):
        return read_list(path)
    return read_folder(path, indexed=indexed)


def lacks_class_folders(path: Path) -> bool:
    """Whether the training images of a folder are in no class folders: flat, or in folders named ``images`` and the
    like."""
    layout = find_layout(path)
    train = layout.splits.get("train", layout.root)
    filled = (folder for folder in subfolders(train) if holds_images(folder))
    first = next(filled, None)
    if first is None:
        return True
    if not is_neutral(first.name):
        return next(filled, None) is None and any(True for _ in own_images(first))
    return all(is_neutral(folder.name) for folder in filled)
