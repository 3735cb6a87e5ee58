"""VGG: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
arXiv:1409.1556.

Two 3x3 convolutions see as much as one 5x5, three as much as one 7x7, with fewer parameters and more ReLUs; with
nothing but 3x3 filters, depth can be raised from 11 to 19 layers, and accuracy rises with it.

Table 1, input (N, in_channels, 224, 224); convolutions per stage for 11, 13, 16, 19 layers (columns A, B, D, E):

    stage1  1, 2, 2, 2 of 3x3, 64; 2x2 max pool, stride 2             64 x 112 x 112
    stage2  1, 2, 2, 2 of 3x3, 128; max pool                         128 x 56 x 56
    stage3  2, 2, 3, 4 of 3x3, 256; max pool                         256 x 28 x 28
    stage4  2, 2, 3, 4 of 3x3, 512; max pool                         512 x 14 x 14
    stage5  2, 2, 3, 4 of 3x3, 512; max pool                         512 x 7 x 7
    head    linear 4096, dropout, linear 4096, dropout, linear         num_classes

ReLU follows every convolution and hidden layer; the later ``batch_norm`` is between convolution and ReLU.

``head="global_average"`` (not in the paper) replaces the three linear layers by global average pooling (Lin et al.,
"Network in Network", 2013, arXiv:1312.4400, section 3.2), dropout and one linear layer: VGG-16 then has 15,227,688
parameters instead of 138,357,544.
"""

from typing import Literal

from torch import nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.fully_connected import FullyConnectedHead
from lit_cnn.architectures.layers.init import init_he
from lit_cnn.architectures.network import GlobalPoolHead, Head, Network, find_row

PAPER = Paper(
    "VGG",
    "Simonyan and Zisserman",
    2014,
    "arXiv:1409.1556",
    protocol="ImageNet val, dense evaluation at one scale (train 256, test 256); no single-crop figure",
)
DEVIATIONS = (
    "variance 0.01 as printed makes logits explode without pre-training; weight_init: glorot trains from scratch",
)
BATCH_NORM_DEVIATIONS = ("batch norm after each convolution, whose (then useless) bias stays, as in torchvision",)

WeightInit = Literal["paper", "glorot", "he"]

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""Convolutions per stage by the number of learnable layers."""


class VGG(Network):
    """The paper's network.

    Args:
        depths: Convolutions per stage.
        widths: Channels of each stage.
        batch_norm: Batch norm after every convolution, whose bias stays (torchvision's ``vgg*_bn``; not in the paper).
        weight_init: "paper", "glorot" or "he": see :func:`init_weights`.
        head: "fully_connected" (the paper's three linear layers), or "global_average" (average pooling and one), to
            which ``map_size`` and ``hidden`` do not apply.
        map_size: Height and width of the map that the head reads; 1 suits images of 32 px.
        hidden: Width of the two hidden linear layers.
        dropout: Rate after each of them; before the only one of a "global_average" head.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    smallest_input: int = 32

    def __init__(
        self,
        depths: tuple[int, ...],
        *,
        widths: tuple[int, ...] = WIDTHS,
        batch_norm: bool = False,
        weight_init: WeightInit = "paper",
        head: Head = "fully_connected",
        map_size: int = 7,
        hidden: int = 4096,
        dropout: float = 0.5,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        channels = in_channels
        for number, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
            stage = nn.Sequential()
            for index in range(1, depth + 1):
                stage.add_module(f"conv{index}", Conv2d(channels, width, 3, padding=1))
                if batch_norm:
                    stage.add_module(f"norm{index}", nn.BatchNorm2d(width))
                stage.add_module(f"activation{index}", nn.ReLU(inplace=True))
                channels = width
            stage.add_module("pool", nn.MaxPool2d(2, stride=2))
            self.features.add_module(f"stage{number}", stage)
        self.head: nn.Module = (
            GlobalPoolHead(channels, num_classes, Dropout(dropout))
            if head == "global_average"
            else FullyConnectedHead(channels, map_size, hidden, num_classes, dropout)
        )
        init_weights(self, weight_init)


def init_weights(network: nn.Module, kind: WeightInit) -> None:
    """Initialize convolutions and linear layers; biases are zero.

    "paper" is normal with *variance* 0.01 (section 3.1). Without batch norm it multiplies the signal in every layer, to
    logits of about 10^6 with 11 layers and 10^10 with 19, which no usual learning rate survives; the paper starts its
    deeper nets from the trained 11-layer one. "glorot", uniform, is what the authors later found to work from scratch
    (footnote to section 3.1). "he" is what libraries use.
    """
    if kind == "he":
        init_he(network)
        return
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            if kind == "paper":
                nn.init.normal_(module.weight, std=0.1)
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def vgg(
    depth: int,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    batch_norm: bool = False,
    weight_init: WeightInit = "paper",
    head: Head = "fully_connected",
    map_size: int = 7,
    hidden: int = 4096,
) -> VGG:
    """The network of Table 1 with ``depth`` learnable layers: 11, 13, 16 or 19."""
    return VGG(
        find_row(DEPTHS, depth, "a VGG's depth"),
        batch_norm=batch_norm,
        weight_init=weight_init,
        head=head,
        map_size=map_size,
        hidden=hidden,
        dropout=dropout,
        num_classes=num_classes,
        in_channels=in_channels,
    )
