"""Where images come from: a named source becomes train, val and test splits with class names and statistics.

Small sets stay in memory as uint8 tensors (``ArraySplit``); files (``FolderSplit``), packed ones (``ShardSplit``) and
tables of them (``HubSplit``) stay where they are. A validation split that the source does not provide is taken from the
training images (``holdout.py``), whatever the seed: runs of different seeds share their validation images.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from filelock import FileLock

from lit_cnn.data.sources.arrays import ArraySplit, channel_statistics, read_npz, stated_in_npz
from lit_cnn.data.sources.folders import FolderSplit, Labeled
from lit_cnn.data.sources.holdout import HoldOut, HoldOutRule, require_some, set_aside, stratified_rows
from lit_cnn.data.sources.huggingface import NAME, HubImages, HubSplit, read_hub
from lit_cnn.data.sources.labeled import read_labeled
from lit_cnn.data.sources.lists import read_list
from lit_cnn.data.sources.shards import ShardSplit, is_remote, read_shards

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

SourceName = Literal["digits", "npz", "cifar10", "cifar100", "imagefolder", "list", "huggingface", "litdata"]

# fmt: off
CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
# fmt: on
# Mean and standard deviation of the training images' pixels in [0, 1].
CIFAR10_STATISTICS = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
CIFAR100_STATISTICS = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
IMAGENET_STATISTICS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DIGITS_VAL_FRACTION = 0.2
"""Share of the digits that is always held out, whatever the default of ``data.val_fraction`` is."""

EncodedSplit = FolderSplit | HubSplit | ShardSplit
"""Splits of encoded files, which loaders decode."""
Split = ArraySplit | EncodedSplit


@dataclass(frozen=True)
class Source:
    """A data set ready for loaders.

    Attributes:
        train: training split.
        val: validation split.
        test: test split, or None where there is none.
        class_names: K names; label k is ``class_names[k]``.
        in_channels: 1 for gray, 3 for RGB, 4 for an array's four channels (see ``channels.py`` for others).
        mean: per channel, for pixels in [0, 1].
        std: per channel, for pixels in [0, 1].
        origin: what was read, for people.
        left_out: reason -> files of the source that no split holds for it.
        notes: sentences on what else a user should know of how it was read.
        validation: where the validation images come from, for people.
    """

    train: Split
    val: Split
    test: Split | None
    class_names: list[str]
    in_channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: str
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    validation: str = "given"


def data_roots() -> list[Path]:
    """Existing folders where relative paths are looked up after the current one: $LIT_CNN_DATA, where that is set."""
    stated = os.environ.get("LIT_CNN_DATA")
    root = Path(os.path.expandvars(stated)).expanduser() if stated else None
    return [root] if root is not None and root.is_dir() else []


def resolve_data_path(path: str | os.PathLike[str], name: str = "data.path") -> Path:
    """The existing file or folder meant by ``path``; ``~`` and environment variables are expanded.

    An absolute path is taken as it is; a relative one is looked up in the current folder, then under the data root,
    $LIT_CNN_DATA.

    Args:
        path: what was stated.
        name: what messages call it.

    Raises:
        FileNotFoundError: naming every place that was tried, and LIT_CNN_DATA where it could help.
    """
    expanded = Path(os.path.expandvars(os.fspath(path))).expanduser()
    places = (
        [expanded] if expanded.is_absolute() else [Path.cwd() / expanded, *(root / expanded for root in data_roots())]
    )
    for place in places:
        if place.exists():
            return place
    tried = " or ".join(str(place) for place in places)
    advice = "correct the path" if expanded.is_absolute() else f"correct the path, or {_data_root_advice()}"
    raise FileNotFoundError(f"{name} {os.fspath(path)!r} does not exist: there is no {tried}; {advice}")


def _data_root_advice() -> str:
    stated = os.environ.get("LIT_CNN_DATA")
    if not stated:
        return "set LIT_CNN_DATA to the folder that holds your data"
    if not data_roots():
        return f"correct LIT_CNN_DATA, as there is no folder {stated}"
    return "set LIT_CNN_DATA to another folder"


def load_source(
    name: SourceName,
    path: str | None = None,
    val_fraction: float = 0.1,
    *,
    file_index: bool = False,
    hold_out: HoldOutRule = "hash",
    group_by: str | None = None,
) -> Source:
    """Load a source by name.

    Args:
        name: digits (scikit-learn's 1797 gray 8x8 images, 80 % train, 20 % val, no test), npz (MedMNIST's array
            names), cifar10, cifar100 (torchvision's files; under the path or the data root a cifar10.npz or
            cifar100.npz comes first), imagefolder (train/ and val/ of class folders, one such folder, or a list of
            files), list (files with their classes as CSV, TSV or text), huggingface (what the datasets library reads),
            or litdata (what ``lit-cnn data pack`` has written).
        path: file or folder, for litdata also a URL; see ``resolve_data_path``. Not used by digits; optional for CIFAR.
        val_fraction: share of the training images held out where the source has no validation split; of the digits 0.2
            always is, and another share than that and the default is refused.
        file_index: keep the list of a folder's files in a cache (see ``file_index.py``).
        hold_out: how the images of a folder are held out (see ``HoldOut``).
        group_by: groups of files that are held out whole (see ``HoldOut``).

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the contents cannot be a classification set; one sentence says why.
    """
    holding_out = HoldOut(val_fraction, hold_out, group_by)
    if group_by is not None and name in ("digits", "npz", "cifar10", "cifar100", "litdata"):
        reason = "has its splits already" if name == "litdata" else "holds pixels without names"
        raise ValueError(f"data.group_by groups files by their names, but data.source {name} {reason}: set it to null")
    if name == "digits":
        return _digits(val_fraction)
    if name == "cifar10" or name == "cifar100":
        return _cifar(name, path, val_fraction)
    if path is None:
        raise ValueError(f"data.source {name} needs data.path; set it to the {'file' if name == 'npz' else 'folder'}")
    if name == "npz":
        return _npz(resolve_data_path(path), val_fraction)
    if name == "imagefolder":
        place = resolve_data_path(path)
        return _files(read_labeled(place, indexed=file_index), holding_out, str(place))
    if name == "list":
        place = resolve_data_path(path)
        return _files(read_list(place), holding_out, str(place))
    if name == "huggingface":
        return _hub(read_hub(_folder_or_name(path)), holding_out, path)
    if name == "litdata":
        return _litdata(path if is_remote(path) else str(resolve_data_path(path)))
    raise ValueError(
        f"data.source {name!r} is unknown; choose digits, npz, cifar10, cifar100, imagefolder, list, huggingface or "
        "litdata"
    )


def _hold_out(train: ArraySplit, fraction: float) -> tuple[ArraySplit, ArraySplit, str]:
    """Images in memory, and how they were chosen, for people."""
    kept, held = stratified_rows(train.labels, fraction)
    require_some(len(held))
    return train.take(kept), train.take(held), f"held out: {100 * fraction:g} % of each class by rows"


def _digits(val_fraction: float) -> Source:
    if val_fraction not in (HoldOut.fraction, DIGITS_VAL_FRACTION):
        raise ValueError(
            f"data.val_fraction is {val_fraction:g}, but of data.source digits {DIGITS_VAL_FRACTION:g} is always held "
            "out; remove the key"
        )
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(np.round(bunch.images * (255 / 16)).astype(np.uint8)).unsqueeze(1)
    whole = ArraySplit(images, torch.from_numpy(bunch.target.astype(np.int64)))
    train, val, how = _hold_out(whole, DIGITS_VAL_FRACTION)
    mean, std = channel_statistics(train.images)
    names = [str(digit) for digit in range(10)]
    return Source(train, val, None, names, 1, mean, std, "scikit-learn's digits", validation=how)


def _npz(path: Path, val_fraction: float) -> Source:
    splits, names = read_npz(path)
    train, val, how = splits["train"], splits.get("val"), "given"
    if val is None:
        train, val, how = _hold_out(train, val_fraction)
    mean, std = channel_statistics(train.images)
    channels = train.images.shape[1]
    return Source(train, val, splits.get("test"), names, channels, mean, std, str(path), validation=how)


def _cifar_place(path: str | None) -> Path | None:
    """Where a stated path leads (see ``resolve_data_path``); a folder need not exist, as CIFAR is downloaded there."""
    if path is None:
        return None
    try:
        return resolve_data_path(path)
    except FileNotFoundError:
        if path.endswith(".npz"):
            raise
        return Path(os.path.expandvars(path)).expanduser()


def _cifar_archive(name: str, place: Path | None) -> Path | None:
    """``<name>.npz``: the stated place, inside it, or under the data root when none is stated."""
    if place is not None and place.suffix == ".npz":
        return place
    folders = data_roots() if place is None else [place]
    return next((folder / f"{name}.npz" for folder in folders if (folder / f"{name}.npz").is_file()), None)


def _torchvision_parts(kind: "type[CIFAR10]", root: Path) -> list["CIFAR10"]:
    """Training and test part, downloaded by one process at a time: all that train on a machine begin at once.

    Raises:
        RuntimeError: if the files are missing or damaged and cannot be downloaded, or ``root`` cannot be locked.
        OSError: If the path cannot be read.
    """
    try:
        return [kind(str(root), train=train) for train in (True, False)]
    except RuntimeError:  # not found, or not complete yet
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{kind.base_folder}.lock"):
            return [kind(str(root), train=train, download=True) for train in (True, False)]


def _cifar(name: Literal["cifar10", "cifar100"], path: str | None, val_fraction: float) -> Source:
    statistics = CIFAR10_STATISTICS if name == "cifar10" else CIFAR100_STATISTICS
    place = _cifar_place(path)
    archive = _cifar_archive(name, place)
    if archive is not None:
        source = _npz(archive, val_fraction)
        unnamed = stated_in_npz(archive)[1] is None and name == "cifar10" and len(source.class_names) == 10
        names = CIFAR10_CLASSES if unnamed else source.class_names
        return replace(source, class_names=names, in_channels=3, mean=statistics[0], std=statistics[1])
    from torchvision.datasets import CIFAR10, CIFAR100

    kind = CIFAR10 if name == "cifar10" else CIFAR100
    root = place or next(iter(data_roots()), Path("data"))
    # Asked in this order: another process may make the folder between the two questions.
    if root.exists() and not os.access(root, os.W_OK) and not (root / kind.base_folder).exists():
        root = Path("data")
    try:
        parts = _torchvision_parts(kind, root)
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"{name} is not in {root} and cannot be downloaded ({error}); connect to the network, or put torchvision's "
            f"files there, or set LIT_CNN_DATA to a folder that has them or a {name}.npz of MedMNIST's array names"
        ) from None
    arrays = [
        ArraySplit(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
        for part in parts
    ]
    train, val, how = _hold_out(arrays[0], val_fraction)
    origin, names = str(root / kind.base_folder), list(parts[0].classes)
    return Source(train, val, arrays[1], names, 3, *statistics, origin, validation=how)


def _folder_or_name(path: str) -> str:
    """The existing file or folder meant by ``path`` (see ``resolve_data_path``), or a name on the Hub as it is."""
    try:
        return str(resolve_data_path(path))
    except FileNotFoundError:
        if not NAME.fullmatch(path) or path.startswith("."):
            raise
        return path


def _files(found: Labeled, hold_out: HoldOut, origin: str) -> Source:
    aside = set_aside(found.splits, found.class_names, hold_out)
    named = aside.train, aside.val, found.splits.get("test"), found.class_names
    notes = (*found.notes, *aside.notes)
    return Source(*named, 3, *IMAGENET_STATISTICS, origin, found.left_out, notes, aside.how)


def _hub(found: HubImages, hold_out: HoldOut, origin: str) -> Source:
    aside = set_aside(found.splits, found.class_names, hold_out)
    named = aside.train, aside.val, found.splits.get("test"), found.class_names
    notes = (*found.notes, *aside.notes)
    return Source(*named, 3, *IMAGENET_STATISTICS, origin, notes=notes, validation=aside.how)


def _litdata(path: str) -> Source:
    splits, names = read_shards(path)
    named = splits["train"], splits["val"], splits.get("test"), names
    return Source(*named, 3, *IMAGENET_STATISTICS, path)
