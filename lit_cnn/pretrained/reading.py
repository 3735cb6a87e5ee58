"""Read weights from a file as a plain dictionary of tensors: its content says what it is, and nothing is executed."""

import argparse
import collections
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_cnn.pretrained.unwrapping import ForeignWeights, WeightsKind, unwrap

FORMATS = "PyTorch files, safetensors and npz"
NOT_WEIGHTS = (
    (b"\x89HDF", "an HDF5 file, such as Keras writes"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: fetch it with git lfs pull"),
    (b"<", "a web page or XML, not the file itself: download it again"),
    (b"{", "a text file (JSON), perhaps the index of weights in several parts: give the parts' weights in one file"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
)
"""First bytes of files that people take for weights, and what to say of them."""
PLAIN_CLASSES = (argparse.Namespace, collections.defaultdict, np.dtype, np.ndarray, type(np.dtype(np.float64)))
"""Classes without code of their own that training programs save next to weights."""


def read_weights(path: str | Path, weights: WeightsKind | None = None) -> dict[str, Tensor]:
    """The tensors alone of ``read_foreign``."""
    return read_foreign(path, weights).state


def read_foreign(path: str | Path, weights: WeightsKind | None = None) -> ForeignWeights:
    """A network's tensors in a PyTorch file, safetensors or npz of whatever name, in the order as written.

    safetensors keeps no order: there it is the natural order of the names.

    Args:
        path: The file.
        weights: Which to take where a file holds averaged and raw ones; averaged ones by default.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is an address on the web, of another kind, damaged, or holds more than tensors and built-in
            types.
    """
    if str(path).startswith(("http://", "https://")):
        raise ValueError(f"weights are read from files only: download {path} and give the file")
    path = Path(path).expanduser()
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name the file of weights in it")
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    return unwrap(_content(path), path, weights)


def _content(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise ValueError(f"{path} is empty")
    header = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and header < path.stat().st_size:
        return _read_safetensors(path)
    if start.startswith(b"PK"):
        return _read_zip(path)
    for magic, said in NOT_WEIGHTS:
        if start.lstrip().startswith(magic):
            raise ValueError(f"{path} is {said}" + ("" if ":" in said else f"; weights are read from {FORMATS}"))
    return _read_pickle(path)


def _read_zip(path: Path) -> Any:
    """A PyTorch file or npz, which both are zip archives; any other is refused."""
    try:
        names = zipfile.ZipFile(path).namelist()
    except zipfile.BadZipFile:
        raise ValueError(f"{path} is damaged: it begins like a PyTorch file or npz but ends too early") from None
    if any("/code/" in name for name in names):
        raise ValueError(f"{path} is a TorchScript archive, which is a program: save its state_dict with torch.save")
    if any(name.endswith("data.pkl") for name in names):
        return _read_pickle(path)
    if names and all(name.endswith(".npy") for name in names):
        return _read_npz(path)
    raise ValueError(f"{path} is a zip archive of {', '.join(names[:3])}: unpack it and give the file of weights in it")


def _read_pickle(path: Path) -> Any:
    try:
        # as an open file, since torch reads a path that ends in .safetensors as such
        with torch.serialization.safe_globals([*PLAIN_CLASSES, *_numpy_scalars()]), path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None:
            raise ValueError(f"{path} is damaged, or not a file of weights ({FORMATS})") from error
        raise ValueError(
            f"{path} holds more than tensors and built-in types ({found.group(1)}), which could run code when read; "
            "save its state_dict alone"
        ) from error
    except (RuntimeError, EOFError, KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} is not a readable PyTorch file: {first}") from error


def _numpy_scalars() -> list[Any]:
    """What a number of NumPy is made of in a pickle, under the names of old and new versions."""
    rebuild = np.float64(0).__reduce__()[0]
    kinds = [type(np.dtype(kind)) for kind in (np.float32, np.int64, np.int32, np.bool_)]
    return [*kinds, *((rebuild, f"numpy.{core}.multiarray.scalar") for core in ("_core", "core"))]


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    return {name: state[name] for name in sorted(state, key=natural)}


def _read_npz(path: Path) -> dict[str, Tensor]:
    """Slashes in names, as JAX and TensorFlow write them, become points."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name.replace("/", "."): torch.from_numpy(arrays[name]) for name in arrays.files}
    except (ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an npz file of plain number arrays: {error}") from error


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sort key in which block 10 follows block 9."""
    parts = re.split(r"(\d+)", name)
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
