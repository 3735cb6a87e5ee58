"""Linear and multi-branch blocks side by side: five kinds of block in one network, so that only the block differs.

    plain       two 3x3, one behind the other (VGG, arXiv:1409.1556; He et al.'s plain nets)
    residual    the same with a shortcut around them (ResNet, arXiv:1512.03385, figure 5, left)
    bottleneck  1x1 down to a quarter, 3x3, 1x1 up, with a shortcut (ResNet, figure 5, right)
    inception   1x1, 3x3, 5x5 and a pool side by side, concatenated (GoogLeNet, arXiv:1409.4842, figure 2b)
    separable   a 3x3 per channel, then 1x1 (MobileNet, arXiv:1704.04861, figure 3, right)

Batch norm and ReLU follow every convolution. A stage's blocks all return its width; its first block strides, behind a
max pool in the case of inception, as in GoogLeNet. The default is a ResNet-20 with projections. Input (N, in_channels,
32, 32) with the small stem; the widths and strides are the rows':

    stem    3x3, width of the first row                          16 x 32 x 32
    stage2  first row                                            16 x 32 x 32
    stage3  second row                                           32 x 16 x 16
    stage4  third row                                            64 x 8 x 8
    head    global average pool, dropout, linear             num_classes
"""

from collections import OrderedDict

from torch import nn

from lit_cnn.architectures.block_text import BlockStage, format_blocks, parse_blocks
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.googlenet import Inception, Widths
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he
from lit_cnn.architectures.layers.stochastic_depth import linear_rates
from lit_cnn.architectures.mobilenet_v1 import separable_conv
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem
from lit_cnn.architectures.resnet import Shortcut, basic_block, bottleneck_block, make_stem

PAPER = Paper(
    "ResNet",
    "He et al.",
    2015,
    "arXiv:1512.03385",
    protocol="for any stages of plain, residual, bottleneck, inception and separable blocks",
)
STAGES = (BlockStage("residual", 16, 1, 3), BlockStage("residual", 32, 2, 3), BlockStage("residual", 64, 2, 3))
WITH_SHORTCUT = ("residual", "bottleneck")


def make_block(in_channels: int, row: BlockStage, stride: int, drop_path: float) -> nn.Module:
    """One block of ``row``: (N, in_channels, H, W) -> (N, row.width, ceil(H / stride), ceil(W / stride))."""
    if row.kind == "separable":
        return separable_conv(in_channels, row.width, stride)
    if row.kind == "inception":
        block = Inception(in_channels, inception_widths(row.width), branch_kernel=5, batch_norm=True)
        return block if stride == 1 else nn.Sequential(nn.MaxPool2d(3, stride, padding=1), block)
    if row.kind == "bottleneck":
        return bottleneck_block(
            in_channels, row.width // 4, stride, stride_in="3x3", shortcut="projection", drop_path=drop_path
        )
    shortcut: Shortcut = "projection" if row.kind == "residual" else "none"
    return basic_block(in_channels, row.width, stride, stride_in="3x3", shortcut=shortcut, drop_path=drop_path)


def inception_widths(width: int) -> Widths:
    """Branches of ``width`` channels in all, in the proportions of GoogLeNet's first block, 3a, which has 256."""
    unit = width // 16
    return Widths(point=4 * unit, reduce3=6 * unit, filter3=8 * unit, reduce5=unit, filter5=2 * unit, pool=2 * unit)


class BlockNetwork(Network):
    """A stem, stages of blocks and a linear classifier.

    Args:
        stages: The rows.
        stem: "small" (3x3) or "imagenet" (7x7 stride 2 and max pool), with the width of the first row.
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last block, linear over depth; of residual and bottleneck blocks.
        num_classes: Outputs.
        in_channels: Channels of the image.

    Raises:
        ValueError: If ``drop_path`` is set where no block has a shortcut.
    """

    def __init__(
        self,
        stages: tuple[BlockStage, ...],
        *,
        stem: Stem = "small",
        dropout: float = 0.0,
        drop_path: float = 0.0,
        num_classes: int = 10,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if drop_path > 0 and not any(row.kind in WITH_SHORTCUT for row in stages):
            raise ValueError("no block has a shortcut, so stochastic depth cannot be used: set drop_path to 0")
        rates = iter(linear_rates(drop_path, sum(row.depth for row in stages)))
        channels = stages[0].width
        self.features = nn.Sequential(OrderedDict(stem=make_stem(in_channels, channels, stem)))
        for number, row in enumerate(stages, start=2):
            stage = nn.Sequential()
            for stride in (row.stride, *[1] * (row.depth - 1)):
                stage.append(make_block(channels, row, stride, next(rates)))
                channels = row.width
            self.features.add_module(f"stage{number}", stage)
        self.head = GlobalPoolHead(channels, num_classes, Dropout(dropout))
        init_he(self)


def block_network(
    blocks: str = format_blocks(STAGES),
    *,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    stem: Stem = "small",
) -> BlockNetwork:
    """The network of stages that are stated as text, see :mod:`lit_cnn.architectures.block_text`.

    Raises:
        ValueError: If the text states none, or ``drop_path`` is set where no block has a shortcut.
    """
    return BlockNetwork(
        parse_blocks(blocks),
        stem=stem,
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
