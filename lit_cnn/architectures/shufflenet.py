"""ShuffleNet: Zhang, Zhou, Lin, Sun, "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
Devices", 2017, arXiv:1707.01083.

In small nets the 1x1 convolutions cost most, so they are grouped; a channel shuffle between them lets the groups
exchange what they know, and the saved cost buys wider maps.

Table 1 for 3 groups at width 1, input (N, in_channels, 224, 224):

    stem    3x3, 24, stride 2; 3x3 max pool, stride 2       24 x 56 x 56
    stage2  4 units, stride 2                              240 x 28 x 28
    stage3  8 units, stride 2                              480 x 14 x 14
    stage4  4 units, stride 2                              960 x 7 x 7
    head    global average pool, dropout, linear            num_classes
"""

from collections import OrderedDict
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import ConvNormAct
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth, linear_rates
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem

PAPER = Paper("ShuffleNet", "Zhang et al.", 2017, "arXiv:1707.01083", protocol="ImageNet val, single crop 224")
DEVIATIONS = (
    "channels are dealt out as the paper's text says; the released code uses the inverse permutation",
    "the classifier has no bias and the stem 24 channels up to width 1.5, as released",
)

Groups = Literal[1, 2, 3, 4, 8]

WIDTHS: dict[int, int] = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
"""Channels of stage 2 by groups, for equal cost (Table 1); each later stage doubles them."""
STEM_WIDTHS = {0.5: 12, 1.0: 24, 1.5: 24, 2.0: 48}
"""Channels of the stem by width multiplier (released code): 1.5 keeps 24. With 8 groups 0.5 has 16."""
DEPTHS = (4, 8, 4)

Shuffle = Literal["to_groups", "from_groups"]
Concat = Literal["pool_first", "residual_first"]


class ChannelShuffle(nn.Module):
    """Deal the channels of each group out to all groups: channel i of group g becomes channel g of group i (section
    3.1); of kind "from_groups" the inverse. (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, groups: int, kind: Shuffle = "to_groups") -> None:
        super().__init__()
        self.groups, self.sizes = groups, (groups, -1) if kind == "to_groups" else (-1, groups)

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, self.sizes).transpose(1, 2).flatten(1, 2)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class ShuffleUnit(nn.Module):
    """relu(x + residual(x)), or with stride 2 relu(concat(pool(x), residual(x))) (Figure 2, b and c).

    The residual is a grouped 1x1 with ReLU, the shuffle, a 3x3 per channel and a grouped 1x1, both without activation.

    Args:
        first_groups: Groups of the first 1x1 convolution.
        drop_path: Rate at which training drops the residual; a unit with stride 2 has no shortcut to fall back on.
        concat: Which part of the concatenation comes first.
        shuffle: Which way the channels are dealt.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        groups: int,
        first_groups: int,
        drop_path: float,
        concat: Concat = "pool_first",
        shuffle: Shuffle = "to_groups",
    ) -> None:
        super().__init__()
        hidden = out_channels // 4
        learned = out_channels if stride == 1 else out_channels - in_channels
        activation = nn.ReLU(inplace=True)
        self.reduce = ConvNormAct(in_channels, hidden, 1, groups=first_groups, activation=activation)
        self.shuffle, self.pool_first = ChannelShuffle(groups, shuffle), concat == "pool_first"
        self.filter = ConvNormAct(hidden, hidden, 3, stride=stride, groups=hidden)
        self.expand = ConvNormAct(hidden, learned, 1, groups=groups)
        self.drop_path = StochasticDepth(drop_path if stride == 1 else 0.0)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1) if stride == 2 else None
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is None and self.drop_path.drops():
            return F.relu(self.drop_path.skip(x, self))
        y = self.expand(self.filter(self.shuffle(self.reduce(x))))
        if self.pool is None:
            return self.activation(x + self.drop_path.keep(y))
        parts = [self.pool(x), y]
        return self.activation(torch.cat(parts if self.pool_first else parts[::-1], 1))


