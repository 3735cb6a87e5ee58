"""Image sets of the Hugging Face Hub and of its ``datasets`` library: encoded files that stay in Arrow tables on disk.

A set is a folder that ``Dataset.save_to_disk`` has written, any folder that ``load_dataset`` reads (Parquet files, or
image files with a metadata.csv), or a name on the Hub. Its images are not decoded by the library but here.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.sources.class_names import label_text, numbered, require_classes, similar_names, sorted_classes
from lit_cnn.data.sources.decoding import RGB, BrokenImage, EncodedImage, PixelFormat
from lit_cnn.data.sources.extensions import register_plugins
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.find_lists import find_lists
from lit_cnn.data.sources.folders import read_file
from lit_cnn.data.sources.labeled import lacks_class_folders
from lit_cnn.data.sources.layout import SPLITS, split_of
from lit_cnn.data.sources.tables import LABELS, plain
from lit_cnn.data.sources.tree import walk
from lit_cnn.data.sources.wording import few

if TYPE_CHECKING:
    from datasets import Dataset

NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
"""Of a set on the Hub, with its owner or without."""
FILES = {".parquet": "parquet", ".arrow": "arrow"}
"""Kinds of single files, by their extension."""
METADATA = ("metadata.csv", "metadata.jsonl")
"""Files that name image files next to them, in their column ``file_name``."""
BYTES = {"bytes", "path"}
"""Fields of an image in Parquet files that say nothing of their features."""


@dataclass(frozen=True)
class HubSplit:
    """N images of a table and labels int64 (N,).

    Args:
        name: what messages call the table.
        images: with one column, ``image``, of dictionaries of bytes and path.
        labels: of the rows shown.
        rows: which rows of the table this split shows; None for all.
    """

    name: str
    images: "Dataset"
    labels: Tensor
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> "HubSplit":
        """The given rows, in their order."""
        own = rows.numpy() if self.rows is None else self.rows[rows.numpy()]
        return replace(self, labels=self.labels[rows], rows=own)

    def names(self, distinct: bool = False) -> PathTable:
        """The path of each image that the table gives, or a digest of its content where it gives some none.

        Args:
            distinct: name images that share a path by their contents, too.
        """
        parts = self.images.with_format("arrow").iter(2**10)
        columns = [chunk for part in parts for chunk in part["image"].chunks]
        names = [path or "" for column in columns for path in column.field("path").to_pylist()]
        root = os.path.commonpath(map(os.path.dirname, names)) if all(map(os.path.isabs, names)) else ""
        if not all(names):
            names = [_digest(content) for content in _contents(columns)]
        elif distinct and (shared := {name for name, count in Counter(names).items() if count > 1}):
            below = [name[len(root) :] for name in names]
            digests = (_digest(content) if content else None for content in _contents(columns))
            named = zip(names, below, digests, strict=True)
            names, root = [digest or own if name in shared else own for name, own, digest in named], ""
        table = PathTable.of(names, root)
        return table if self.rows is None else table.take(self.rows)

    def read(self, row: int, pixel_format: PixelFormat = RGB) -> EncodedImage:
        """The encoded file of a row.

        Raises:
            FileNotFoundError: if the table names a file that is gone.
            BrokenImage: if it holds none, or one that cannot be read.
        """
        place = row if self.rows is None else int(self.rows[row])
        image = self.images[place]["image"] or {}
        if image.get("bytes") is not None:
            register_plugins()
            return EncodedImage(image["bytes"], f"{place} of {self.name}", pixel_format)
        if not image.get("path"):
            raise BrokenImage(f"the row {place} of {self.name} holds no image; remove it")
        return read_file(image["path"], pixel_format)


def _contents(columns: Iterable[Any]) -> Iterator[Any]:
    """The encoded files of Arrow columns of images; None where one holds a path alone."""
    return (value.as_buffer() for column in columns for value in column.field("bytes"))


def _digest(content: Any) -> str:
    return blake2b(content or b"", digest_size=16).hexdigest()


def require_datasets() -> None:
    """Raise a ValueError that says what to install where the library is missing."""
    try:
        import datasets  # noqa: F401
    except ImportError:
        raise ValueError(
            "data.source huggingface needs the datasets library; install it with pip install lit-cnn[huggingface]"
        ) from None


def is_hub_folder(path: Path) -> bool:
    """Whether nothing but files of the library says of which class the images of a folder are: it holds tables, or
    names of images in a metadata file, and neither class folders nor lists."""
    if not path.is_dir() or not lacks_class_folders(path) or find_lists(path):
        return False
    return any(_is_of_the_library(Path(file)) for file in walk(path).others)


def _is_of_the_library(file: Path) -> bool:
    if file.name not in METADATA:
        return file.suffix in FILES
    with open(file, encoding="utf-8", errors="replace") as stream:
        return re.search(r"\bfile_name\b", stream.readline(2**16)) is not None


@dataclass(frozen=True)
class HubImages:
    """What a set holds: splits by name, K class names, and sentences on how it was read."""

    splits: dict[str, HubSplit]
    class_names: list[str]
    notes: tuple[str, ...] = ()


def read_hub(path: str) -> HubImages:
    """The splits of a set.

    Args:
        path: a folder, or a name on the Hub.

    Raises:
        ValueError: one sentence: the library is missing, the set cannot be read, or its columns are not clear.
    """
    require_datasets()
    tables, notes = _named_splits(path, _load(path))
    train = tables["train"]
    image, label = _image_column(path, train), _label_column(path, train)
    names = _class_names(train, label)
    require_classes(names, f"{path} holds")
    splits = {}
    for split, table in tables.items():
        labels = _labels(path, table, label, names)
        known = (labels >= 0).nonzero().flatten()
        if len(known) < len(labels):
            notes.append(f"{len(labels) - len(known)} {split} images of {path} have no class: left out")
        if len(known):
            whole = HubSplit(f"the {split} split of {path}", _only_images(table, image), labels)
            splits[split] = whole if len(known) == len(labels) else whole.take(known)
    if "train" not in splits:
        raise ValueError(f"{path} has no training image with a class in its column {label}; label some of them")
    return HubImages(splits, names, (*notes, *similar_names(names)))


@contextmanager
def _silence() -> Iterator[None]:
    """No progress bars and messages of the libraries; what they were set to comes back."""
    import datasets
    from huggingface_hub.utils import logging as hub_logging

    logging = datasets.utils.logging
    levels, shown = (logging.get_verbosity(), hub_logging.get_verbosity()), datasets.are_progress_bars_disabled()
    logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(levels[0])
        hub_logging.set_verbosity(levels[1])
        if not shown:
            datasets.enable_progress_bars()


def _load(path: str) -> "dict[str, Dataset]":
    import datasets

    local = Path(path)
    if local.is_file() and local.suffix not in FILES:
        raise ValueError(f"{path} is a file of another kind than {few(list(FILES))}; pass one of these, or a folder")
    saved = any((local / name).is_file() for name in ("dataset_dict.json", "state.json"))
    try:
        with _silence():
            if local.is_file():
                found: Any = datasets.load_dataset(FILES[local.suffix], data_files=path)
            else:
                found = datasets.load_from_disk(path) if saved else datasets.load_dataset(path)
    except Exception as error:  # other files, unknown names and failing connections end in many kinds of errors
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        advice = "pass a folder that it reads" if local.exists() else "check the name and the network, or pass a folder"
        raise ValueError(f"{path} cannot be read by the datasets library ({reason}); {advice}") from None
    return {"train": found} if isinstance(found, datasets.Dataset) else dict(found)


def _named_splits(path: str, tables: "dict[str, Dataset]") -> "tuple[dict[str, Dataset], list[str]]":
    """The tables by the split that their names stand for; others are left out."""
    found: dict[str, str] = {}
    notes = []
    for name in tables:
        split = split_of(name)[0]
        if split is None:
            notes.append(f"{path} has {len(tables[name])} images named {name!r}, which is not a split: left out")
        elif split in found:
            raise ValueError(f"{path} has the splits {found[split]!r} and {name!r}, which both mean {split}; keep one")
        else:
            found[split] = name
    if "train" not in found:
        raise ValueError(f"{path} has the splits {few(list(tables))} but none of training images; name one train")
    return {split: tables[found[split]] for split in SPLITS if split in found}, notes


def _image_column(path: str, table: "Dataset") -> str:
    import datasets

    features = table.features.items()
    names = [name for name, feature in features if isinstance(feature, datasets.Image)]
    names = names or [name for name, feature in features if isinstance(feature, dict) and set(feature) == BYTES]
    if len(names) != 1:
        there = few(list(table.features))
        found = f"the image columns {few(names)}" if names else f"no column of images (its columns: {there})"
        raise ValueError(f"{path} has {found}; keep one column of the feature Image")
    return names[0]


def _label_column(path: str, table: "Dataset") -> str:
    import datasets

    names = [name for name, feature in table.features.items() if isinstance(feature, datasets.ClassLabel)]
    if len(names) > 1 and "label" in names:
        return "label"
    if not names:
        values = [n for n, f in table.features.items() if isinstance(f, datasets.Value) and plain(n) in LABELS]
        names = sorted(values, key=lambda name: LABELS.index(plain(name)))[:1]
    if len(names) != 1:
        there = few(list(table.features))
        found = f"the label columns {few(names)}" if names else f"no column of labels (its columns: {there})"
        raise ValueError(f"{path} has {found}; keep one column of the feature ClassLabel, named label")
    return names[0]


def _class_names(table: "Dataset", label: str) -> list[str]:
    names = getattr(table.features[label], "names", None)
    return list(names) if names else sorted_classes({*map(label_text, table.unique(label))} - {""})


def _labels(path: str, table: "Dataset", label: str, names: list[str]) -> Tensor:
    """int64 (N,); -1 where there is none."""
    if label not in table.features:
        return torch.full((len(table),), -1)
    values = table.with_format(None)[label][:]
    if getattr(table.features[label], "names", None):
        own = list(table.features[label].names)
        values = [None if value is None or value < 0 else own[value] for value in values]
    numbers = {"": -1, **numbered(names)}
    texts = [label_text(value) for value in values]
    unknown = [text for text in texts if text not in numbers]
    if unknown:
        raise ValueError(f"{path} has the class {unknown[0]}, which its training split does not hold; remove its rows")
    return torch.tensor([numbers[text] for text in texts], dtype=torch.int64)


def _only_images(table: "Dataset", column: str) -> "Dataset":
    """The table's one column of images under the name ``image``, which stay encoded."""
    import datasets

    images = table.with_format(None).select_columns([column])
    if column != "image":
        images = images.rename_column(column, "image")
    return images.cast_column("image", datasets.Image(decode=False))
