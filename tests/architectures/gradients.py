"""Whether every parameter of a network learns."""

import contextlib
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def assert_trainable(network: nn.Module, side: int, *, batch: int = 2, in_channels: int = 3) -> None:
    """Every parameter gets a finite gradient, not zero throughout, in one step once the residual gains are not zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("gain", "norm.weight")) and not parameter.any():
                parameter.fill_(1.0)
    x = torch.randn(batch, in_channels, side, side, generator=generator)
    with smooth_activations():
        logits = network.train()(x)
    (logits * torch.randn(logits.shape, generator=generator)).sum().backward()
    assert_all_learn(network)


def assert_all_learn(network: nn.Module) -> None:
    """Every parameter has a finite gradient that is not zero throughout."""
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@contextlib.contextmanager
def smooth_activations() -> Iterator[None]:
    """ReLU and ReLU6 become SiLU: a gradient of zero then means that nothing leads there.

    A rectified unit may be dead by the luck of its weights, and where it is nearly so the rounding decides, which
    differs from one instruction set to another.
    """
    with pytest.MonkeyPatch.context() as patch:
        for rectifier in ("relu", "relu_", "hardtanh"):
            patch.setattr(F, rectifier, lambda x, *_, **__: F.silu(x))
        yield
