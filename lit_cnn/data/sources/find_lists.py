"""Which files of a folder are lists of images, and which split each is for, by their names."""

from pathlib import Path

from lit_cnn.data.sources.layout import SPLITS, split_of
from lit_cnn.data.sources.tables import SUFFIXES, has_columns
from lit_cnn.data.sources.wording import few

WHOLE = "all"
"""Name of the rows of a list without splits."""
ABOUT = {"label", "labels", "list", "annotation", "annotations", "class", "classes", "metadata", "solution", "loc"}
"""Words that may go with a split's name: ``train_labels.csv``."""


def is_list(path: Path) -> bool:
    """Whether a file is a list by its extension."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def lists_in(folder: Path) -> list[Path]:
    """The lists of a folder, except samples of what is handed in to a contest."""
    return sorted(file for file in folder.iterdir() if is_list(file) and "submission" not in file.name.lower())


def named_lists(folder: Path, split: str) -> list[Path]:
    """The lists of a folder that are named for a split; a .csv comes before a .tsv and that before a .txt."""
    named = [
        file
        for file in lists_in(folder)
        if split_of(file.stem)[0] == split and ABOUT.issuperset(split_of(file.stem)[1])
    ]
    return sorted(named, key=lambda file: (SUFFIXES.index(file.suffix.lower()), file.name))


def find_lists(folder: Path) -> dict[str, Path]:
    """The lists in a folder: those named for a split (``train.csv``, ``val_labels.txt``), else the only one as "all".

    Raises:
        ValueError: if two are named for one split, or there are several without the name of a split.
    """
    found: dict[str, Path] = {}
    for split in SPLITS:
        named = named_lists(folder, split)
        same = [file for file in named if file.suffix == named[0].suffix]
        if len(same) > 1:
            raise ValueError(
                f"{folder} holds {same[0].name} and {same[1].name}, which both name the {split} split; keep one of "
                "them, or pass one list as data.path"
            )
        if named:
            found[split] = named[0]
    if "train" in found:
        return found
    single = [
        file
        for file in lists_in(folder)
        if file.suffix.lower() in (".csv", ".tsv") and file not in found.values() and has_columns(file)
    ]
    if len(single) > 1:
        raise ValueError(f"{folder} holds the lists {few([f.name for f in single])}; pass one of them as data.path")
    return {WHOLE: single[0]} if single else found


def lists_of(path: Path) -> dict[str, Path]:
    """The lists that belong to ``path``, by split: those of a folder; or a file, and where it is named for the training
    split also those next to it that are named for the others.

    Raises:
        ValueError: if a folder holds none, or several of them cannot be told apart.
    """
    if path.is_dir():
        lists = find_lists(path)
        if not lists:
            raise ValueError(f"{path} holds no list of images; a CSV file with the columns path and label is expected")
        return lists
    if split_of(path.stem)[0] != "train":
        return {WHOLE: path}
    others = {}
    for split in SPLITS[1:]:
        named = [file for file in named_lists(path.parent, split) if file.suffix == path.suffix]
        if named:
            others[str(split)] = named[0]
    return {"train": path, **others}
