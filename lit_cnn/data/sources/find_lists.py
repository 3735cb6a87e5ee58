"""Which files of a folder are lists of images, and which split each is for, by their names."""

from pathlib import Path

from lit_cnn.data.sources.layout import SPLITS, split_of
from lit_cnn.data.sources.tables import SUFFIXES, has_columns, read_table
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
    """The lists in a folder: those named for a split (``train.csv``, ``val_labels.txt``), and where none is for
    training the only other one, as "train" next to those of other splits and as "all" without.

    Raises:
        ValueError: if two are named for one split, there are several without the name of a split, or the only such one
            has a column of splits and there are lists of splits as well.
    """
    found = _found_by_name(folder)
    if "train" in found:
        return found
    single = [
        file
        for file in lists_in(folder)
        if file.suffix.lower() in (".csv", ".tsv") and file not in found.values() and has_columns(file)
    ]
    if len(single) > 1:
        raise ValueError(f"{folder} holds the lists {few([f.name for f in single])}; pass one of them as data.path")
    if single and found:
        _refuse_splits_within(single[0], found)
        return {"train": single[0], **found}
    return {WHOLE: single[0]} if single else found


def _refuse_splits_within(file: Path, found: dict[str, Path]) -> None:
    """Refuse a list with a column of splits next to lists of splits: both say which images are of which split."""
    if read_table(file).splits is not None:
        named = few([other.name for other in found.values()])
        raise ValueError(
            f"{file.parent} holds {file.name}, which has a column of splits, and {named} too; remove the column or "
            "the others, or pass one list as data.path"
        )


def _found_by_name(folder: Path) -> dict[str, Path]:
    """The lists in a folder that are named for a split."""
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
    return found


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
