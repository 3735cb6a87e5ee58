"""The gradient of a convolution's filters as a product of matrices, where a CPU calculates that faster."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_cnn.architectures.layers.depthwise import Pair
from lit_cnn.torch_internals import is_channels_last, needs_plain_formula

CHANNELS = 128
"""Of input and output, from which the product gains; of the fewer of them half as many, except for 1 x 1 filters."""
ROWS = 1024
"""Positions whose patches are in memory at a time."""


def filter_gradient(x: Tensor, grad: Tensor, kernel: Pair, stride: Pair, padding: Pair) -> Tensor:
    """The gradient of the filters of a full convolution: of a few images at a time, a matrix with a row for each
    position's patch, multiplied by that of the output's gradient.

    oneDNN's kernel for AVX2 reaches a third to two thirds of the speed of a product of matrices, less the more channels
    and the fewer positions there are (``benchmarks/matrix_gradient.py``).

    Args:
        x: (N, C, H, W), the input, fastest in channels_last.
        grad: (N, C', H', W'), the gradient of the output.
        kernel: Height and width of the filters.
        stride: Of both axes.
        padding: Zeros around both axes.

    Returns:
        (C', C, height, width), in channels_last.
    """
    (above, beside), (down, right), (height, width) = padding, stride, kernel
    padded = F.pad(x, (beside, beside, above, above)) if above or beside else x
    patches = padded.unfold(2, height, down).unfold(3, width, right).permute(0, 2, 3, 4, 5, 1)
    images = max(1, ROWS // (patches.shape[1] * patches.shape[2]))
    rows = [each.flatten(0, 2) for each in grad.permute(0, 2, 3, 1).split(images)]
    total: Tensor | None = None
    for outputs, part in zip(rows, patches.split(images), strict=True):
        inputs = part.flatten(3).flatten(0, 2)
        total = outputs.t() @ inputs if total is None else total.addmm_(outputs.t(), inputs)
    assert total is not None
    return total.view(-1, height, width, x.shape[1]).permute(0, 3, 1, 2)


class MatrixGradient(torch.autograd.Function):
    """A full convolution whose filters' gradient is :func:`filter_gradient`. A backward pass that is differentiated
    itself (``create_graph``, ``torch.func``), or is one of several at once, takes torch's formula."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair) -> Tensor:
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor | None, Pair, Pair], output: Tensor) -> None:  # noqa: ARG004
        x, weight, _, ctx.stride, ctx.padding = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        (x, weight), (needs_x, needs_weight, needs_bias) = ctx.saved_tensors, ctx.needs_input_grad[:3]
        as_product = needs_weight and not needs_plain_formula(grad)
        constants = None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), 1
        wanted = needs_x, needs_weight and not as_product, False
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(grad, x, weight, *constants, wanted)
        if as_product:
            grad_weight = filter_gradient(x, grad, tuple(weight.shape[2:]), ctx.stride, ctx.padding)
        return grad_x, grad_weight, grad.sum((0, 2, 3)) if needs_bias else None, None, None


@torch.compiler.assume_constant_result
def has_avx2_only() -> bool:
    """Whether torch's kernels on this CPU are those of AVX2, as on most desktop computers."""
    return torch.backends.cpu.get_cpu_capability() == "AVX2"


def trains_by_product(x: Tensor, weight: Tensor, dilation: Pair, groups: int) -> bool:
    """Whether a CPU's convolution of (N, C, H, W) is one of those whose filters oneDNN trains slowly."""
    fewer, more = sorted(weight.shape[:2])
    pointwise = weight.shape[2] == weight.shape[3] == 1
    wide = more >= CHANNELS and fewer >= (CHANNELS if pointwise else CHANNELS // 2)
    dense = groups == 1 and dilation == (1, 1)
    single = x.dtype == weight.dtype == torch.float32
    return wide and dense and single and has_avx2_only() and is_channels_last(x)
