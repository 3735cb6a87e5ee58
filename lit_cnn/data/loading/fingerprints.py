"""What a checkpoint remembers of the images it was trained and validated on, to know the set and single images again.

A digest of all images in order says whether a set is the same. Single images are recognized in a sample: those whose
hash (of the name of a file, of the pixels of an array) is lowest, a bottom-k sketch. Which images are sampled follows
from the hash alone, so another set that shares images shares them in its sample too.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import BrokenImage
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.huggingface import HubSplit
from lit_cnn.data.sources.load import Split
from lit_cnn.data.sources.names import NamedSplit, name_hashes
from lit_cnn.randomness import derive_key, fold

SAMPLE = 2**16
"""Images of a split that are remembered, 8 bytes each."""
CONTENTS = 256
"""Of those, the files whose content is remembered too: equal names and sizes alone can be a coincidence."""
_CONTENT_BYTES = 2**20
_PIXELS = 4096
"""Bytes of an array image that are hashed, evenly spread."""
_THREADS = 8
"""File systems on a network answer many questions about sizes at once."""


@dataclass(frozen=True)
class Fingerprints:
    """What is remembered of N images.

    Args:
        digest: of all images with their classes, in order.
        threshold: images whose sample hash is at most this were sampled; None: single images are not known.
        keys: int32 (k, 2): 32 bits of each sampled hash, from the lowest hash on, and the size of the file in bytes, or
            32 other bits where the image is in memory or in a table.
        contents: int32 (m,), hashes of the contents of the first m files; empty for arrays.
    """

    digest: str
    threshold: int | None
    keys: Tensor
    contents: Tensor

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return dict(vars(self))

    @classmethod
    def of(cls, split: Split, class_names: Sequence[str], sample: int = SAMPLE) -> "Fingerprints":
        """Those of a split; sizes and contents are read of sampled files alone."""
        found = _sampled(split, class_names)
        if found is None:
            keys, contents = torch.zeros(0, 2, dtype=torch.int32), torch.zeros(0, dtype=torch.int32)
            return cls(_digest(split.labels), None, keys, contents)
        order = np.argsort(found.samples, kind="stable")[:sample]
        threshold = int(found.samples[order[-1]]) if len(found.samples) > sample else 2**63 - 1
        keys = torch.from_numpy(_keys(split, found, order))
        contents = torch.from_numpy(_content_hashes(split, order[:CONTENTS]))
        return cls(_digest(split.labels, found.hashes), threshold, keys, contents)


class Recognized(NamedTuple):
    """How many images of a split are among those remembered.

    Args:
        known: of all of them; estimated where not all were sampled.
        images: of the split.
        estimated: whether ``known`` is an estimate.
    """

    known: int
    images: int
    estimated: bool

    def sentence(self, checkpoint: str, kind: str = "") -> str:
        """``about 12 of the 60 images were trained on by last.ckpt``; ``kind`` says which images, with a blank."""
        about, were = "about " if self.estimated else "", "was" if self.known == 1 else "were"
        return f"{about}{self.known:,} of the {self.images:,} {kind}images {were} trained on by {checkpoint}"


def digest(split: Split, class_names: Sequence[str]) -> str:
    """Of all images of a split with their classes, in order: ``Fingerprints.digest``."""
    found = _sampled(split, class_names)
    return _digest(split.labels) if found is None else _digest(split.labels, found.hashes)


class _Sampled(NamedTuple):
    """int64 (N,), (N,): the hash of each image, and the one that decides whether it is sampled."""

    hashes: np.ndarray
    samples: np.ndarray


def recognize(known: Fingerprints, split: Split, class_names: Sequence[str]) -> Recognized | None:
    """Which share of a split's images ``known`` has; None where that is not known.

    Files count as the same when class, path below the class folder and size in bytes are the same. Where the contents
    of some are remembered and none of them is the same, the sets merely use the same names, and none counts.
    """
    found = None if known.threshold is None else _sampled(split, class_names)
    if found is None:
        return None
    rows = np.flatnonzero(found.samples <= known.threshold)
    keys = known.keys.numpy()
    rows = rows[np.argsort(found.samples[rows], kind="stable")]
    named = rows[np.isin(_low_bits(found.samples[rows]), keys[:, 0])]
    own = _keys(split, found, named)
    count = int(np.isin(_whole(own), _whole(keys)).sum())
    if count and not _some_contents_agree(known, split, named, own):
        count = 0
    estimated = len(rows) < len(split)
    return Recognized(round(count * len(split) / len(rows)) if estimated and count else count, len(split), estimated)


def other_images(known: Fingerprints, split: Split, class_names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Rows of sampled images of a split that ``known`` does not have, and of files that have another size there."""
    found = None if known.threshold is None else _sampled(split, class_names)
    if found is None:
        return [], []
    rows = np.flatnonzero(found.samples <= known.threshold)
    keys = known.keys.numpy()
    there = np.isin(_low_bits(found.samples[rows]), keys[:, 0])
    named = rows[there]
    own = _keys(split, found, named)
    return rows[~there].tolist(), named[~np.isin(_whole(own), _whole(keys))].tolist()


