"""ResNeXt: Xie, Girshick, Dollár, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks", 2016,
arXiv:1611.05431.

The 3x3 convolution of a bottleneck is split into groups that see only their own channels ("cardinality"). At equal cost
the block can be wider, and more groups raise the accuracy more than more depth or width do.

``CxDd`` has C groups of D channels in the first stage; 32x4d, input (N, in_channels, 224, 224) (Table 1):

    stem    7x7, 64, stride 2; 3x3 max pool, stride 2                         64 x 56 x 56
    stage2  1x1, 128; 3x3, 128, 32 groups; 1x1, 256                          256 x 56 x 56
    stage3  1x1, 256; 3x3, 256, 32 groups, stride 2; 1x1, 512                512 x 28 x 28
    stage4  1x1, 512; 3x3, 512, 32 groups, stride 2; 1x1, 1024              1024 x 14 x 14
    stage5  1x1, 1024; 3x3, 1024, 32 groups, stride 2; 1x1, 2048            2048 x 7 x 7
    head    global average pool, linear                                       num_classes
"""

from collections import OrderedDict

from torch import nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import ConvNormAct
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he, init_last_gain_to_zero
from lit_cnn.architectures.layers.stochastic_depth import linear_rates
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem, find_row
from lit_cnn.architectures.resnet import (
    IMAGENET_BLOCKS,
    IMAGENET_WIDTHS,
    ResidualBlock,
    make_shortcut,
    make_stem,
)

PAPER = Paper("ResNeXt", "Xie et al.", 2016, "arXiv:1611.05431", protocol="ImageNet val, single crop 224")
NO_ROW = "the paper has no such net; it follows from the rule (blocks of ResNet-152)"
NOT_IN_PAPER = "a variant of the libraries; the paper has 32x4d and 64x4d"

FIRST_WIDTH = IMAGENET_WIDTHS[0]


def grouped_block(
    in_channels: int, hidden: int, out_channels: int, stride: int, *, groups: int, drop_path: float
) -> ResidualBlock:
    """1x1 to ``hidden``, grouped 3x3 with the stride, 1x1 to ``out_channels`` (Figure 3c)."""
    residual = nn.Sequential(
        ConvNormAct(in_channels, hidden, 1, activation=nn.ReLU(inplace=True)),
        ConvNormAct(hidden, hidden, 3, stride=stride, groups=groups, activation=nn.ReLU(inplace=True)),
        ConvNormAct(hidden, out_channels, 1),
    )
    return ResidualBlock(residual, make_shortcut(in_channels, out_channels, stride, "projection"), drop_path)


class ResNeXt(Network):
    """The paper's network.

    Args:
        blocks: Blocks per stage.
        groups: Groups of every 3x3 convolution, the cardinality C.
        group_width: Channels of each group in the first stage, d; doubled with every stage.
        stem: "imagenet" (7x7 stride 2 and max pool) or "small" (3x3, for images of about 32 to 64 px).
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last block; linear over depth.
        zero_init_last: Start each residual's last norm at gain 0 (Goyal et al., 2017).
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(
        self,
        blocks: tuple[int, ...],
        *,
        groups: int,
        group_width: int,
        stem: Stem = "imagenet",
        dropout: float = 0.0,
        drop_path: float = 0.0,
        zero_init_last: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        rates = iter(linear_rates(drop_path, sum(blocks)))
        self.features = nn.Sequential(OrderedDict(stem=make_stem(in_channels, FIRST_WIDTH, stem)))
        channels = FIRST_WIDTH
        for number, (depth, width) in enumerate(zip(blocks, IMAGENET_WIDTHS, strict=True), start=2):
            hidden = groups * group_width * width // FIRST_WIDTH
            stage = nn.Sequential()
            for index in range(depth):
                stride = 2 if index == 0 and number > 2 else 1
                stage.append(grouped_block(channels, hidden, 4 * width, stride, groups=groups, drop_path=next(rates)))
                channels = 4 * width
            self.features.add_module(f"stage{number}", stage)
        self.head = GlobalPoolHead(channels, num_classes, Dropout(dropout))
        init_he(self)
        if zero_init_last:
            for module in self.modules():
                if isinstance(module, ResidualBlock):
                    init_last_gain_to_zero(module.residual)


def resnext(
    depth: int,
    *,
    groups: int = 32,
    group_width: int = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    stem: Stem = "imagenet",
    zero_init_last: bool = False,
) -> ResNeXt:
    """ResNeXt-``depth`` (``groups`` x ``group_width`` d), with the blocks per stage of the ResNet of that depth."""
    return ResNeXt(
        find_row(IMAGENET_BLOCKS, depth, "a ResNeXt's depth"),
        groups=groups,
        group_width=group_width,
        stem=stem,
        dropout=dropout,
        drop_path=drop_path,
        zero_init_last=zero_init_last,
        num_classes=num_classes,
        in_channels=in_channels,
    )
