"""ResNet: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385.

A block learns what to add to its input instead of a whole new map, so that depth stops hurting: a plain 34-layer net
trains worse than a plain 18-layer one, its residual twin trains better. ``plain_*`` are the twins without shortcuts.

ImageNet nets (Table 1), input (N, in_channels, 224, 224):

    stem    7x7, 64, stride 2; 3x3 max pool, stride 2        64 x 56 x 56
    stage2  blocks of width 64                        64 or 256 x 56 x 56
    stage3  blocks of width 128, stride 2            128 or 512 x 28 x 28
    stage4  blocks of width 256, stride 2           256 or 1024 x 14 x 14
    stage5  blocks of width 512, stride 2           512 or 2048 x 7 x 7
    head    global average pool, linear                       num_classes

CIFAR nets (section 4.2), input (N, in_channels, 32, 32): 3x3 stem, three stages of n blocks with 16, 32, 64 channels,
6n + 2 layers, shortcuts without parameters (option A).
"""

from collections import OrderedDict
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import ConvNormAct
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he, init_last_gain_to_zero
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth, linear_rates
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem, check_stages, find_row
from lit_cnn.architectures.scaling import (
    DepthRounding,
    check_multipliers,
    make_divisible,
    nearest_width,
    scale_depth,
)

PAPER = Paper("ResNet", "He et al.", 2015, "arXiv:1512.03385")
STRIDE_IN_3X3 = (
    "strides in the 3x3 (v1.5) as libraries do; stride_in: 1x1 gives the paper's net with 6 % fewer multiply-adds"
)
OPTION_B = "projection shortcuts (option B) as libraries have; shortcut: zero_pad gives the paper's option A"

Shortcut = Literal["projection", "zero_pad", "zero_pad_both", "none"]
"""Option B; option A with the zeros after the channels, as in the first released code, or on both sides of them, as in
the CIFAR nets of Idelbayev (2018, github.com/akamaster/pytorch_resnet_cifar10); or a plain net. The paper does not say
where the zeros go."""
StridePlacement = Literal["3x3", "1x1"]

IMAGENET_WIDTHS = (64, 128, 256, 512)
CIFAR_WIDTHS = (16, 32, 64)


