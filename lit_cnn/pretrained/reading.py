"""Read weights from a file as a plain dictionary of tensors; nothing in the file is executed."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema", "model_ema", "weights")
"""Under which keys training programs keep the weights in a larger checkpoint."""
PICKLES = (".pth", ".pt", ".bin", ".ckpt", ".tar")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a PyTorch file (PICKLES), ``.safetensors`` or ``.npz``, in the order in which they were written.

    safetensors keeps no order: there it is the natural order of the names.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is an address on the web, of another kind, damaged, or holds more than tensors and built-in
            types.
    """
    if str(path).startswith(("http://", "https://")):
        raise ValueError(f"weights are read from files only: download {path} and give the file")
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    if path.suffix in PICKLES:
        return unwrap(_read_pickle(path), path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    raise ValueError(
        f"{path} has the ending {path.suffix!r}; weights are read from {', '.join(PICKLES)}, .safetensors, .npz"
    )


def unwrap(content: Any, path: str | Path) -> dict[str, Tensor]:
    """The tensors of a loaded checkpoint, which may lie below one of WRAPPERS; other entries are left out."""
    while isinstance(content, Mapping):
        tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        if tensors:
            return tensors
        content = next((content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
    raise ValueError(f"{path} holds no dictionary of tensors, at the top or under {', '.join(WRAPPERS)}")


def _read_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} is damaged or holds more than tensors and built-in types, which could run code when read; "
            "save its state_dict alone"
        ) from error
    except (RuntimeError, EOFError) as error:
        raise ValueError(f"{path} is not a readable PyTorch file: {str(error).splitlines()[0]}") from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    return {name: state[name] for name in sorted(state, key=natural)}


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    except (ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an npz file of plain number arrays: {error}") from error


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sort key in which block 10 follows block 9."""
    parts = re.split(r"(\d+)", name)
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
