"""Fold into the filters what evaluation need not compute again for every image.

Batch norm in evaluation is an affine map of each channel, which the convolution in front of it can apply; NFNet's
standardized filters depend on the weights alone. A batch norm without a convolution directly in front is left as it is.
"""

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lit_cnn.architectures.layers.padding import SameConv2d
from lit_cnn.architectures.layers.scaled_conv import ScaledConv2d

TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Largest difference of an output over the largest output; other precisions: ``COARSE``."""
COARSE = 5e-2


@dataclass(frozen=True)
class Folded:
    """A network for inference.

    Args:
        network: The folded copy, in evaluation mode. It cannot be trained like the original.
        norms: Batch norms that were folded into a convolution.
        filters: Convolutions whose standardized filters were computed once and for all.
        left: Names of the batch norms that stay.
        difference: Largest difference to the original on the example, over its largest output.
    """

    network: nn.Module
    norms: int
    filters: int
    left: tuple[str, ...]
    difference: float


@torch.no_grad()
def fold_for_inference(network: nn.Module, example: Tensor, *, tolerance: float | None = None) -> Folded:
    """A copy of ``network`` for evaluation, folded and compared with the original; the original is not touched.

    Args:
        network: Any network with one output.
        example: (N, C, H, W) images, on the network's device.
        tolerance: Largest accepted difference over the largest output; by default that of the example's precision.

    Raises:
        ValueError: If the two differ by more.
    """
    original, folded = copy.deepcopy(network).eval(), copy.deepcopy(network).eval()
    filters = _fix_filters(folded)
    norms = _fold_norms(folded)
    difference = checked_difference(folded, original, example, tolerance, f"folded {type(network).__name__}")
    left = tuple(name for name, module in folded.named_modules() if isinstance(module, nn.BatchNorm2d))
    return Folded(folded, norms, filters, left, difference)


def checked_difference(
    changed: nn.Module, original: nn.Module, example: Tensor, tolerance: float | None, name: str
) -> float:
    """The largest difference of the two networks' outputs on ``example`` over the largest output.

    Raises:
        ValueError: If it is above ``tolerance``, by default that of the example's precision.
    """
    expected, found = original(example), changed(example)
    difference = float((found - expected).abs().max() / expected.abs().max().clamp(min=torch.finfo(example.dtype).tiny))
    limit = TOLERANCES.get(example.dtype, COARSE) if tolerance is None else tolerance
    if not difference <= limit:
        raise ValueError(
            f"the {name} differs from the original by {difference:.1e} of its largest output, more than {limit:g}: "
            "use the network as it is"
        )
    return difference


def _fold_norms(network: nn.Module) -> int:
    """Fold in place every batch norm that follows a convolution in a Sequential, and take it out of there."""
    count = 0
    for block in list(network.modules()):
        if type(block).forward is not nn.Sequential.forward:  # else the order of the children is not that of execution
            continue
        for (name, conv), (follower, norm) in pairwise(list(block.named_children())):
            if isinstance(conv, nn.Conv2d) and _is_affine(norm):
                setattr(block, name, fuse_conv_bn_eval(conv, norm))
                delattr(block, follower)
                count += 1
    return count


def _is_affine(norm: nn.Module) -> TypeGuard[nn.BatchNorm2d]:
    """Whether a module is a batch norm with statistics and nothing more, such as an activation."""
    if not isinstance(norm, nn.BatchNorm2d) or type(norm).forward is not nn.BatchNorm2d.forward:
        return False
    return norm.running_mean is not None


def _fix_filters(network: nn.Module) -> int:
    """Put a plain convolution in the place of every one that standardizes its filters."""
    scaled = {name: module for name, module in network.named_modules() if isinstance(module, ScaledConv2d)}
    for name, conv in scaled.items():
        height, _ = conv.kernel_size
        plain = SameConv2d(
            conv.in_channels,
            conv.out_channels,
            height,
            stride=conv.stride[0],
            dilation=conv.dilation[0],
            groups=conv.groups,
            bias=True,
        )
        assert conv.bias is not None
        plain.weight, plain.bias = nn.Parameter(conv.standardized_weight()), nn.Parameter(conv.bias.clone())
        network.set_submodule(name, plain.eval())
    return len(scaled)
