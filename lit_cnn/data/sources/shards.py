"""Image sets packed into litdata's shards: encoded files read at random from a folder or from remote storage.

``lit-cnn data pack`` (``packing.py``) writes one litdata set per split and one named ``info`` whose only sample holds
class names and labels. Rows are addressed by number, so that order, resuming, repeats and the division over processes
are the samplers' as for every source; ``TrainSampler`` shuffles by shards (see ``chunked_order``).
"""

import json
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.sources.decoding import RGB, EncodedImage, PixelFormat
from lit_cnn.data.sources.extensions import register_plugins
from lit_cnn.data.sources.litdata_internals import (
    LocalShards,
    download_whole_shards,
    folder_of,
    images_of_shards,
    is_remote_set,
)

if TYPE_CHECKING:
    from litdata import StreamingDataset

INFO = "info"
FORMAT = 1
"""Version of the contents of ``info``."""
SHARE_OF_DISK = 0.75
"""Of what is free, at most so much is filled with shards of a remote set."""


def is_packed(path: Path) -> bool:
    """Whether a folder is a packed set."""
    return (path / INFO / "index.json").is_file()


def require_litdata() -> None:
    """Raise a ValueError that says what to install where litdata is missing."""
    try:
        import litdata  # noqa: F401
    except ImportError:
        raise ValueError("Packed sets need litdata; install it with pip install lit-cnn[streaming]") from None


def is_remote(path: str) -> bool:
    """Whether ``path`` is a URL (s3://, gs://, …), which litdata opens itself."""
    return "://" in path


def _open(path: str) -> "StreamingDataset":
    require_litdata()
    from litdata import StreamingDataset

    return StreamingDataset(path)


def _keep_shards(shards: "StreamingDataset") -> None:
    """Download whole shards of a remote set, once, where the disk has room for all; else litdata requests every image
    on its own, in every epoch.

    The limit is raised over the set's size: litdata's own does not count what it holds already, and beyond it shards
    are deleted that other images are still read from. A limit that the user has set (``MAX_CACHE_SIZE``) stays.
    """
    if not is_remote_set(shards) or "MAX_CACHE_SIZE" in os.environ:
        return
    folder = folder_of(shards)
    chunks = json.loads((folder / "index.json").read_text())["chunks"]
    missing = sum(chunk["chunk_bytes"] for chunk in chunks if not (folder / chunk["filename"]).exists())
    if missing > SHARE_OF_DISK * shutil.disk_usage(folder).free:
        return
    download_whole_shards(shards, 2 * sum(chunk["chunk_bytes"] for chunk in chunks) + 2**30)


def _open_for_reading(path: str) -> "StreamingDataset | LocalShards":
    local = None if is_remote(path) else LocalShards.of(path)
    if local is not None:
        return local
    shards = _open(path)
    _keep_shards(shards)
    return shards


@dataclass(frozen=True)
class ShardSplit:
    """N images of a packed split and labels int64 (N,).

    Args:
        path: folder or URL of the split's shards.
        labels: of the rows shown.
        chunks: images of each shard, in the order of the set.
        rows: which rows of the set this split shows; None for all. Without all of them ``chunks`` says nothing.
    """

    path: str
    labels: Tensor
    chunks: tuple[int, ...]
    rows: np.ndarray | None = None
    _opened: dict[int, "StreamingDataset | LocalShards"] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.labels)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": {}}

    def take(self, rows: Tensor) -> "ShardSplit":
        """The given rows, in their order."""
        own = rows.numpy() if self.rows is None else self.rows[rows.numpy()]
        return replace(self, labels=self.labels[rows], rows=own, _opened={})

    def read(self, row: int, pixel_format: PixelFormat = RGB) -> EncodedImage:
        """The encoded file of a row."""
        place = row if self.rows is None else int(self.rows[row])
        register_plugins()
        process = os.getpid()  # a worker that was forked opens its own
        if process not in self._opened:
            self._opened.clear()
            self._opened[process] = _open_for_reading(self.path)
        return EncodedImage(bytes(self._opened[process][place]), f"{place} of {self.path}", pixel_format)


def read_shards(path: str) -> tuple[dict[str, ShardSplit], list[str]]:
    """The splits that a packed set holds, by name, and its class names.

    Args:
        path: folder or URL that ``lit-cnn data pack`` has written.

    Raises:
        ValueError: if litdata is missing or there is no such set.
    """
    require_litdata()  # a sentence of its own
    try:
        info = json.loads(bytes(_open(f"{path}/{INFO}")[0]))
        if info["format"] != FORMAT:
            raise ValueError(f"format {info['format']} is unknown")
        names, labels = info["class_names"], info["labels"]
        splits = {name: _read_split(f"{path}/{name}", torch.tensor(values)) for name, values in labels.items()}
    except Exception as error:  # missing files, other sets and failing connections end in many kinds of errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{path} is not a set of data.source litdata ({reason}); write one with lit-cnn data pack SRC DEST"
        ) from None
    return splits, names


def _read_split(path: str, labels: Tensor) -> ShardSplit:
    chunks = images_of_shards(_open(path))
    if sum(chunks) != len(labels):  # where several processes train, len(shards) is the share of this one
        raise ValueError(f"{path} holds {sum(chunks)} images, but {len(labels)} are recorded")
    return ShardSplit(path, labels, chunks)
