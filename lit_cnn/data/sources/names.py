"""What an image is called wherever its set lies: its class and its path below the class folder, as one hash.

The hash depends neither on the place of the set nor on the operating system, nor on the other images: held-out images
(``holdout.py``) and what a checkpoint remembers of its training images (``loading/fingerprints.py``) follow from it.
"""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.huggingface import HubSplit
from lit_cnn.randomness import derive_key, fold

NamedSplit = FolderSplit | HubSplit
"""Splits whose images have names."""
_WORD = 8
"""Bytes that are hashed at once."""


def relative_path(paths: PathTable, row: int) -> str:
    """A path below the table's root, with forward slashes."""
    return paths[row][len(paths.root) :].replace(os.sep, "/").lstrip("/")


def image_names(split: NamedSplit, distinct: bool = False) -> PathTable:
    """What each image is called; with ``distinct``, images that a table gives one path go by their contents."""
    return split.names(distinct) if isinstance(split, HubSplit) else split.paths


def name_hashes(split: NamedSplit, class_names: Sequence[str]) -> np.ndarray:
    """int64 (N,): one hash for each image, of class name and path below the class folder.

    That is the path after the first folder named as the class, or the whole path below the table's root where there is
    none. Names in another Unicode form (NFD of macOS) have the same hash.
    """
    paths, labels = _portable(image_names(split, distinct=True)), split.labels.numpy()
    starts, lengths = paths.spans()
    starts, lengths = _below_class_folders(paths.content, starts, lengths, labels, class_names)
    keys = np.array([derive_key("image", unicodedata.normalize("NFC", name)) for name in class_names], dtype=np.int64)
    return _fold_bytes(keys[labels], paths.content, starts, lengths)


def hold_out_hashes(split: NamedSplit, class_names: Sequence[str]) -> np.ndarray:
    """int64 (N,): as ``name_hashes``, with the files of a list that are not all in its folder named by their paths from
    there: what all paths begin with changes when a row is added."""
    if isinstance(split, FolderSplit) and split.base:
        split = replace(split, paths=PathTable.of(os.path.relpath(path, split.base) for path in split.paths))
    return name_hashes(split, class_names)


def text_hashes(texts: Sequence[str]) -> np.ndarray:
    """int64 (N,): one hash for each text."""
    keys = [derive_key("group", unicodedata.normalize("NFC", text)) for text in texts]
    return np.array(keys, dtype=np.int64)


def to_unit(hashes: np.ndarray) -> np.ndarray:
    """Hashes as float64 in [0, 1), evenly distributed."""
    return (hashes.view(np.uint64) >> np.uint64(11)) * 2.0**-53


def _portable(paths: PathTable) -> PathTable:
    """The paths below the table's root with forward slashes and in Unicode's composed form."""
    content = paths.content
    if os.sep == "/" and not (content >= 128).any():
        return paths
    names = (unicodedata.normalize("NFC", paths[row][len(paths.root) :]) for row in range(len(paths)))
    return PathTable.of(name.replace(os.sep, "/") for name in names)


def _below_class_folders(
    content: np.ndarray, starts: np.ndarray, lengths: np.ndarray, labels: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Begin and length of the part of each path that counts."""
    slashed = (lengths > 0) & (content[np.minimum(starts, max(len(content) - 1, 0))] == ord("/"))
    starts, lengths = starts + slashed, lengths - slashed
    skipped = np.zeros_like(starts)
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(len(class_names) + 1))
    for number, name in enumerate(class_names):
        rows = order[bounds[number] : bounds[number + 1]]
        folder = os.fsencode(unicodedata.normalize("NFC", name) + "/")
        skipped[rows] = _skipped(content, starts[rows], lengths[rows], folder)
    return starts + skipped, lengths - skipped


def _skipped(content: np.ndarray, starts: np.ndarray, lengths: np.ndarray, folder: bytes) -> np.ndarray:
    """Bytes of each path up to and with the first ``folder``; 0 where there is none."""
    result = np.zeros_like(starts)
    long = np.flatnonzero(lengths > len(folder))
    begins = content[starts[long, None] + np.arange(len(folder))] == np.frombuffer(folder, dtype=np.uint8)
    there = begins.all(axis=1)
    result[long[there]] = len(folder)
    for row in long[~there]:
        path = content[starts[row] : starts[row] + lengths[row]].tobytes()
        place = path.find(b"/" + folder)
        result[row] = 0 if place < 0 else place + 1 + len(folder)
    return result


def _fold_bytes(keys: np.ndarray, content: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """``keys`` folded with the bytes of each span, in little-endian words of eight bytes, and with their number."""
    state = torch.from_numpy(keys.copy())
    padded = np.concatenate([content, np.zeros(_WORD, dtype=np.uint8)])
    words = np.ndarray((len(content) + 1,), "<i8", padded, strides=(1,))
    for place in range(0, int(lengths.max(initial=0)), _WORD):
        rows = np.flatnonzero(lengths > place)
        word = words[starts[rows] + place].astype(np.int64)
        left = lengths[rows] - place
        short = left < _WORD
        word[short] &= (np.int64(1) << (8 * left[short])) - 1
        state[rows] = fold(state[rows], torch.from_numpy(word))
    return fold(state, torch.from_numpy(lengths.astype(np.int64))).numpy()
