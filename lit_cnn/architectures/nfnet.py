"""NFNet: Brock, De, Smith, Simonyan, "High-Performance Large-Scale Image Recognition Without Normalization", 2021,
arXiv:2102.06171.

Batch norm's work is done by hand: weights are standardized, a block's input is divided by its expected deviation, and
each residual starts at zero. No image sees the others of its batch; gradients are clipped per unit.

F0 (Table 1), input (N, in_channels, 256, 256); ``features`` returns (N, 3072, H / 32, W / 32):

    stem    3x3, 16, stride 2; 3x3, 32; 3x3, 64; 3x3, 128, stride 2        128 x 64 x 64
    stage1  1 block of width 256                                           256 x 64 x 64
    stage2  2 blocks of width 512, stride 2                                512 x 32 x 32
    stage3  6 blocks of width 1536, stride 2                              1536 x 16 x 16
    stage4  3 blocks of width 1536, stride 2                              1536 x 8 x 8
    final   1x1, 3072, GELU                                               3072 x 8 x 8
    head    global average pool, dropout, linear                            num_classes

F1 to F6 have 2 to 7 times as many blocks. Inside a block the width is halved; its two 3x3 have groups of 128 channels.
Other ``widths`` and ``depths`` (not in the paper) keep these rules: the stem doubles up to half of the first width, the
last convolution has twice the last width, and a bottleneck below 128 channels is one group.
"""

import math
from collections import OrderedDict
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.scaled_conv import GELU_GAIN, Epsilon, ScaledConv2d, ScaledGELU
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite, scale_channels
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem, check_stages, find_row

PAPER = Paper("NFNet", "Brock et al.", 2021, "arXiv:2102.06171")
DEVIATIONS = (
    "ReLU in squeeze-and-excitation as in the released code; excite_activation: gelu is the paper's text",
    "exact GELU; the released code has JAX's tanh approximation of it",
    "stochastic depth divides survivors by their probability; the released code does not",
)

Variant = Literal["f0", "f1", "f2", "f3", "f4", "f5", "f6"]
ExciteActivation = Literal["relu", "gelu"]

DEPTHS = (1, 2, 6, 3)  # blocks per stage of F0; F<n> has n + 1 times as many
WIDTHS = (256, 512, 1536, 1536)
GROUP_WIDTH = 128
ALPHA = 0.2  # weight of the residual: a block adds ALPHA² to the variance
DROPOUT: dict[Variant, float] = {"f0": 0.2, "f1": 0.3, "f2": 0.4, "f3": 0.4, "f4": 0.5, "f5": 0.5, "f6": 0.5}


