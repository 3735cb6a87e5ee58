"""Every random decision as a function of its key, never of ambient state.

An image's augmentation is keyed by (seed, epoch, sample index, repeat); mixing, dropout and stochastic depth by (seed,
optimizer step, position in the global batch). The same key gives the same draw on any worker, rank or device, and after
any interruption. Keys are hashed with the finalizer of SplitMix64 (Steele et al., "Fast splittable pseudorandom number
generators", 2014), in Python integers for scalars and in wrapping int64 arithmetic for tensors; both agree.
"""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_MIX1 = 0xBF58476D1CE4E5B9
_MIX2 = 0x94D049BB133111EB


def _signed(value: int) -> int:
    """The two's-complement int64 with the bits of an unsigned 64-bit integer."""
    value &= _MASK
    return value - (1 << 64) if value >> 63 else value


def _finalize(value: int) -> int:
    value = ((value ^ (value >> 30)) * _MIX1) & _MASK
    value = ((value ^ (value >> 27)) * _MIX2) & _MASK
    return value ^ (value >> 31)


def derive_key(*parts: int | str) -> int:
    """Hash integers and names to one key in [-2^63, 2^63); the order of ``parts`` matters.

    Of a file's name, bytes that are not UTF-8 count as they are.
    """
    state = 0
    for part in parts:
        words = [part] if isinstance(part, int) else [len(part), *part.encode("utf-8", "surrogateescape")]
        for word in words:
            state = _finalize((state + _GAMMA + (word & _MASK)) & _MASK)
    return _signed(state)


def _shift_right(value: Tensor, bits: int) -> Tensor:
    """Logical right shift of int64 (torch's ``>>`` copies the sign bit)."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


def fold(key: Tensor | int, counter: Tensor | int) -> Tensor:
    """Derive one int64 key per element of the broadcast ``key`` and ``counter``; equals ``derive_key`` step by step."""
    value = torch.as_tensor(key) + _signed(_GAMMA) + torch.as_tensor(counter)
    value = (value ^ _shift_right(value, 30)) * _signed(_MIX1)
    value = (value ^ _shift_right(value, 27)) * _signed(_MIX2)
    return value ^ _shift_right(value, 31)


def to_uniform(keys: Tensor) -> Tensor:
    """Map int64 keys to float32 in [0, 1) with 24 bits of resolution."""
    return _shift_right(keys, 40).to(torch.float32) * (1.0 / (1 << 24))


def uniform(key: Tensor | int, counter: Tensor | int) -> Tensor:
    """One uniform float32 in [0, 1) per element of the broadcast ``key`` and ``counter``."""
    return to_uniform(fold(key, counter))


def uniform_number(key: int, counter: int) -> float:
    """:func:`uniform` of two integers, to the bit, without a tensor: for a decision that the program itself takes."""
    return (_finalize((key + _GAMMA + counter) & _MASK) >> 40) / (1 << 24)


def generator(*parts: int | str) -> torch.Generator:
    """A CPU generator seeded by the key of ``parts``, for draws that need a distribution torch implements."""
    return torch.Generator().manual_seed(derive_key(*parts) & 0x7FFFFFFFFFFFFFFF)


@contextlib.contextmanager
def seeded(*parts: int | str) -> Iterator[None]:
    """Run a block with Python's, NumPy's and torch's CPU generators seeded by ``parts``; restore them afterwards.

    For code that draws from ambient generators only: torchvision's transforms and weight initialization.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    key = derive_key(*parts)
    random.seed(key)
    np.random.seed(key & 0xFFFFFFFF)
    torch.default_generator.manual_seed(key & 0x7FFFFFFFFFFFFFFF)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
