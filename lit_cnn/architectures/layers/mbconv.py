"""Mobile inverted bottlenecks: MBConv (Tan et al., 2018, arXiv:1807.11626) and FusedMBConv (Gupta and Tan, 2019).

Shared by MobileNetV2, EfficientNet, EfficientNet-Lite, EfficientNetV2 and the chains that architecture search finds.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from torch import Tensor, nn

from lit_cnn.architectures.layers.padding import Padding, make_conv
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth

IMAGENET_CLASSES = 1000
Activation = Literal["silu", "relu6", "relu"]
Skip = Literal["identity", "none", "pool"]
"""What is added to a block's output where it has its input's shape: the input, nothing, or its 3x3 average."""


class Stage(NamedTuple):
    """One row of a paper's table."""

    block: Literal["mbconv", "fused", "identity"]  # identity: only what changes the shape (NAS-Bench-Macro)
    expansion: int  # hidden width / input width
    kernel: int
    stride: int  # of the first block; the others use 1
    width: int  # output channels
    depth: int  # number of blocks
    squeeze: float  # hidden channels of squeeze-and-excitation / input channels of the block; 0: none
    skip: Skip = "identity"


@dataclass(frozen=True)
class ConvStyle:
    """What all convolutions of one network share.

    Args:
        padding: "tensorflow" or "symmetric"; they differ where the stride is 2.
        eps: Batch norm's epsilon.
        momentum: Share of the new batch in batch norm's running statistics (torch's convention, 1 - TensorFlow's).
        activation: After every convolution that is not a projection.

    Raises:
        ValueError: If the activation is unknown.
    """

    padding: Padding
    eps: float
    momentum: float
    activation: Activation

    def __post_init__(self) -> None:
        if self.activation not in get_args(Activation):
            raise ValueError(f"activation must be {', '.join(get_args(Activation))}, got {self.activation!r}")

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
        if self.activation == "silu":
            return nn.SiLU()
        return nn.ReLU6(inplace=True) if self.activation == "relu6" else nn.ReLU(inplace=True)


class MBConv(nn.Module):
    """[x +] project(excite(filter(expand(x)))): widen 1x1, filter depthwise, weigh the channels, project 1x1 linearly.

    The shortcut is there where the shape does not change, unless the row leaves it out.
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
        self.skip = stride == 1 and in_channels == row.width and row.skip != "none"
        self.pool = average_of_3x3() if self.skip and row.skip == "pool" else None
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        if not self.skip:
            return self.project(self.excite(self.filter(self.expand(x))))
        shortcut = x if self.pool is None else self.pool(x)
        if self.drop_path.drops():
            return self.drop_path.skip(shortcut, self)
        y = self.drop_path.keep(self.project(self.excite(self.filter(self.expand(x)))))
        y += shortcut  # in place: batch norm does not need its output in the backward pass
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
        self.skip = stride == 1 and in_channels == row.width and row.skip != "none"
        self.pool = average_of_3x3() if self.skip and row.skip == "pool" else None
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        if not self.skip:
            return self.project(self.expand(x))
        shortcut = x if self.pool is None else self.pool(x)
        if self.drop_path.drops():
            return self.drop_path.skip(shortcut, self)
        return shortcut + self.drop_path.keep(self.project(self.expand(x)))


def average_of_3x3() -> nn.AvgPool2d:
    """The average of each pixel and its neighbors inside the map."""
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def make_block(in_channels: int, row: Stage, stride: int, *, drop_path: float, style: ConvStyle) -> nn.Module:
    """A block of ``row``; an "identity" is a linear 1x1 convolution where it has to change the shape, else nothing."""
    if row.block == "identity":
        same = stride == 1 and in_channels == row.width
        return nn.Identity() if same else style.conv(in_channels, row.width, 1, stride=stride, linear=True)
    block = MBConv if row.block == "mbconv" else FusedMBConv
    return block(in_channels, row, stride, drop_path=drop_path, style=style)


def init_efficientnet(network: nn.Module) -> None:
    """As the released EfficientNets: convolutions normal with variance 2 / fan-out, where the fan-out of a
    depthwise filter is its area; linear layers uniform within 1 / √outputs; biases zero, norms identity.

    Fewer than ImageNet's 1,000 outputs keep its bound: the released 1 / √5 of five classes would make the first loss
    about 4 instead of ln 5 = 1.6.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = 1.0 / math.sqrt(max(module.out_features, IMAGENET_CLASSES))
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.zeros_(module.bias)
