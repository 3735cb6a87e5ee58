"""Whole training steps with and without a way of calculating a kind of layer, in turn: one thread, processor's time."""

from collections.abc import Callable
from types import ModuleType

import torch
from interleaved import compare
from network_speed import training_pass

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.architectures.catalog import create_model

SIDE = 128
"""Of images for a network that states no other, in pixels."""


def begin() -> None:
    """The settings of the process."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()


def with_constant(step: Callable[[], None], module: ModuleType, name: str, value: object) -> Callable[[], None]:
    """The step while a constant of a module has another value."""

    def program() -> None:
        usual = getattr(module, name)
        setattr(module, name, value)
        step()
        setattr(module, name, usual)

    return program


def compare_steps(
    network: str, side: int, batch: int, without: Callable[[Callable[[], None]], Callable[[], None]], seconds: float
) -> None:
    """Print a network's row: its step, and that without."""
    torch.manual_seed(0)
    images = torch.randn(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
    step = training_pass(create_model(network), images, bf16=False)
    found = compare(step, without(step), seconds, "cpu")
    spread = f"{found.ratio:.3f} ({found.lowest:.2f}–{found.highest:.2f})"
    print(f"| {network}, {side} px | {1e3 * found.ours:.1f} | {1e3 * found.theirs:.1f} | {spread} |", flush=True)
