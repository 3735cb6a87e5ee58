"""Mobile inverted bottlenecks: MBConv (Tan et al., 2018, arXiv:1807.11626) and FusedMBConv (Gupta and Tan, 2019).

Shared by EfficientNet, EfficientNet-Lite and EfficientNetV2.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from lit_cnn.architectures.layers.padding import Padding, make_conv
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth

Activation = Literal["silu", "relu6"]


class Stage(NamedTuple):
    """One row of a paper's table."""

    block: Literal["mbconv", "fused"]
    expansion: int  # hidden width / input width
    kernel: int
    stride: int  # of the first block; the others use 1
    width: int  # output channels
    depth: int  # number of blocks
    squeeze: float  # hidden channels of squeeze-and-excitation / input channels of the block; 0: none


@dataclass(frozen=True)
class ConvStyle:
    """What all convolutions of one network share.

    Args:
        padding: "tensorflow" or "symmetric"; they differ where the stride is 2.
        eps: Batch norm's epsilon.
        momentum: Share of the new batch in batch norm's running statistics (torch's convention, 1 - TensorFlow's).
        activation: After every convolution that is not a projection.
    """

    padding: Padding
    eps: float
    momentum: float
    activation: Activation

    def conv(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> nn.Sequential:
        """Bias-free convolution, batch norm and, unless ``linear``, the activation."""
        block = nn.Sequential(
            OrderedDict(
                conv=make_conv(in_channels, out_channels, kernel, stride=stride, groups=groups, padding=self.padding),
                norm=nn.BatchNorm2d(out_channels, eps=self.eps, momentum=self.momentum),
            )
        )
        if not linear:
            block.add_module("activation", self.make_activation())
        return block

    def make_activation(self) -> nn.Module:
        # SiLU needs its input in the backward pass: in place it would be copied first, which costs more than it saves.
        return nn.SiLU() if self.activation == "silu" else nn.ReLU6(inplace=True)


class MBConv(nn.Module):
    """[x +] project(excite(filter(expand(x)))): widen 1x1, filter depthwise, weigh the channels, project 1x1 linearly.

    The shortcut is there where the shape does not change.
    """

    def __init__(self, in_channels: int, row: Stage, stride: int, *, drop_path: float, style: ConvStyle) -> None:
        super().__init__()
        hidden = in_channels * row.expansion
        self.expand = style.conv(in_channels, hidden, 1) if row.expansion > 1 else nn.Identity()
        self.filter = style.conv(hidden, hidden, row.kernel, stride=stride, groups=hidden)
        self.excite: nn.Module = nn.Identity()
        if row.squeeze > 0:
            self.excite = SqueezeExcite(hidden, max(1, int(in_channels * row.squeeze)), style.make_activation())
        self.project = style.conv(hidden, row.width, 1, linear=True)
        self.skip = stride == 1 and in_channels == row.width
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        if not self.skip:
            return self.project(self.excite(self.filter(self.expand(x))))
        if self.drop_path.drops():
            return self.drop_path.skip(x, self)
        y = self.drop_path.keep(self.project(self.excite(self.filter(self.expand(x)))))
        y += x  # in place: batch norm does not need its output in the backward pass
        return y


class FusedMBConv(nn.Module):
    """[x +] project(expand(x)): one full convolution in the place of MBConv's first two, which accelerators run faster.

    With expansion 1 it is a single convolution with its activation.
    """

    def __init__(self, in_channels: int, row: Stage, stride: int, *, drop_path: float, style: ConvStyle) -> None:
        super().__init__()
        hidden = in_channels * row.expansion if row.expansion > 1 else row.width
        self.expand = style.conv(in_channels, hidden, row.kernel, stride=stride)
        self.project = style.conv(hidden, row.width, 1, linear=True) if row.expansion > 1 else nn.Identity()
        self.skip = stride == 1 and in_channels == row.width
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        if self.skip and self.drop_path.drops():
            return self.drop_path.skip(x, self)
        y = self.project(self.expand(x))
        return x + self.drop_path.keep(y) if self.skip else y


def init_efficientnet(network: nn.Module) -> None:
    """As the released EfficientNets: convolutions normal with variance 2 / fan-out, where the fan-out of a
    depthwise filter is its area; linear layers uniform within 1 / √outputs; biases zero, norms identity."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = 1.0 / math.sqrt(module.out_features)
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.zeros_(module.bias)
