"""ResNet-RS: Bello et al., "Revisiting ResNets: Improved Training and Scaling Strategies", 2021, arXiv:2103.07579.

The ResNet of 2015 with two small changes (ResNet-D stem and shortcut, squeeze-and-excitation) and modern training keeps
up with later families; depth is scaled where overfitting threatens, and resolution slowly.

Input (N, in_channels, 224, 224), any size from 32 px:

    stem    3x3, 32, stride 2; 3x3, 32; 3x3, 64; 3x3, 64, stride 2         64 x 56 x 56
    stage2  bottlenecks of width 64                                       256 x 56 x 56
    stage3  bottlenecks of width 128, stride 2                            512 x 28 x 28
    stage4  bottlenecks of width 256, stride 2                           1024 x 14 x 14
    stage5  bottlenecks of width 512, stride 2                           2048 x 7 x 7
    head    global average pool, dropout, linear                               num_classes
"""

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import ConvNormAct
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he, init_last_gain_to_zero
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite, scale_channels
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem, find_row

PAPER = Paper("ResNet-RS", "Bello et al.", 2021, "arXiv:2103.07579")

WIDTHS = (64, 128, 256, 512)
EXPANSION = 4

BLOCKS = {
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
    270: (4, 29, 53, 4),
    350: (4, 36, 72, 4),
    420: (4, 44, 87, 4),
}
"""Blocks per stage by depth (appendix of the paper)."""


class ResNetRSBlock(nn.Module):
    """relu(shortcut(x) + gain · SE(bottleneck(x))), the last norm's gain starting at zero.

    Args:
        reduction: Hidden channels of squeeze-and-excitation as a share of the block's output.
        drop_path: Rate at which training drops the residual.
    """

    def __init__(self, in_channels: int, width: int, stride: int, *, reduction: float, drop_path: float) -> None:
        super().__init__()
        out_channels = EXPANSION * width
        self.reduce = ConvNormAct(in_channels, width, 1, activation=nn.ReLU(inplace=True))
        self.filter = ConvNormAct(width, width, 3, stride=stride, activation=nn.ReLU(inplace=True))
        self.expand = ConvNormAct(width, out_channels, 1)
        self.excite = SqueezeExcite(out_channels, int(out_channels * reduction))
        self.drop_path = StochasticDepth(drop_path)
        self.shortcut = make_shortcut(in_channels, out_channels, stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.drop_path.drops():
            return F.relu(self.drop_path.skip(self.shortcut(x), self))
        y = self.expand(self.filter(self.reduce(x)))
        y = scale_channels(y, self.drop_path.keep(self.excite.gates(y)))  # a dropped sample has the gates 0
        y += self.shortcut(x)
        return self.activation(y)


def make_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """ResNet-D: average the 2x2 positions that a strided 1x1 would skip (He et al., 2018, arXiv:1812.01187)."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    projection = ConvNormAct(in_channels, out_channels, 1)
    if stride == 1:
        return projection
    pool = nn.AvgPool2d(2, stride=2, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(OrderedDict(pool=pool, projection=projection))


def make_stem(in_channels: int, stride: int) -> nn.Sequential:
    """ResNet-D's three 3x3 convolutions, then a strided 3x3 where the 2015 net has a max pool."""

    def conv(channels: int, width: int, stride: int) -> nn.Sequential:
        return ConvNormAct(channels, width, 3, stride=stride, activation=nn.ReLU(inplace=True))

    return nn.Sequential(conv(in_channels, 32, stride), conv(32, 32, 1), conv(32, 64, 1), conv(64, 64, stride))


class ResNetRS(Network):
    """The paper's network.

    Args:
        blocks: Blocks per stage.
        reduction: Hidden share of squeeze-and-excitation.
        stem: "imagenet", or "small", which keeps the resolution, for images of about 32 to 64 px (not in the paper).
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate; a block of stage s in 2..5 drops with ``drop_path`` · s / 5.
        zero_init_last: Start the last norm of each residual at gain 0.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(
        self,
        blocks: tuple[int, ...],
        *,
        reduction: float = 0.25,
        stem: Stem = "imagenet",
        dropout: float = 0.25,
        drop_path: float = 0.0,
        zero_init_last: bool = True,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict(stem=make_stem(in_channels, 1 if stem == "small" else 2)))
        channels = 64
        for number, (depth, width) in enumerate(zip(blocks, WIDTHS, strict=True), start=2):
            stage = nn.Sequential()
            for index in range(depth):
                stride = 2 if index == 0 and number > 2 else 1
                rate = drop_path * number / 5
                stage.append(ResNetRSBlock(channels, width, stride, reduction=reduction, drop_path=rate))
                channels = EXPANSION * width
            self.features.add_module(f"stage{number}", stage)
        self.head = GlobalPoolHead(channels, num_classes, Dropout(dropout))
        init_he(self)
        if zero_init_last:
            for module in self.modules():
                if isinstance(module, ResNetRSBlock):
                    init_last_gain_to_zero(module.expand)


def resnet_rs(
    depth: int,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.25,
    drop_path: float = 0.0,
    stem: Stem = "imagenet",
    zero_init_last: bool = True,
) -> ResNetRS:
    """ResNet-RS of ``depth`` layers; the paper's rates by depth and resolution are in the recipes."""
    return ResNetRS(
        find_row(BLOCKS, depth, "a ResNet-RS's depth"),
        stem=stem,
        dropout=dropout,
        drop_path=drop_path,
        zero_init_last=zero_init_last,
        num_classes=num_classes,
        in_channels=in_channels,
    )
