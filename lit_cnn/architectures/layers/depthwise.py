"""Depthwise convolution: one filter per channel, in the precision in which a CPU trains it fastest."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pair = tuple[int, int]


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Tensor:
    """``F.conv2d`` of (N, C, H, W), except for a depthwise one that trains under a CPU's autocast.

    That one is computed in float32 and rounded to autocast's precision: oneDNN's backward pass of a depthwise
    convolution is slower in bfloat16 than in float32, by more than the rest of the block gains
    (``benchmarks/depthwise_precision.py``). Inference and GPUs keep the low precision.
    """
    depthwise = 1 < groups == x.shape[1]
    if not (depthwise and x.device.type == "cpu" and torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()):
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    with torch.autocast("cpu", enabled=False):
        y = F.conv2d(x.to(weight.dtype), weight, bias, stride, padding, dilation, groups)
    return y.to(torch.get_autocast_dtype("cpu"))


class DepthwiseConv2d(nn.Conv2d):
    """(N, channels, H, W) -> (N, channels, ceil(H / stride), ceil(W / stride)); padded by half the odd kernel."""

    def __init__(self, channels: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        stride, padding, dilation = self.stride, self.padding, self.dilation
        return convolve(x, self.weight, self.bias, stride, padding, dilation, self.groups)  # type: ignore[arg-type]


def same_size_conv(in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A bias-free convolution padded by half its odd kernel; depthwise where every channel is a group of its own."""
    if 1 < groups == in_channels == out_channels:
        return DepthwiseConv2d(in_channels, kernel, stride=stride)
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
