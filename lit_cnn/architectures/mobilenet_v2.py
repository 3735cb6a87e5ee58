"""MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, arXiv:1801.04381.

A residual connects narrow maps and widens them inside, where filters per channel are cheap; the narrow maps carry no
ReLU, which would destroy what they hold.

Table 2 at width 1, input (N, in_channels, 224, 224):

    stem    3x3, 32, stride 2                                32 x 112 x 112
    stage2  1 bottleneck, expansion 1                        16 x 112 x 112
    stage3  2 bottlenecks, expansion 6, stride 2             24 x 56 x 56
    stage4  3 bottlenecks, expansion 6, stride 2             32 x 28 x 28
    stage5  4 bottlenecks, expansion 6, stride 2             64 x 14 x 14
    stage6  3 bottlenecks, expansion 6                       96 x 14 x 14
    stage7  3 bottlenecks, expansion 6, stride 2            160 x 7 x 7
    stage8  1 bottleneck, expansion 6                       320 x 7 x 7
    stage9  1x1, 1280                                      1280 x 7 x 7
    head    global average pool, dropout, linear             num_classes

A bottleneck is an MBConv without squeeze-and-excitation: 1x1, 3x3 per channel, linear 1x1, with batch norm and ReLU6.
"""

from collections import OrderedDict

from torch import nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he
from lit_cnn.architectures.layers.mbconv import ConvStyle, MBConv, Stage
from lit_cnn.architectures.layers.stochastic_depth import linear_rates
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem
from lit_cnn.architectures.scaling import DepthRounding, check_multipliers, make_divisible, scale_depth

PAPER = Paper("MobileNetV2", "Sandler et al.", 2018, "arXiv:1801.04381", protocol="ImageNet val, single crop 224")

STAGES = (
    #     block    t  k  s  c  n  squeeze
    Stage("mbconv", 1, 3, 1, 16, 1, 0.0),
    Stage("mbconv", 6, 3, 2, 24, 2, 0.0),
    Stage("mbconv", 6, 3, 2, 32, 3, 0.0),
    Stage("mbconv", 6, 3, 2, 64, 4, 0.0),
    Stage("mbconv", 6, 3, 1, 96, 3, 0.0),
    Stage("mbconv", 6, 3, 2, 160, 3, 0.0),
    Stage("mbconv", 6, 3, 1, 320, 1, 0.0),
)
STEM_WIDTH = 32
FINAL_WIDTH = 1280

STYLE = ConvStyle("symmetric", 1e-5, 0.1, "relu6")


class MobileNetV2(Network):
    """The paper's network.

    Args:
        stages: Rows of the table.
        width: Width multiplier; widths are rounded to multiples of 8, and the last 1x1 convolution never shrinks.
        stem: "imagenet", or "small", whose first convolution keeps the resolution, for images of about 32 to 64 px.
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last block; linear over depth.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(
        self,
        stages: tuple[Stage, ...] = STAGES,
        *,
        width: float = 1.0,
        stem: Stem = "imagenet",
        dropout: float = 0.2,
        drop_path: float = 0.0,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        rates = iter(linear_rates(drop_path, sum(row.depth for row in stages)))
        channels, final = make_divisible(STEM_WIDTH * width), make_divisible(FINAL_WIDTH * max(1.0, width))
        first = STYLE.conv(in_channels, channels, 3, stride=1 if stem == "small" else 2)
        self.features = nn.Sequential(OrderedDict(stem=first))
        for number, row in enumerate(stages, start=2):
            scaled = row._replace(width=make_divisible(row.width * width))
            stage = nn.Sequential()
            for stride in (row.stride, *[1] * (row.depth - 1)):
                stage.append(MBConv(channels, scaled, stride, drop_path=next(rates), style=STYLE))
                channels = scaled.width
            self.features.add_module(f"stage{number}", stage)
        self.features.add_module(f"stage{len(stages) + 2}", STYLE.conv(channels, final, 1))
        self.head = GlobalPoolHead(final, num_classes, Dropout(dropout))
        init_he(self)


def mobilenet_v2(
    width: float = 1.0,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    drop_path: float = 0.0,
    stem: Stem = "imagenet",
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    depth_rounding: DepthRounding = "up",
) -> MobileNetV2:
    """The network of Table 2 at ``width`` (the paper trains 0.35 to 1.4); dropout and initialization are torchvision's,
    since the paper is silent.

    ``width_multiplier`` multiplies ``width``, and ``depth_multiplier`` the blocks of each row.
    """
    check_multipliers(width_multiplier, depth_multiplier, depth_rounding)
    return MobileNetV2(
        tuple(row._replace(depth=scale_depth(row.depth, depth_multiplier, depth_rounding)) for row in STAGES),
        width=width * width_multiplier,
        stem=stem,
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