class NormFreeBlock(nn.Module):
    """shortcut(a) + α · gain · 2 SE(residual(a)) with a = β γ gelu(x); the learned gain starts at zero (SkipInit).

    The constants β and γ are folded into the weights of the convolutions that follow, and what scales the residual into
    the gates of SE, so that no map is read for it. Without a projection the shortcut is x itself.

    Args:
        beta: 1 / standard deviation of the input at initialization.
        drop_path: Rate at which training drops the residual.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        beta: float,
        drop_path: float,
        epsilon: Epsilon = "floor",
        excite_activation: ExciteActivation = "relu",
    ) -> None:
        super().__init__()
        hidden = out_channels // 2
        groups, gain = max(1, hidden // GROUP_WIDTH), GELU_GAIN
        self.shortcut: nn.Module | None = None
        if stride > 1 or in_channels != out_channels:
            pool = nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
            projection = ScaledConv2d(in_channels, out_channels, 1, input_gain=beta * gain, epsilon=epsilon)
            self.shortcut = nn.Sequential(OrderedDict(pool=pool, projection=projection))
        self.reduce = ScaledConv2d(in_channels, hidden, 1, input_gain=beta * gain, epsilon=epsilon)
        self.filter = ScaledConv2d(hidden, hidden, 3, stride=stride, groups=groups, input_gain=gain, epsilon=epsilon)
        self.filter_again = ScaledConv2d(hidden, hidden, 3, groups=groups, input_gain=gain, epsilon=epsilon)
        self.expand = ScaledConv2d(hidden, out_channels, 1, input_gain=gain, epsilon=epsilon)
        activation = nn.GELU() if excite_activation == "gelu" else nn.ReLU(inplace=True)
        self.excite = SqueezeExcite(out_channels, out_channels // 2, activation)
        self.drop_path = StochasticDepth(drop_path)
        self.skip_gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        a = F.gelu(x)
        shortcut = x if self.shortcut is None else self.shortcut(a)
        if self.drop_path.drops():
            return self.drop_path.skip(shortcut, self)
        y = self.filter_again(F.gelu(self.filter(F.gelu(self.reduce(a)))))
        y = self.expand(F.gelu(y))
        y = scale_channels(y, self.drop_path.keep(2 * ALPHA * self.skip_gain * self.excite.gates(y)))
        y += shortcut
        return y


class NFNet(Network):
    """The paper's network.

    Args:
        depths: Blocks per stage; every stage but the first halves the map.
        widths: Channels of each stage: multiples of 256, or of 16 below 256.
        epsilon: What keeps weight standardization finite: "floor" (released code) or "added" (timm).
        excite_activation: Within squeeze-and-excitation: "relu" (released code) or "gelu" (the paper's text).
        stem: "imagenet", or "small", which keeps the resolution, for images of about 32 to 64 px (not in the paper).
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate; block b of B, from 0, drops with ``drop_path`` · b / B.
        num_classes: Outputs.
        in_channels: Channels of the image.

    Raises:
        ValueError: If ``depths`` and ``widths`` do not belong together or a width is another number.
    """

    def __init__(
        self,
        depths: tuple[int, ...],
        *,
        widths: tuple[int, ...] = WIDTHS,
        epsilon: Epsilon = "floor",
        excite_activation: ExciteActivation = "relu",
        stem: Stem = "imagenet",
        dropout: float = 0.2,
        drop_path: float = 0.25,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        check_stages(depths, widths)
        check_widths(widths)
        channels, variance, index = widths[0] // 2, 1.0, 0
        first_layers = make_stem(in_channels, channels, 1 if stem == "small" else 2, epsilon)
        self.features = nn.Sequential(OrderedDict(stem=first_layers))
        for number, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
            stage = nn.Sequential()
            for first in (True, *[False] * (depth - 1)):
                stride, beta = 2 if first and number > 1 else 1, 1.0 / math.sqrt(variance)
                block = NormFreeBlock(
                    channels,
                    width,
                    stride,
                    beta=beta,
                    drop_path=drop_path * index / sum(depths),
                    epsilon=epsilon,
                    excite_activation=excite_activation,
                )
                stage.append(block)
                variance = (1.0 if first else variance) + ALPHA**2  # a projection resets the variance to 1
                channels, index = width, index + 1
            self.features.add_module(f"stage{number}", stage)
        final = ScaledConv2d(channels, 2 * channels, 1, epsilon=epsilon)
        self.features.add_module("final", nn.Sequential(OrderedDict(conv=final, activation=ScaledGELU())))
        self.head = GlobalPoolHead(2 * channels, num_classes, Dropout(dropout))
        init_nfnet(self)


def check_widths(widths: tuple[int, ...]) -> None:
    """Refuse widths whose bottlenecks do not split into groups of 128 channels.

    Raises:
        ValueError: Naming the width.
    """
    for width in widths:
        if width % (16 if width < 2 * GROUP_WIDTH else 2 * GROUP_WIDTH):
            raise ValueError(f"NFNet's widths must be multiples of 256, or of 16 below 256, got {width}")


def make_stem(in_channels: int, out_channels: int, stride: int, epsilon: Epsilon) -> nn.Sequential:
    """Four 3x3 convolutions, each twice as wide as the one before, the first and the last with ``stride``, and GELU
    between them."""
    widths = [out_channels // share for share in (8, 4, 2, 1)]
    stem = nn.Sequential(ScaledConv2d(in_channels, widths[0], 3, stride=stride, epsilon=epsilon))
    for channels, width, step in zip(widths, widths[1:], (1, 1, stride), strict=False):
        stem.append(nn.GELU())
        stem.append(ScaledConv2d(channels, width, 3, stride=step, input_gain=GELU_GAIN, epsilon=epsilon))
    return stem


def init_nfnet(network: nn.Module) -> None:
    """Released code: convolutions normal with variance 1 / fan-in, the classifier with standard deviation 0.01."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="linear")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def nfnet(
    variant: Variant,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float | None = None,
    drop_path: float = 0.25,
    epsilon: Epsilon = "floor",
    excite_activation: ExciteActivation = "relu",
    stem: Stem = "imagenet",
    widths: tuple[int, ...] = WIDTHS,
    depths: tuple[int, ...] | None = None,
) -> NFNet:
    """NFNet-``variant``; ``dropout`` None is the variant's rate, 0.2 to 0.5; ``depths`` None its blocks per stage."""
    rate = find_row(DROPOUT, variant, "the NFNet")
    factor = int(variant[1:]) + 1
    return NFNet(
        tuple(factor * depth for depth in DEPTHS) if depths is None else depths,
        widths=widths,
        epsilon=epsilon,
        excite_activation=excite_activation,
        stem=stem,
        dropout=rate if dropout is None else dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
