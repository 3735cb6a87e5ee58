"""Files of weights become tensors; what could run code or is damaged is refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lit_cnn.pretrained import read_weights
from lit_cnn.pretrained.reading import natural


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_pickle_wrapped_or_not(tmp_path: Path, wrapper: str | None) -> None:
    state = {"b.weight": torch.ones(2, 2), "a.weight": torch.zeros(3)}
    torch.save(state if wrapper is None else {"epoch": 3, wrapper: state}, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth")
    assert list(read) == ["b.weight", "a.weight"]
    assert torch.equal(read["b.weight"], torch.ones(2, 2))


def test_safetensors_in_natural_order(tmp_path: Path) -> None:
    save_file(
        {f"blocks.{number}.weight": torch.full((1, 1), float(number)) for number in range(12)},
        tmp_path / "w.safetensors",
    )
    assert [float(value) for value in read_weights(tmp_path / "w.safetensors").values()] == list(range(12))


def test_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", first=np.arange(3.0, dtype=np.float32), second=np.zeros((2, 2)))
    read = read_weights(tmp_path / "w.npz")
    assert list(read) == ["first", "second"]
    assert read["first"].dtype == torch.float32


def test_code_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    with pytest.raises(ValueError, match="holds more than tensors"):
        read_weights(tmp_path / "module.pth")
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="is not an npz file of plain number arrays"):
        read_weights(tmp_path / "objects.npz")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.npz"])
def test_damaged_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not weights at all")
    with pytest.raises(ValueError, match=name):
        read_weights(tmp_path / name)


def test_what_is_no_weights_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no weights file"):
        read_weights(tmp_path / "none.pth")
    with pytest.raises(ValueError, match="download"):
        read_weights("https://example.org/w.pth")


def test_natural_order() -> None:
    assert sorted(["b10.w", "b9.w", "a"], key=natural) == ["a", "b9.w", "b10.w"]
