"""TensorFlow's "same" padding: the output has ceil(input / stride) positions, odd padding goes to the right and bottom.

Symmetric padding by half the kernel gives as many positions, but with stride 2 and an even input it shifts them by one
pixel, so weights trained with one convention lose accuracy under the other.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.conv import convolve, same_size_conv
from lit_cnn.architectures.layers.depthwise import Pair

Padding = Literal["tensorflow", "symmetric"]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis of ``size`` positions."""
    total = max(0, ((size + stride - 1) // stride - 1) * stride + kernel - size)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A convolution to (N, C', ceil(H / stride), ceil(W / stride)), padded as TensorFlow pads.

    Args:
        kernel: Size of the kernel, or of its two axes.
        stride: Stride, or that of the two axes.
        dilation: Distance of the kernel's positions.
        groups: Groups of channels.
        bias: Whether it has a bias.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | Pair,
        *,
        stride: int | Pair = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, dilation=dilation, groups=groups, bias=bias)
        self.extent = tuple(dilation * (size - 1) + 1 for size in self.kernel_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight)

    def convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        """The convolution of ``x`` by filters used instead of the module's own."""
        top, bottom = same_padding(x.shape[2], self.extent[0], self.stride[0])
        left, right = same_padding(x.shape[3], self.extent[1], self.stride[1])
        if (top, left) != (bottom, right):  # otherwise the convolution pads on its own, without a copy of the map
            x = F.pad(x, (left, right, top, bottom))
            top = left = 0
        stride, dilation = self.stride, self.dilation
        return convolve(x, weight, self.bias, stride, (top, left), dilation, self.groups)  # type: ignore[arg-type]


def make_conv(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1, padding: Padding
) -> nn.Conv2d:
    """A bias-free convolution with an odd kernel; at stride 1 the two conventions agree."""
    if padding == "tensorflow" and stride > 1:
        return SameConv2d(in_channels, out_channels, kernel, stride=stride, groups=groups)
    return same_size_conv(in_channels, out_channels, kernel, stride=stride, groups=groups)
