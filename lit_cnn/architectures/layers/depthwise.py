"""Depthwise convolution: one filter per channel, its gradient in the way in which a CPU calculates it fastest."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_cnn.torch_internals import needs_plain_formula

Pair = tuple[int, int]

STRIP = 3
"""Columns of a filter up to which oneDNN has a kernel for the filters' gradient in channels_last."""


def filter_gradient(x: Tensor, grad: Tensor, weight: Tensor, padding: Pair) -> Tensor:
    """The gradient of the filters of a depthwise convolution of stride 1, a few of their columns at a time.

    oneDNN's kernel for it takes at most ``STRIP`` columns, and no filter taller than the map; the gradient of others is
    calculated as that of a full convolution (``benchmarks/wide_depthwise.py``). The columns from ``left`` on are
    filters of their own, which read the map from ``left`` on.

    Args:
        x: (N, channels, H, W), the input.
        grad: (N, channels, H', W'), the gradient of the output.
        weight: (channels, 1, kernel, kernel).
        padding: Zeros around both axes.

    Returns:
        (channels, 1, kernel, kernel).
    """
    width = weight.shape[3]
    (above, beside), strips = padding, []
    for left in range(0, width, STRIP):
        columns = weight[..., left : left + STRIP]
        start, length = left - beside, grad.shape[3] + columns.shape[3] - 1  # of what these columns read
        inside, before = x[..., max(start, 0) : max(start + length, 0)], min(max(-start, 0), length)
        part = F.pad(inside, (before, length - before - inside.shape[3], above, above))
        strips.append(stride1_gradients(grad, part, columns, (0, 0), (False, True))[1])
    return torch.cat(strips, 3)


def stride1_gradients(
    grad: Tensor, x: Tensor, weight: Tensor, padding: Pair, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    """Gradients of a depthwise convolution's input and filters by torch, None where not ``wanted``."""
    constants = None, (1, 1), padding, (1, 1), False, (0, 0), weight.shape[0], (*wanted, False)
    return torch.ops.aten.convolution_backward(grad, x, weight, *constants)[:2]


class WideDepthwise(torch.autograd.Function):
    """A depthwise convolution of stride 1 whose filters' gradient is :func:`filter_gradient`. A backward pass that is
    differentiated itself (``create_graph``, ``torch.func``), or is one of several at once, takes torch's formula."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, padding: Pair) -> Tensor:
        return F.conv2d(x, weight, None, 1, padding, 1, weight.shape[0])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Pair], output: Tensor) -> None:  # noqa: ARG004
        x, weight, ctx.padding = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (x, weight), (needs_x, needs_weight) = ctx.saved_tensors, ctx.needs_input_grad[:2]
        in_strips = needs_weight and not needs_plain_formula(grad)
        wanted = needs_x, needs_weight and not in_strips
        grad_x, grad_weight = stride1_gradients(grad, x, weight, ctx.padding, wanted)
        return grad_x, filter_gradient(x, grad, weight, ctx.padding) if in_strips else grad_weight, None


def trains_in_strips(x: Tensor, weight: Tensor, stride: Pair, dilation: Pair) -> bool:
    """Whether a CPU's depthwise convolution, of one filter per channel, is one of those that oneDNN trains slowly."""
    wide = weight.shape[0] == x.shape[1] and weight.shape[3] > STRIP
    return wide and x.dtype == torch.float32 and stride == dilation == (1, 1)