def _sampled(split: Split, class_names: Sequence[str]) -> _Sampled | None:
    if isinstance(split, FolderSplit | HubSplit):
        hashes = name_hashes(split, class_names)
    elif isinstance(split, ArraySplit):
        hashes = _pixel_hashes(split.images)
    else:
        return None
    return _Sampled(hashes, fold(torch.from_numpy(hashes), derive_key("sample")).numpy())


def _pixel_hashes(images: Tensor) -> np.ndarray:
    """int64 (N,), of some bytes of each of the images uint8 (N, C, H, W)."""
    flat = images.flatten(1)
    rows = flat[:, :: -(-flat.shape[1] // _PIXELS)].contiguous().numpy()
    return np.array([int.from_bytes(_blake(row.tobytes()), "little", signed=True) for row in rows], dtype=np.int64)


def _digest(labels: Tensor, hashes: np.ndarray | None = None) -> str:
    content = labels.numpy().tobytes() + (b"" if hashes is None else hashes.tobytes())
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _blake(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=8).digest()


def _low_bits(hashes: np.ndarray) -> np.ndarray:
    return (hashes & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _whole(keys: np.ndarray) -> np.ndarray:
    """int64 (k,) of int32 (k, 2)."""
    return np.ascontiguousarray(keys).view(np.int64)[:, 0]


def _keys(split: Split, found: _Sampled, rows: np.ndarray) -> np.ndarray:
    """int32 (k, 2), see ``Fingerprints``."""
    if isinstance(split, FolderSplit):
        paths = [split.paths[row] for row in rows.tolist()]
        parts = [paths[first : first + 1024] for first in range(0, len(paths), 1024)]
        with ThreadPoolExecutor(_THREADS) as pool:
            second = np.array([size for part in pool.map(_sizes, parts) for size in part], dtype=np.int32)
    else:
        second = _low_bits(found.hashes[rows])
    return np.stack([_low_bits(found.samples[rows]), second], axis=1)


def _sizes(paths: Sequence[str]) -> list[int]:
    """Of files in bytes; -1 of one that is not there."""
    sizes = []
    for path in paths:
        try:
            sizes.append(os.stat(path).st_size & 0x7FFFFFFF)
        except OSError:
            sizes.append(-1)
    return sizes


def _content_hashes(split: Split, rows: np.ndarray) -> np.ndarray:
    """int32, of the first mebibyte of each file; empty for arrays."""
    if not isinstance(split, FolderSplit | HubSplit):
        return np.zeros(0, dtype=np.int32)
    with ThreadPoolExecutor(_THREADS) as pool:
        hashes = list(pool.map(partial(_content_hash, split), rows.tolist()))
    return np.array(hashes, dtype=np.int32)


def _content_hash(split: NamedSplit, row: int) -> int:
    try:
        if isinstance(split, HubSplit):
            content = split.read(row).content
        else:
            with open(split.paths[row], "rb") as stream:
                content = stream.read(_CONTENT_BYTES)
    except (BrokenImage, OSError):
        return 0
    return int.from_bytes(_blake(content[:_CONTENT_BYTES])[:4], "little", signed=True)


def _some_contents_agree(known: Fingerprints, split: Split, named: np.ndarray, own: np.ndarray) -> bool:
    """Whether the content of a file is the remembered one, or none of those at hand is remembered.

    Args:
        known: with the contents.
        split: of the files.
        named: rows of files whose names are known.
        own: their keys.
    """
    remembered = dict(zip(known.keys[: len(known.contents), 0].tolist(), known.contents.tolist(), strict=True))
    checked = [place for place, key in enumerate(own[:, 0].tolist()) if key in remembered]
    contents = _content_hashes(split, named[checked])
    return not checked or any(
        remembered[key] == content for key, content in zip(own[checked, 0].tolist(), contents.tolist(), strict=False)
    )