class ShuffleNet(Network):
    """The paper's network.

    Args:
        groups: Groups of the 1x1 convolutions; 1 has no shuffle to make.
        width: Width multiplier s: 0.5, 1.0, 1.5 or 2.0.
        stem: "imagenet", or "small": stride 1 and no pool, for images of about 32 to 64 px.
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last unit; linear over depth.
        concat: Which part of a concatenation comes first; the paper's figure does not say.
        shuffle: Which way the channels are dealt.
        classifier_bias: Whether the classifier has a bias; the released code has none.
        num_classes: Outputs.
        in_channels: Channels of the image.

    Raises:
        ValueError: If the paper's table or the released code has no such groups or width, or the widths that follow
            cannot be grouped so.
    """

    def __init__(
        self,
        *,
        groups: Groups = 3,
        width: float = 1.0,
        stem: Stem = "imagenet",
        dropout: float = 0.0,
        drop_path: float = 0.0,
        concat: Concat = "pool_first",
        shuffle: Shuffle = "to_groups",
        classifier_bias: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        channels, widths = plan_widths(groups, width)
        self.features = nn.Sequential(OrderedDict(stem=make_stem(in_channels, channels, stem)))
        rates = iter(linear_rates(drop_path, sum(DEPTHS)))
        for number, (depth, out_channels) in enumerate(zip(DEPTHS, widths, strict=True), start=2):
            stage = nn.Sequential()
            for index in range(depth):
                unit = ShuffleUnit(
                    channels,
                    out_channels,
                    stride=2 if index == 0 else 1,
                    groups=groups,
                    # The stem's channels are too few to group.
                    first_groups=1 if number == 2 and index == 0 else groups,
                    drop_path=next(rates),
                    concat=concat,
                    shuffle=shuffle,
                )
                stage.append(unit)
                channels = out_channels
            self.features.add_module(f"stage{number}", stage)
        self.head = GlobalPoolHead(channels, num_classes, Dropout(dropout))
        self.head.classifier = nn.Linear(channels, num_classes, bias=classifier_bias)
        init_shufflenet(self)


def plan_widths(groups: int, width: float) -> tuple[int, tuple[int, ...]]:
    """Channels of the stem and of the three stages."""
    if groups not in WIDTHS:
        raise ValueError(f"ShuffleNet has 1, 2, 3, 4 or 8 groups, got {groups}")
    if width not in STEM_WIDTHS:
        raise ValueError(f"ShuffleNet's width must be 0.5, 1.0, 1.5 or 2.0, got {width}")
    widths = tuple(round(WIDTHS[groups] * width) * 2**stage for stage in range(3))
    if widths[0] // 4 % groups:
        raise ValueError(
            f"ShuffleNet with {groups} groups has no width {width}: its first bottleneck of {widths[0] // 4} channels "
            f"cannot be split into {groups} groups; choose another width, or 1, 3 or 8 groups"
        )
    return 16 if (groups, width) == (8, 0.5) else STEM_WIDTHS[width], widths


def make_stem(in_channels: int, width: int, kind: Stem) -> nn.Sequential:
    stride = 1 if kind == "small" else 2
    stem = ConvNormAct(in_channels, width, 3, stride=stride, activation=nn.ReLU(inplace=True))
    if kind == "imagenet":
        stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
    return stem


def init_shufflenet(network: Network) -> None:
    """As the released code, since the paper is silent: stem and classifier normal with standard deviation 0.01, other
    convolutions 1 / (input channels per group), batch norm's bias 0.0001."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            stem = name.startswith("features.stem")
            nn.init.normal_(module.weight, std=0.01 if stem else 1 / module.weight.shape[1])
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.bias, 1e-4)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)


def shufflenet(
    groups: Groups = 3,
    width: float = 1.0,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    stem: Stem = "imagenet",
    concat: Concat = "pool_first",
    shuffle: Shuffle = "to_groups",
    classifier_bias: bool = False,
) -> ShuffleNet:
    """The network of Table 1 with ``groups``, its widths times ``width``; the classifier has no bias, as released."""
    return ShuffleNet(
        groups=groups,
        width=width,
        stem=stem,
        concat=concat,
        shuffle=shuffle,
        classifier_bias=classifier_bias,
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
