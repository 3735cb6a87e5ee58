"""Sets of small images in memory: uint8 tensors and the npz files they come from."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class ArraySplit:
    """Images uint8 (N, C, H, W) and labels int64 (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> "ArraySplit":
        """The given rows, in their order."""
        return ArraySplit(self.images[rows], self.labels[rows])


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of uint8 images (N, C, H, W) as pixels in [0, 1].

    A channel without variation gets 1 as its standard deviation.
    """
    means, stds = [], []
    for channel in range(images.shape[1]):
        counts = torch.bincount(images[:, channel].flatten(), minlength=256).double()
        share, values = counts / counts.sum(), torch.arange(256).double() / 255
        mean = (share * values).sum()
        means.append(round(mean.item(), 6))
        stds.append(round((share * (values - mean) ** 2).sum().sqrt().item(), 6) or 1.0)
    return tuple(means), tuple(stds)


def read_npz(path: Path, *, to_train: bool = True) -> tuple[dict[str, ArraySplit], list[str]]:
    """Read ``train_images``, ``train_labels`` and, where present, ``val_*``, ``test_*`` and ``class_names``.

    Images are uint8 (N, H, W) or (N, H, W, C) with 1, 3 or 4 channels; labels are integers (N,) or (N, 1). Nothing
    pickled is loaded.

    Args:
        path: the file.
        to_train: refuse a file without training images or of one class; else any split will do.

    Raises:
        ValueError: one sentence on what the file lacks.
    """
    with _opened(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    _require_images(arrays, path, to_train)
    splits = {}
    for split in SPLITS:
        if f"{split}_images" in arrays:
            if f"{split}_labels" not in arrays:
                raise ValueError(f"{path} has {split}_images but no {split}_labels")
            images = _images(arrays[f"{split}_images"], f"{split}_images of {path}")
            splits[split] = ArraySplit(
                images, _labels(arrays[f"{split}_labels"], len(images), f"{split}_labels of {path}")
            )
    stated = arrays.get("class_names")
    names = _counted_names(splits) if stated is None else _names(stated)
    if to_train and len(names) < 2:
        raise ValueError(f"{path} holds one class only; classification needs at least two")
    _require_equal(splits, names, path)
    return splits, names


def _require_images(arrays: Mapping[str, np.ndarray], path: Path, to_train: bool) -> None:
    """Refuse a file that lacks the arrays of images that are needed."""
    some = any(f"{split}_images" in arrays for split in SPLITS)
    for name in ("train_images", "train_labels") if to_train else () if some else ("test_images",):
        if name not in arrays:
            found = ", ".join(sorted(arrays)) or "none"
            raise ValueError(f"{path} has no array {name!r}; it holds {found} (MedMNIST's names are expected)")


def _require_equal(splits: Mapping[str, ArraySplit], names: Sequence[str], path: Path) -> None:
    """Refuse splits of different channels, and labels without a class."""
    first, images = next((name, part.images) for name, part in splits.items())
    for name, part in splits.items():
        if part.images.shape[1] != images.shape[1]:
            raise ValueError(f"{name}_images of {path} has {part.images.shape[1]} channels, unlike {first}_images")
        if int(part.labels.max()) >= len(names):
            raise ValueError(
                f"{name}_labels of {path} holds label {int(part.labels.max())}, but there are only {len(names)} "
                f"classes (0 to {len(names) - 1})"
            )


def stated_in_npz(path: Path) -> tuple[list[str], list[str] | None]:
    """The splits of an npz file, and the class names in it or None where it has none, without reading its images.

    Raises:
        ValueError: if it is not readable.
    """
    with _opened(path) as archive:
        splits = [split for split in SPLITS if f"{split}_images" in archive.files]
        return splits, _names(archive["class_names"]) if "class_names" in archive.files else None


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """The arrays of an npz file, which are read when they are asked for.

    Raises:
        ValueError: if it is not readable, or holds pickled objects.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            yield archive
    except Exception as error:  # damaged files fail in zipfile, zlib, struct and numpy's header parser
        reason = "pickled objects are not loaded" if "pickle" in str(error) else str(error) or type(error).__name__
        raise ValueError(f"{path} is not a readable npz file of plain arrays ({reason})") from None


def _images(array: np.ndarray, name: str) -> Tensor:
    if array.dtype != np.uint8:
        raise ValueError(f"{name} has type {array.dtype}; uint8 pixels from 0 to 255 are expected")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}; (N, H, W) or (N, H, W, C) with 1, 3 or 4 channels is expected"
        )
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def _labels(array: np.ndarray, count: int, name: str) -> Tensor:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}; one integer per image is expected")
    if len(array) != count:
        raise ValueError(f"{name} has {len(array)} labels for {count} images")
    if array.min() < 0:
        raise ValueError(f"{name} holds the negative label {array.min()}; classes count from 0")
    return torch.from_numpy(array.astype(np.int64))


def _names(stated: np.ndarray) -> list[str]:
    """Names stored as text, numbers or UTF-8; other bytes become escapes."""
    return [
        name.decode(errors="backslashreplace") if isinstance(name, bytes) else str(name) for name in stated.tolist()
    ]


def _counted_names(splits: Mapping[str, ArraySplit]) -> list[str]:
    """The numbers of classes that have no names, by the training labels where there are some."""
    labels = splits["train"].labels if "train" in splits else torch.cat([part.labels for part in splits.values()])
    return [str(number) for number in range(int(labels.max()) + 1)]
