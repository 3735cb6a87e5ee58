"""The readers of files that come from elsewhere answer random and damaged bytes with one sentence, nothing else."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lit_cnn.data.archives import read_npz
from lit_cnn.data.folders import load_image
from lit_cnn.training.runs import FORMAT, load_checkpoint


@cache
def sound_bytes(name: str) -> bytes:
    """A sound file of the kind that the ending of ``name`` says."""
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)
    if name.endswith(".npz"):
        np.savez_compressed(file, train_images=pixels, train_labels=np.arange(4) % 2)
    elif name.endswith(".ckpt"):
        torch.save({"network": {}, "state_dict": {"net.weight": torch.arange(6.0)}, "format": FORMAT}, file)
    else:
        Image.fromarray(pixels[0]).save(file, Path(name).suffix[1:].replace("jpg", "jpeg"))
    return file.getvalue()


READERS: dict[str, Callable[[Path], Any]] = {
    "set.npz": read_npz,
    "run.ckpt": load_checkpoint,
    "photo.jpg": load_image,
    "drawing.png": load_image,
}


def check(name: str, content: bytes) -> None:
    """Read ``content`` as ``name``; a refusal must name the file."""
    refusal = None
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            READERS[name](path)
        except (ValueError, OSError) as error:
            refusal = str(error)
    assert refusal is None or name in refusal


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(content=st.binary(max_size=300))
def test_random_bytes(name: str, content: bytes) -> None:
    check(name, content)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_files(name: str, data: st.DataObject) -> None:
    """Bytes of a sound file are overwritten, and its end may be missing."""
    content = bytearray(sound_bytes(name))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    check(name, bytes(content[: data.draw(st.integers(0, len(content)))]))


@pytest.mark.parametrize("name", READERS)
def test_a_sound_file_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(sound_bytes(name))
    READERS[name](tmp_path / name)