class ZeroPadShortcut(nn.Module):
    """Option A: subsample, and add zero channels; no parameters.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Every how many rows and columns are kept.
        both: Add half of the zeros (of an odd number, the smaller part) before the channels and the others after them,
            instead of all after them.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, *, both: bool = False) -> None:
        super().__init__()
        added = out_channels - in_channels
        self.stride = stride
        self.before = added // 2 if both else 0
        self.after = added - self.before

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


def make_shortcut(in_channels: int, out_channels: int, stride: int, kind: Shortcut) -> nn.Module | None:
    """The path around a block: identity where the shape allows, else option A or B; None in a plain net."""
    if kind == "none":
        return None
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if kind in ("zero_pad", "zero_pad_both"):
        return ZeroPadShortcut(in_channels, out_channels, stride, both=kind == "zero_pad_both")
    return ConvNormAct(in_channels, out_channels, 1, stride=stride)


class ResidualBlock(nn.Module):
    """relu(shortcut(x) + residual(x)); without a shortcut, relu(residual(x)).

    Args:
        residual: The learned path; its last norm is the block's ``last_norm``.
        shortcut: The path around it, or None.
        drop_path: Rate at which training drops the residual.
    """

    def __init__(self, residual: nn.Sequential, shortcut: nn.Module | None, drop_path: float) -> None:
        super().__init__()
        self.residual = residual
        self.drop_path = StochasticDepth(drop_path)
        self.shortcut = shortcut
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.shortcut is None:
            return self.activation(self.residual(x))
        if self.drop_path.drops():
            return F.relu(self.drop_path.skip(self.shortcut(x), self))
        y = self.drop_path.keep(self.residual(x))
        y += self.shortcut(x)  # in place: neither batch norm nor excitation needs its output in the backward pass
        return self.activation(y)


def basic_block(
    in_channels: int, width: int, stride: int, *, stride_in: StridePlacement, shortcut: Shortcut, drop_path: float
) -> ResidualBlock:
    """Two 3x3 convolutions (Figure 5, left); ``stride_in`` does not apply, the stride is always in the first."""
    del stride_in
    residual = nn.Sequential(
        ConvNormAct(in_channels, width, 3, stride=stride, activation=nn.ReLU(inplace=True)),
        ConvNormAct(width, width, 3),
    )
    return ResidualBlock(residual, make_shortcut(in_channels, width, stride, shortcut), drop_path)


def bottleneck_block(
    in_channels: int, width: int, stride: int, *, stride_in: StridePlacement, shortcut: Shortcut, drop_path: float
) -> ResidualBlock:
    """1x1 down, 3x3, 1x1 up to 4 x ``width`` (Figure 5, right). The paper strides in the first 1x1 ("v1"); in the 3x3
    ("v1.5", Gross and Wilber, 2016) no position is skipped, for 6 % more multiply-adds."""
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    residual = nn.Sequential(
        ConvNormAct(in_channels, width, 1, stride=first, activation=nn.ReLU(inplace=True)),
        ConvNormAct(width, width, 3, stride=second, activation=nn.ReLU(inplace=True)),
        ConvNormAct(width, 4 * width, 1),
    )
    return ResidualBlock(residual, make_shortcut(in_channels, 4 * width, stride, shortcut), drop_path)


class ResNet(Network):
    """The paper's network.

    Args:
        blocks: Blocks per stage.
        widths: Width of each stage; the first stage keeps the stem's resolution.
        bottleneck: 1x1-3x3-1x1 blocks instead of two 3x3.
        shortcut: "projection" (option B), "zero_pad" or "zero_pad_both" (option A) or "none" (a plain net).
        stride_in: Where a bottleneck strides: "3x3" (v1.5) or "1x1" (the paper's v1).
        stem: "imagenet" (7x7 stride 2 and max pool) or "small" (3x3, for images of about 32 to 64 px).
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last block; linear over depth.
        zero_init_last: Start each residual's last norm at gain 0 (Goyal et al., 2017).
        num_classes: Outputs.
        in_channels: Channels of the image.

    Raises:
        ValueError: If ``drop_path`` is set in a plain net, which has no path to fall back on, or ``blocks`` and
            ``widths`` do not belong together.
    """

    def __init__(
        self,
        blocks: tuple[int, ...],
        *,
        widths: tuple[int, ...] = IMAGENET_WIDTHS,
        bottleneck: bool,
        shortcut: Shortcut = "projection",
        stride_in: StridePlacement = "3x3",
        stem: Stem = "imagenet",
        dropout: float = 0.0,
        drop_path: float = 0.0,
        zero_init_last: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if shortcut == "none" and drop_path > 0:
            raise ValueError("a plain net has no shortcuts, so stochastic depth cannot be used: set drop_path to 0")
        check_stages(blocks, widths)
        make_block = bottleneck_block if bottleneck else basic_block
        rates = iter(linear_rates(drop_path, sum(blocks)))
        self.features = nn.Sequential(OrderedDict(stem=make_stem(in_channels, widths[0], stem)))
        channels = widths[0]
        for number, (depth, width) in enumerate(zip(blocks, widths, strict=True), start=2):
            stage = nn.Sequential()
            for index in range(depth):
                stride = 2 if index == 0 and number > 2 else 1
                rate = next(rates)
                stage.append(
                    make_block(channels, width, stride, stride_in=stride_in, shortcut=shortcut, drop_path=rate)
                )
                channels = 4 * width if bottleneck else width
            self.features.add_module(f"stage{number}", stage)
        self.head = GlobalPoolHead(channels, num_classes, Dropout(dropout))
        init_he(self)
        if zero_init_last:
            for module in self.modules():
                if isinstance(module, ResidualBlock):
                    init_last_gain_to_zero(module.residual)


def make_stem(in_channels: int, width: int, kind: Stem) -> nn.Sequential:
    if kind == "small":
        return ConvNormAct(in_channels, width, 3, activation=nn.ReLU(inplace=True))
    stem = ConvNormAct(in_channels, width, 7, stride=2, activation=nn.ReLU(inplace=True))
    stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
    return stem


IMAGENET_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
"""Blocks per stage by depth: Table 1, and He et al. 2016 (arXiv:1603.05027) for 200."""


def imagenet_resnet(
    depth: int,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    shortcut: Shortcut = "projection",
    stride_in: StridePlacement = "3x3",
    stem: Stem = "imagenet",
    zero_init_last: bool = False,
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    depth_rounding: DepthRounding = "up",
) -> ResNet:
    """The network of Table 1 with ``depth`` learnable layers; bottlenecks from 50 on.

    ``width_multiplier`` multiplies the stages' widths, rounded to multiples of 8, and ``depth_multiplier`` their
    blocks.
    """
    check_multipliers(width_multiplier, depth_multiplier, depth_rounding)
    blocks = find_row(IMAGENET_BLOCKS, depth, "a ResNet's depth")
    return ResNet(
        tuple(scale_depth(count, depth_multiplier, depth_rounding) for count in blocks),
        widths=tuple(make_divisible(width * width_multiplier) for width in IMAGENET_WIDTHS),
        bottleneck=depth >= 50,
        shortcut=shortcut,
        stride_in=stride_in,
        stem=stem,
        dropout=dropout,
        drop_path=drop_path,
        zero_init_last=zero_init_last,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def cifar_resnet(
    depth: int,
    *,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    shortcut: Shortcut = "zero_pad",
    zero_init_last: bool = False,
    widths: tuple[int, ...] = CIFAR_WIDTHS,
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    depth_rounding: DepthRounding = "up",
) -> ResNet:
    """The network of section 4.2 with ``depth`` = 6n + 2 learnable layers; the paper's ``widths`` are 16, 32 and 64.

    ``width_multiplier`` multiplies the widths, rounded to whole channels, since multiples of 8 are coarse for them, and
    ``depth_multiplier`` the n blocks of each stage.

    Raises:
        ValueError: If ``depth`` is another number, or ``widths`` are not three.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers (8, 14, 20, 26, 32, ...), got {depth}")
    check_multipliers(width_multiplier, depth_multiplier, depth_rounding)
    return ResNet(
        (scale_depth((depth - 2) // 6, depth_multiplier, depth_rounding),) * 3,
        widths=tuple(nearest_width(width * width_multiplier) for width in widths),
        bottleneck=False,
        shortcut=shortcut,
        stem="small",
        dropout=dropout,
        drop_path=drop_path,
        zero_init_last=zero_init_last,
        num_classes=num_classes,
        in_channels=in_channels,
    )
