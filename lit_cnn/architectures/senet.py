"""SENet: Hu, Shen, Albanie, Sun, Wu, "Squeeze-and-Excitation Networks", 2017, arXiv:1709.01507.

A gate per channel, computed from the average of all channels over the whole map, lets a net weigh what it has seen. It
can end the residuals of any residual net, here of ResNet and ResNeXt, for under 1 % more multiply-adds.

Input (N, in_channels, 224, 224); stages as in ResNet and ResNeXt (Table 1), each block being

    residual   1x1, width; 3x3, width; 1x1, 4 width = C             C x H x W
    squeeze    global average pool                                  C x 1 x 1
    excite     linear to C / 16, ReLU, linear to C, sigmoid         C x 1 x 1
    output     relu(shortcut + gate · residual)                     C x H x W

The linear layers are 1x1 convolutions with bias, as in the released nets. SE-ResNet strides in the first 1x1 of a block
as the released nets do, SE-ResNeXt in the 3x3.
"""

from torch import nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.init import init_he
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite
from lit_cnn.architectures.network import Stem
from lit_cnn.architectures.resnet import ResidualBlock, ResNet, StridePlacement, imagenet_resnet
from lit_cnn.architectures.resnext import ResNeXt, resnext

PAPER = Paper("SENet", "Hu et al.", 2017, "arXiv:1709.01507", protocol="ImageNet val, single crop 224")


def append_squeeze_excite(network: ResNet | ResNeXt, reduction: int) -> None:
    """End every residual of ``network`` with squeeze-and-excitation over C / ``reduction`` hidden channels.

    Raises:
        ValueError: If a residual has fewer than ``reduction`` channels.
    """
    blocks = [module for module in network.modules() if isinstance(module, ResidualBlock)]
    for block in blocks:
        channels = [module for module in block.residual.modules() if isinstance(module, nn.Conv2d)][-1].out_channels
        if not 1 <= reduction <= channels:
            raise ValueError(f"reduction must be between 1 and the {channels} channels of a block, got {reduction}")
        excite = SqueezeExcite(channels, channels // reduction)
        init_he(excite)
        block.residual.add_module("excite", excite)


def se_resnet(
    depth: int,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    reduction: int = 16,
    stride_in: StridePlacement = "1x1",
    stem: Stem = "imagenet",
    zero_init_last: bool = False,
) -> ResNet:
    """SE-ResNet-``depth`` (50, 101 or 152); ``stride_in`` "3x3" is the v1.5 of most libraries."""
    network = imagenet_resnet(
        depth,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        drop_path=drop_path,
        stride_in=stride_in,
        stem=stem,
        zero_init_last=zero_init_last,
    )
    append_squeeze_excite(network, reduction)
    return network


def se_resnext(
    depth: int,
    *,
    groups: int = 32,
    group_width: int = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    reduction: int = 16,
    stem: Stem = "imagenet",
    zero_init_last: bool = False,
) -> ResNeXt:
    """SE-ResNeXt-``depth``; depth 152 is not in the paper, it follows from the rule (blocks 3, 8, 36, 3)."""
    network = resnext(
        depth,
        groups=groups,
        group_width=group_width,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        drop_path=drop_path,
        stem=stem,
        zero_init_last=zero_init_last,
    )
    append_squeeze_excite(network, reduction)
    return network
