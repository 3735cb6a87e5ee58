"""ZFNet: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, arXiv:1311.2901.

Projecting features back to pixels shows what AlexNet's layers miss: its large strided first filters alias and skip
middle frequencies. Smaller filters and strides in the first two layers repair that; the rest is AlexNet without groups.

Figure 3, input (N, in_channels, 224, 224):

    stage1  7x7, 96, stride 2; 3x3 max pool, stride 2; contrast norm         96 x 55 x 55
    stage2  5x5, 256, stride 2; max pool; contrast norm                     256 x 13 x 13
    stage3  3x3, 384; 3x3, 384; 3x3, 256; max pool                          256 x 6 x 6
    head    linear 4096, dropout, linear 4096, dropout, linear                num_classes

ReLU follows every convolution and hidden layer. The contrast norm acts across channels; the paper gives no constants
for it, so they are AlexNet's.
"""

from collections import OrderedDict
from typing import NamedTuple

from torch import nn

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.layers.fully_connected import FullyConnectedHead
from lit_cnn.architectures.layers.local_response_norm import ResponseNormKind, make_response_norm
from lit_cnn.architectures.network import Network, Stem

DEVIATIONS = (
    "contrast norm with AlexNet's constants; the paper gives none",
    'weights normal with standard deviation 0.01; the paper\'s "10^-2" does not say of what',
)

MAP_SIDE = 6
SMALL_MAP_SIDE = 4  # of a 32 px image behind the small stem; reading 6 x 6 would repeat values


class Conv(NamedTuple):
    """One convolution of the table."""

    stage: int
    width: int
    kernel: int
    stride: int
    padding: int  # what gives the maps of Figure 3, with pools that round up


CONVS = (
    Conv(1, 96, 7, 2, 1),
    Conv(2, 256, 5, 2, 0),
    Conv(3, 384, 3, 1, 1),
    Conv(3, 384, 3, 1, 1),
    Conv(3, 256, 3, 1, 1),
)
SMALL_CONVS = (Conv(1, 96, 3, 1, 1), Conv(2, 256, 5, 1, 2), *CONVS[2:])


class ZFNet(Network):
    """The paper's network.

    Args:
        response_norm: "paper", "caffe" or "none": the contrast norm of the first two stages.
        stem: "imagenet", or "small": 3x3 in the first convolution, no stride in the first two, and a head that reads a
            4x4 map, for images of about 32 to 64 px.
        hidden: Width of the two hidden linear layers.
        dropout: Rate after each of them.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(
        self,
        *,
        response_norm: ResponseNormKind = "paper",
        stem: Stem = "imagenet",
        hidden: int = 4096,
        dropout: float = 0.5,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict((f"stage{number}", nn.Sequential()) for number in (1, 2, 3)))
        channels = in_channels
        for number, row in enumerate(SMALL_CONVS if stem == "small" else CONVS, start=1):
            stage = self.features.get_submodule(f"stage{row.stage}")
            conv = Conv2d(channels, row.width, row.kernel, row.stride, row.padding)
            stage.add_module(f"conv{number}", conv)
            stage.add_module(f"activation{number}", nn.ReLU(inplace=True))
            channels = row.width
        for name, stage in self.features.named_children():
            stage.add_module("pool", nn.MaxPool2d(3, stride=2, ceil_mode=True))
            if name != "stage3" and response_norm != "none":
                stage.add_module("norm", make_response_norm(response_norm))
        side = SMALL_MAP_SIDE if stem == "small" else MAP_SIDE
        self.head = FullyConnectedHead(channels, side, hidden, num_classes, dropout)
        self.smallest_input = 8 if stem == "small" else 47  # the last pool needs 2 x 2 positions
        init_zfnet(self)


def init_zfnet(network: Network) -> None:
    """Section 3: weights of scale 0.01, read as normal since equal weights would stay equal; biases zero."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def zfnet(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    response_norm: ResponseNormKind = "paper",
    stem: Stem = "imagenet",
    hidden: int = 4096,
) -> ZFNet:
    """The network of Figure 3."""
    return ZFNet(
        response_norm=response_norm,
        stem=stem,
        hidden=hidden,
        dropout=dropout,
        num_classes=num_classes,
        in_channels=in_channels,
    )
