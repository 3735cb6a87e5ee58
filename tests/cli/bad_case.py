"""What a case of broken or hostile input is, and the sound things that cases spoil."""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkpoint_files
import numpy as np
import torch
from PIL import Image


@dataclass(frozen=True)
class Case:
    """One input and its answer.

    Args:
        group: images, data sets, recipes, checkpoints or files.
        name: What is wrong, in a few words.
        arguments: Makes the input in a folder that holds ``images/`` and returns the command line.
        says: Part of the sentence, in which PATH stands for the folder; of the output where the code is 0.
        code: Exit code.
        rights: Whether file rights count, which root does without.
    """

    group: str
    name: str
    arguments: Callable[[Path], list[str]]
    says: str
    code: int = 1
    rights: bool = False


@contextmanager
def file_rights() -> Iterator[None]:
    """Let file rights count for root too: two capabilities of this thread are laid down meanwhile.

    Raises:
        OSError: If the system does not let them be laid down.
    """
    if os.geteuid():
        yield
        return
    system, header = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint32 * 2)(0x20080522, 0)
    before, changed = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    for call, words in ((system.capget, before), (system.capget, changed)):
        if call(header, words):
            raise OSError(ctypes.get_errno(), "capabilities cannot be read")
    changed[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of the effective set
    if system.capset(header, changed):
        raise OSError(ctypes.get_errno(), "capabilities cannot be laid down")
    try:
        yield
    finally:
        system.capset(header, before)


class Greedy(torch.nn.Linear):
    """A network that asks for a million gigabytes."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.empty(2**50))


def make_images(folder: Path) -> None:
    """``images/{train,val}/{cat,dog}`` with four 20x20 JPEGs each."""
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (folder / "images" / split / name).mkdir(parents=True)
            for number in range(4):
                pixels = np.random.default_rng(number).integers(0, 255, (20, 20, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / "images" / split / name / f"{number}.jpg")


def write_checkpoint(folder: Path, **changes: Any) -> Path:
    """A checkpoint of a CIFAR ResNet-20 with random weights for two classes, some entries changed."""
    return checkpoint_files.write_checkpoint(folder / "last.ckpt", ["cat", "dog"], **changes)
