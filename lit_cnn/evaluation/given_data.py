"""The labeled images that ``--data`` names, prepared as the checkpoint says: a folder, an npz file or a packed set."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import torch

from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.arrays import ArraySplit, read_npz
from lit_cnn.data.sources.evaluated import WHOLE, labeled_images
from lit_cnn.data.sources.extensions import left_out_notes
from lit_cnn.data.sources.load import Split, resolve_data_path
from lit_cnn.data.sources.shards import ShardSplit, is_packed, is_remote, read_shards
from lit_cnn.data.sources.tree import subfolders
from lit_cnn.data.sources.wording import few
from lit_cnn.data.summary import DataSummary
from lit_cnn.evaluation.images import EvaluationImages, SplitName, workers_of
from lit_cnn.evaluation.trained import Trained
from lit_cnn.pretrained.imagenet import naming_of

SHOWN = 20
"""Classes that a sentence names."""


def given_images(trained: Trained, data_path: str, split: SplitName) -> EvaluationImages:
    """The images of a split, or all of them where the data has no splits, with the checkpoint's labels by class name.

    The data may lack some of the checkpoint's classes. ImageNet's may be named by synset or index too.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it has other splits only, or images of other classes or channels than the checkpoint.
    """
    recorded, pixel_format = trained.recipe.get("data", {}), trained.preprocessing.pixel_format
    pixel_format = replace(pixel_format, max_pixels=recorded.get("max_pixels", pixel_format.max_pixels))
    name, chosen, notes = _read(trained, data_path, split)
    workers = workers_of(recorded.get("workers"), chosen)
    on_error: OnError = recorded.get("on_error", "stop")
    source = "npz" if isinstance(chosen, ArraySplit) else "litdata" if isinstance(chosen, ShardSplit) else "files"
    names, count = tuple(trained.class_names), {name: len(chosen)}
    summary = DataSummary(source, data_path, names, count, notes=notes, evaluated=name)
    return EvaluationImages(chosen, pixel_format, data_path, workers, on_error, notes=notes, summary=summary)


def _read(trained: Trained, data_path: str, split: SplitName) -> tuple[str, Split, tuple[str, ...]]:
    """The name of a split, its images, and what else a user should know of how they were chosen."""
    path = data_path if is_remote(data_path) else resolve_data_path(data_path, "--data")
    if isinstance(path, Path) and path.suffix == ".npz":
        arrays, names = read_npz(path, to_train=False)
        name, chosen, notes = _choose(dict(arrays), split, data_path)
    elif not isinstance(path, Path) or is_packed(path):
        shards, names = read_shards(str(path))
        name, chosen, notes = _choose(dict(shards), split, data_path)
    else:
        found = labeled_images(path, naming_of(folders_in(path), trained.class_names), split)
        ((name, images),) = found.splits.items()
        other = (f"{data_path} has no {split} split: its {name} split is evaluated",)
        notes = other if name not in (split, WHOLE) else ()
        return name, images, (*notes, *left_out_notes(found.left_out), *found.notes)
    return name, _with_labels_of(trained, chosen, names), notes


def folders_in(path: Path) -> set[str]:
    """Names of the folders of a data folder, those of its splits opened."""
    if not path.is_dir():
        return set()
    first = subfolders(path)
    return {folder.name for folder in first} | {inner.name for folder in first for inner in subfolders(folder)}


def _choose(splits: dict[str, Split], split: SplitName, name: str) -> tuple[str, Split, tuple[str, ...]]:
    """The split, or the only one: its name, images and a note."""
    if split in splits:
        return split, splits[split], ()
    if len(splits) == 1:
        ((other, images),) = splits.items()
        return other, images, (f"{name} has no {split} split: all its images, named {other}, are evaluated",)
    raise ValueError(f"{name} has the splits {' and '.join(splits)} but no {split} split; pass data that has one")


def _with_labels_of(trained: Trained, images: Split, names: list[str]) -> Split:
    """The images with the checkpoint's labels instead of those of their own ``names``."""
    numbers = {name: number for number, name in enumerate(trained.class_names)}
    labels = torch.tensor([numbers.get(name, -1) for name in names])[images.labels]
    if (labels < 0).any():
        raise ValueError(
            f"{other_classes(names, trained.name, trained.class_names)}; rename them or leave their images out"
        )
    wanted = trained.preprocessing.in_channels
    if isinstance(images, ArraySplit) and images.images.shape[1] != wanted:
        raise ValueError(f"the data has {images.images.shape[1]} channels, but {trained.name} was trained on {wanted}")
    return replace(images, labels=labels)


def other_classes(names: Sequence[str], checkpoint: str, known: Sequence[str], whose: str = "the data") -> str:
    """The sentence on classes that are not those of a checkpoint, or not in their order: what differs.

    Args:
        names: The classes.
        checkpoint: What messages call the checkpoint.
        known: Its classes.
        whose: What messages call that which has the ``names``.
    """
    theirs, own = set(names), set(known)
    unknown, lacking = [name for name in names if name not in own], [name for name in known if name not in theirs]
    if unknown:
        also = f", and lacks {few(lacking, SHOWN)}" if lacking else ""
        return f"{whose} has the classes {few(unknown, SHOWN)}, which {checkpoint} does not know{also}"
    if lacking:
        return f"{whose} lacks the classes {few(lacking, SHOWN)} of {checkpoint}"
    pairs = enumerate(zip_longest(names, known, fillvalue="missing"))
    place, (name, other) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
    return f"class {place} of {whose} is {name}, but of {checkpoint} {other}: the same classes in another order"
