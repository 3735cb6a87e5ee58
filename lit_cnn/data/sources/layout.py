"""Where a folder keeps its training, validation and test images, by the names that people give such folders.

A split's folder is named by one word for it, alone or with words such as "set" and "images" (``valid``, ``Training``,
``test_set``, ``train_images``). With any other word (``seg_train``, ``flowers_test``) it counts where folders of two
splits share that word, or where another split is found and it holds class folders: ``bullet train`` is a class. Names
of splits are never taken for classes.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lit_cnn.data.sources.tree import holds_images, own_images, subfolders
from lit_cnn.data.sources.wording import few

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
WORDS: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trains", "trainval"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "vals", "dev", "devel", "eval", "evaluation"), "val"),
    **dict.fromkeys(("test", "testing", "tests"), "test"),
}
NEUTRAL = {
    *("set", "sets", "data", "dataset", "split", "folder", "images", "image", "imgs", "img", "pictures", "photos"),
    *("files", "samples", "jpg", "jpeg", "png", "part", "batch"),
}
JOINED = re.compile(f"({'|'.join(sorted(WORDS, key=len, reverse=True))})(?:set|data|images|imgs?)")
DEPTH = 3
"""Folders that are opened, one inside the other, where each is the only one with images."""
NAMES = "train, val and test"


@dataclass(frozen=True)
class Layout:
    """Where images are.

    Args:
        root: the folder that holds the splits' folders or, without splits, the class folders.
        splits: the folder of each split that is there, which holds its class folders; empty without splits.
        others: folders next to those of the splits that hold images too, and that nothing reads.
    """

    root: Path
    splits: dict[SplitName, Path] = field(default_factory=dict)
    others: tuple[Path, ...] = ()


def _words(name: str) -> list[str]:
    """The words of a name, lower case: ``TrainSet_2017`` -> train, set."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    words = (JOINED.sub(r"\1 set", word) if JOINED.fullmatch(word) else word for word in re.split(r"[\W\d_]+", parted))
    return [part for word in words for part in word.split()]


def is_neutral(name: str) -> bool:
    """Whether a name says only that images are there: ``images``, ``img_001``, ``data``."""
    return all(word in NEUTRAL for word in _words(name)) and bool(_words(name))


def split_of(name: str) -> tuple[SplitName | None, tuple[str, ...]]:
    """The split that a name stands for, or None, and the other words in it: ``seg_train`` -> train, (seg,)."""
    words = _words(name)
    found = {WORDS[word] for word in words if word in WORDS}
    rest = tuple(word for word in words if word not in WORDS and word not in NEUTRAL)
    if found == {"train", "val"}:  # both in one folder: what a test split is kept apart from
        return "train", rest
    return (found.pop() if len(found) == 1 else None), rest


def find_layout(path: Path) -> Layout:
    """Find the splits in a folder, in the only folder in it, or, without any, take it as one of class folders.

    Raises:
        ValueError: one sentence where two folders share a split, or split names lie among others.
    """
    root = path
    for _ in range(DEPTH + 1):
        folders = subfolders(root)
        splits = _named_splits(folders)
        if splits:
            return _checked(root, splits, folders)
        inner = _only_with_images(folders)
        if inner is None or any(True for _ in own_images(root)):
            break
        root = inner
    return Layout(path)


def _only_with_images(folders: list[Path]) -> Path | None:
    """The one folder that holds images; None where two or none do."""
    found = None
    for folder in folders:
        if holds_images(folder):
            if found is not None:
                return None
            found = folder
    return found


def _named_splits(folders: list[Path]) -> dict[SplitName, list[Path]]:
    """The folders of each split by their names."""
    named = [(folder, *split_of(folder.name)) for folder in folders]
    plain = {split for _, split, rest in named if split is not None and not rest}
    found: dict[SplitName, list[Path]] = {}
    for folder, split, rest in named:
        if split is None:
            continue
        partners = {other for _, other, words in named if other is not None and words == rest}
        if not rest or len(partners) > 1 or (plain - {split} and has_class_folders(folder)):
            found.setdefault(split, []).append(folder)
    return {split: found[split] for split in SPLITS if split in found}


def _checked(root: Path, named: dict[SplitName, list[Path]], folders: list[Path]) -> Layout:
    """The layout, where the names leave one reading."""
    splits: dict[SplitName, Path] = {}
    for split, candidates in named.items():
        filled = [folder for folder in candidates if holds_images(folder)] or candidates[:1]
        if len(filled) > 1:
            names = " and ".join(f"{folder.name}/" for folder in filled)
            raise ValueError(
                f"{root} holds {names}, which both name the {split} split; keep one of them, or move the images of the "
                "other into it"
            )
        splits[split] = filled[0]
    chosen = {folder for candidates in named.values() for folder in candidates}
    others = tuple(folder for folder in folders if folder not in chosen and holds_images(folder))
    with_classes = [split for split, folder in splits.items() if has_class_folders(folder)]
    clear = len(splits) > len(others) or len(with_classes) > 1
    among_flat = "train" in with_classes and len(splits) == len(others) and not any(map(has_class_folders, others))
    if not clear and not among_flat:
        raise ValueError(
            f"{root} holds {_few(list(splits.values()))} next to {_few(list(others))}, so that splits and classes "
            f"cannot be told apart; name the splits' folders {NAMES} and move other folders out, rename the "
            "classes, or list the files with their classes in a CSV file and pass it as data.path"
        )
    return Layout(root, {split: _opened(folder, split) for split, folder in splits.items()}, others)


def _few(folders: list[Path]) -> str:
    return few([f"{folder.name}/" for folder in folders])


def has_class_folders(folder: Path) -> bool:
    """Whether folders in it hold images."""
    return any(holds_images(inner) for inner in subfolders(folder))


def _opened(folder: Path, split: SplitName) -> Path:
    """The folder itself, or the one inside it with the class folders or images: ``training_set/training_set``."""
    for _ in range(DEPTH):
        inner = _only_with_images(subfolders(folder))
        if inner is None or any(True for _ in own_images(folder)):
            break
        if split_of(inner.name)[0] != split and not is_neutral(inner.name) and inner.name != folder.name:
            break
        folder = inner
    return folder
