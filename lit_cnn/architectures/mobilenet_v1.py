"""MobileNet: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
arXiv:1704.04861.

A 3x3 convolution is split into a 3x3 filter per channel and a 1x1 convolution that mixes channels, which costs an
eighth to a ninth; one width multiplier trades accuracy for cost over the whole net.

Table 1 at width 1, input (N, in_channels, 224, 224):

    stem    3x3, 32, stride 2                              32 x 112 x 112
    stage2  1 separable convolution                        64 x 112 x 112
    stage3  2 separable convolutions, stride 2            128 x 56 x 56
    stage4  2 separable convolutions, stride 2            256 x 28 x 28
    stage5  6 separable convolutions, stride 2            512 x 14 x 14
    stage6  2 separable convolutions, stride 2           1024 x 7 x 7
    head    global average pool, dropout, linear             num_classes

The table prints stride 2 for the last filter, but its 7 x 7 output needs stride 1. Batch norm and ReLU follow every
convolution, the filters per channel included.
"""

from collections import OrderedDict
from typing import Literal, NamedTuple

from torch import nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import ConvNormAct
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem
from lit_cnn.architectures.scaling import DepthRounding, check_multipliers, make_divisible, scale_depth

PAPER = Paper("MobileNet", "Howard et al.", 2017, "arXiv:1704.04861", protocol="ImageNet val, single crop 224")
DEVIATIONS = (
    "symmetric padding; the released code pads strided convolutions right and bottom (same counts)",
    "batch norm with PyTorch's constants (epsilon 1e-5, momentum 0.1)",
)
"""Those of MobileNetV2, too."""


class Stage(NamedTuple):
    """Rows of the table that share a width."""

    width: int
    depth: int
    stride: int  # of the first convolution; the others use 1


STEM_WIDTH = 32
STAGES = (Stage(64, 1, 1), Stage(128, 2, 2), Stage(256, 2, 2), Stage(512, 6, 2), Stage(1024, 2, 2))
SHALLOW_STAGES = (*STAGES[:3], Stage(512, 1, 2), STAGES[4])
"""Table 5: without the five convolutions of equal shape."""


Activation = Literal["relu", "relu6"]


def conv(
    in_channels: int, out_channels: int, kernel: int, activation: Activation, *, stride: int = 1, groups: int = 1
) -> ConvNormAct:
    act = nn.ReLU6(inplace=True) if activation == "relu6" else nn.ReLU(inplace=True)
    return ConvNormAct(in_channels, out_channels, kernel, stride=stride, groups=groups, activation=act)


def separable_conv(in_channels: int, out_channels: int, stride: int, activation: Activation = "relu") -> nn.Sequential:
    """Figure 3, right: filter each channel, then mix them."""
    filter_ = conv(in_channels, in_channels, 3, activation, stride=stride, groups=in_channels)
    return nn.Sequential(OrderedDict(filter=filter_, mix=conv(in_channels, out_channels, 1, activation)))


def full_conv(in_channels: int, out_channels: int, stride: int, activation: Activation = "relu") -> nn.Sequential:
    """Figure 3, left."""
    return conv(in_channels, out_channels, 3, activation, stride=stride)


class MobileNetV1(Network):
    """The paper's network.

    Args:
        stages: Rows of the table.
        width: Width multiplier α; widths are rounded to multiples of 8 (the paper's are).
        separable: False for the full 3x3 convolutions that the paper compares with (Table 4).
        stem: "imagenet", or "small", whose first convolution keeps the resolution, for images of about 32 to 64 px.
        dropout: Rate before the classifier.
        activation: "relu" as the paper, or "relu6" as the released code and the weights trained with it.
        num_classes: Outputs.
        in_channels: Channels of the image.

    Raises:
        ValueError: If the activation is neither.
    """

    def __init__(
        self,
        stages: tuple[Stage, ...] = STAGES,
        *,
        width: float = 1.0,
        separable: bool = True,
        stem: Stem = "imagenet",
        dropout: float = 0.0,
        activation: Activation = "relu",
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if activation not in ("relu", "relu6"):
            raise ValueError(f"activation must be relu or relu6, got {activation!r}")
        make_layer = separable_conv if separable else full_conv
        channels = make_divisible(STEM_WIDTH * width)
        self.features = nn.Sequential(
            OrderedDict(stem=conv(in_channels, channels, 3, activation, stride=1 if stem == "small" else 2))
        )
        for number, row in enumerate(stages, start=2):
            stage, out_channels = nn.Sequential(), make_divisible(row.width * width)
            for stride in (row.stride, *[1] * (row.depth - 1)):
                stage.append(make_layer(channels, out_channels, stride, activation))
                channels = out_channels
            self.features.add_module(f"stage{number}", stage)
        self.head = GlobalPoolHead(channels, num_classes, Dropout(dropout))
        init_he(self)


def mobilenet_v1(
    width: float = 1.0,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    separable: bool = True,
    shallow: bool = False,
    stem: Stem = "imagenet",
    activation: Activation = "relu",
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    depth_rounding: DepthRounding = "up",
) -> MobileNetV1:
    """The network of Table 1 at ``width`` (the paper trains 0.25, 0.5, 0.75 and 1); initialized as torchvision's
    MobileNetV2, since the paper is silent.

    ``width_multiplier`` multiplies ``width``, and ``depth_multiplier`` the convolutions of each row.
    """
    check_multipliers(width_multiplier, depth_multiplier, depth_rounding)
    rows = SHALLOW_STAGES if shallow else STAGES
    return MobileNetV1(
        tuple(row._replace(depth=scale_depth(row.depth, depth_multiplier, depth_rounding)) for row in rows),
        width=width * width_multiplier,
        separable=separable,
        stem=stem,
        dropout=dropout,
        activation=activation,
        num_classes=num_classes,
        in_channels=in_channels,
    )
