"""Squeeze-and-excitation (Hu et al., 2017, arXiv:1709.01507)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.torch_internals import needs_plain_formula, takes_own_gradients


class PixelConv2d(nn.Conv2d):
    """A 1x1 convolution of a map of one pixel, (N, C, 1, 1) -> (N, C', 1, 1): run as a linear layer, whose backward
    pass is several times as fast on the CPU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.flatten(1), self.weight.flatten(1), self.bias)[:, :, None, None]


class _ScaleChannels(torch.autograd.Function):
    """x · gates. Autograd would keep two maps of scratch memory in the backward pass; one is enough, and on the CPU
    fetching a large block of memory takes longer than filling it. A backward pass that is differentiated itself
    (``create_graph``, ``torch.func``), or is one of several at once, takes the plain formula."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, gates: Tensor) -> Tensor:
        return x * gates

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:  # noqa: ARG004
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, gates = ctx.saved_tensors
        if needs_plain_formula(grad):
            return grad * gates, (grad * x).sum((2, 3), keepdim=True)
        scratch = grad * x
        grad_gates = scratch.sum((2, 3), keepdim=True)
        return torch.mul(grad, gates, out=scratch), grad_gates


def scale_channels(x: Tensor, gates: Tensor) -> Tensor:
    """Each channel of (N, C, H, W) times its gate of (N, C, 1, 1)."""
    gates = gates.to(x.dtype)
    return _ScaleChannels.apply(x, gates) if takes_own_gradients() else x * gates


def global_average(x: Tensor) -> Tensor:
    """(N, C, 1, 1), the mean of each channel of (N, C, H, W)."""
    if x.dtype == torch.float16:  # whose sums overflow from 65,504 on; mean() adds up in float32
        return x.mean((2, 3), keepdim=True)
    pixels = x.shape[2] * x.shape[3]
    return x.sum((2, 3), keepdim=True) / pixels  # the backward pass of mean() would divide in a map of its own


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from the global average of all: (N, C, H, W) -> (N, C, H, W).

    Args:
        channels: Channels of the map.
        hidden: Channels between the two 1x1 convolutions (with bias).
        activation: Activation after the first; ReLU in the paper.
    """

    def __init__(self, channels: int, hidden: int, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.reduce = PixelConv2d(channels, hidden)
        self.activation = nn.ReLU(inplace=True) if activation is None else activation
        self.expand = PixelConv2d(hidden, channels)
        self.gate = nn.Sigmoid()

    def gates(self, x: Tensor) -> Tensor:
        """(N, C, 1, 1) in (0, 1)."""
        return self.gate(self.expand(self.activation(self.reduce(global_average(x)))))

    def forward(self, x: Tensor) -> Tensor:
        return scale_channels(x, self.gates(x))
