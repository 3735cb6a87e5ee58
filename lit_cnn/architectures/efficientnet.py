"""EfficientNet: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
arXiv:1905.11946.

Depth, width and resolution grow together by fixed ratios ("compound scaling"), which uses a larger budget better than
one of them alone. The net that is scaled, B0, comes from a search over MBConv blocks for accuracy and multiply-adds.

B0 (Table 1), input (N, in_channels, 224, 224); ``features`` returns (N, 1280, H / 32, W / 32):

    stem    3x3, 32, stride 2                                 32 x 112 x 112
    stage2  1 MBConv1, 3x3                                    16 x 112 x 112
    stage3  2 MBConv6, 3x3, stride 2                          24 x 56 x 56
    stage4  2 MBConv6, 5x5, stride 2                          40 x 28 x 28
    stage5  3 MBConv6, 3x3, stride 2                          80 x 14 x 14
    stage6  3 MBConv6, 5x5                                   112 x 14 x 14
    stage7  4 MBConv6, 5x5, stride 2                         192 x 7 x 7
    stage8  1 MBConv6, 3x3                                   320 x 7 x 7
    stage9  1x1, 1280                                       1280 x 7 x 7
    head    global average pool, dropout, linear              num_classes

Every MBConv has squeeze-and-excitation over a quarter of its input channels, and SiLU ("swish") as activation.
"""

from collections import OrderedDict
from typing import Literal

from torch import nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.mbconv import Activation, ConvStyle, Stage, init_efficientnet, make_block
from lit_cnn.architectures.layers.padding import Padding
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem, find_row
from lit_cnn.architectures.scaling import DepthRounding, check_multipliers, make_divisible, scale_stages

PAPER = Paper("EfficientNet", "Tan and Le", 2019, "arXiv:1905.11946")

Variant = Literal["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"]

STAGES = (
    #     block    t  k  s  width  n  squeeze
    Stage("mbconv", 1, 3, 1, 16, 1, 0.25),
    Stage("mbconv", 6, 3, 2, 24, 2, 0.25),
    Stage("mbconv", 6, 5, 2, 40, 2, 0.25),
    Stage("mbconv", 6, 3, 2, 80, 3, 0.25),
    Stage("mbconv", 6, 5, 1, 112, 3, 0.25),
    Stage("mbconv", 6, 5, 2, 192, 4, 0.25),
    Stage("mbconv", 6, 3, 1, 320, 1, 0.25),
)
STEM_WIDTH = 32
FINAL_WIDTH = 1280

SCALES: dict[Variant, tuple[float, float, float]] = {
    "b0": (1.0, 1.0, 0.2),
    "b1": (1.0, 1.1, 0.2),
    "b2": (1.1, 1.2, 0.3),
    "b3": (1.2, 1.4, 0.3),
    "b4": (1.4, 1.8, 0.4),
    "b5": (1.6, 2.2, 0.4),
    "b6": (1.8, 2.6, 0.5),
    "b7": (2.0, 3.1, 0.5),
}
"""Width and depth multiplier and dropout rate (released code; the resolutions are in the catalog)."""


class EfficientNet(Network):
    """A stem, rows of MBConv or FusedMBConv blocks, a 1x1 convolution and a linear classifier.

    Args:
        stages: The rows of the table, already scaled.
        stem_width: Channels of the stem.
        final_width: Channels of the last 1x1 convolution.
        activation: "silu", "relu6" or "relu".
        padding: "tensorflow" (the paper's) or "symmetric" (torchvision's); at stride 2 they are a pixel apart.
        norm_eps: Batch norm's epsilon.
        norm_momentum: Share of the new batch in batch norm's running statistics.
        stem: "imagenet", or "small", whose first convolution keeps the resolution, for images of about 32 to 64 px.
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate ("drop connect"); block b of B, from 0, drops with ``drop_path`` · b / B.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(
        self,
        stages: tuple[Stage, ...],
        *,
        stem_width: int,
        final_width: int,
        activation: Activation = "silu",
        padding: Padding = "tensorflow",
        norm_eps: float = 1e-3,
        norm_momentum: float = 0.01,
        stem: Stem = "imagenet",
        dropout: float = 0.2,
        drop_path: float = 0.2,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        style = ConvStyle(padding, norm_eps, norm_momentum, activation)
        first = style.conv(in_channels, stem_width, 3, stride=1 if stem == "small" else 2)
        self.features = nn.Sequential(OrderedDict(stem=first))
        channels, index, total = stem_width, 0, sum(row.depth for row in stages)
        for number, row in enumerate(stages, start=2):
            stage = nn.Sequential()
            for stride in (row.stride, *[1] * (row.depth - 1)):
                stage.append(make_block(channels, row, stride, drop_path=drop_path * index / total, style=style))
                channels, index = row.width, index + 1
            self.features.add_module(f"stage{number}", stage)
        self.features.add_module(f"stage{len(stages) + 2}", style.conv(channels, final_width, 1))
        self.head = GlobalPoolHead(final_width, num_classes, Dropout(dropout))
        init_efficientnet(self)


def efficientnet(
    variant: Variant,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float | None = None,
    drop_path: float = 0.2,
    padding: Padding = "tensorflow",
    norm_eps: float = 1e-3,
    norm_momentum: float = 0.01,
    stem: Stem = "imagenet",
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    depth_rounding: DepthRounding = "up",
) -> EfficientNet:
    """EfficientNet-``variant``; ``dropout`` None is the paper's rate of the variant, 0.2 to 0.5.

    The multipliers scale the variant further: B0 with 1.2 and 1.4 is B3, except for its dropout.
    """
    width, depth, rate = find_row(SCALES, variant, "the EfficientNet")
    check_multipliers(width_multiplier, depth_multiplier, depth_rounding)
    width, depth = width * width_multiplier, depth * depth_multiplier
    return EfficientNet(
        scale_stages(STAGES, width, depth, depth_rounding=depth_rounding),
        stem_width=make_divisible(STEM_WIDTH * width),
        final_width=make_divisible(FINAL_WIDTH * width),
        padding=padding,
        norm_eps=norm_eps,
        norm_momentum=norm_momentum,
        stem=stem,
        dropout=rate if dropout is None else dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
