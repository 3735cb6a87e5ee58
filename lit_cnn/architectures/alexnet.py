"""AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012.

Five convolutions and three linear layers, trained on two GPUs with ReLU, dropout and augmentation, halve the error of
hand-made features. Each GPU holds half of the channels; only stage 3's first convolution and the head see both halves.

Two groups, input (N, in_channels, 227, 227): the paper says 224, but only 227 gives its 55 x 55 map without padding.

    stage1  11x11, 96, stride 4; response norm; 3x3 max pool, stride 2             96 x 27 x 27
    stage2  5x5, 256, 2 groups; response norm; max pool                           256 x 13 x 13
    stage3  3x3, 384; 3x3, 384, 2 groups; 3x3, 256, 2 groups; max pool            256 x 6 x 6
    head    linear 4096, dropout, linear 4096, dropout, linear                      num_classes

One tower (Krizhevsky, 2014, arXiv:1404.5997; torchvision's ``alexnet``): the same for 224 px with padding 2, widths 64,
192, 384, 256, 256, no groups and no response norm. ReLU follows every convolution and hidden layer.
"""

from collections import OrderedDict
from typing import NamedTuple

from torch import nn

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.layers.fully_connected import FullyConnectedHead
from lit_cnn.architectures.layers.local_response_norm import ResponseNormKind, make_response_norm
from lit_cnn.architectures.network import Network, Stem

DEVIATIONS = ("227 px, which the 55x55 map of the first convolution needs; the paper's text says 224",)
ONE_TOWER_DEVIATIONS = (
    "dropout after the hidden layers, as the paper has it; torchvision's is before them",
    "initialized as the net of 2012; torchvision uses PyTorch's defaults",
)

MAP_SIDE = 6
SMALL_MAP_SIDE = 3  # of a 32 px image behind the small stem; reading 6 x 6 would repeat every value four times


class Conv(NamedTuple):
    """One convolution of the table."""

    width: int
    kernel: int
    stride: int
    padding: int
    groups: int
    bias: float  # initial value


TWO_GROUPS = (
    Conv(96, 11, 4, 0, 1, 0.0),
    Conv(256, 5, 1, 2, 2, 1.0),
    Conv(384, 3, 1, 1, 1, 0.0),
    Conv(384, 3, 1, 1, 2, 1.0),
    Conv(256, 3, 1, 1, 2, 1.0),
)
ONE_TOWER = (
    Conv(64, 11, 4, 2, 1, 0.0),
    Conv(192, 5, 1, 2, 1, 1.0),
    Conv(384, 3, 1, 1, 1, 0.0),
    Conv(256, 3, 1, 1, 1, 1.0),
    Conv(256, 3, 1, 1, 1, 1.0),
)


class AlexNet(Network):
    """The paper's network.

    Args:
        convs: The five convolutions.
        response_norm: "paper", "caffe" or "none", after the first two convolutions.
        stem: "imagenet", or "small": a first convolution of 3x3 with stride 1 and a head that reads a 3x3 map, for
            images of about 32 to 64 px.
        hidden: Width of the two hidden linear layers.
        dropout: Rate after each of them.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(
        self,
        convs: tuple[Conv, ...] = TWO_GROUPS,
        *,
        response_norm: ResponseNormKind = "paper",
        stem: Stem = "imagenet",
        hidden: int = 4096,
        dropout: float = 0.5,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        side = SMALL_MAP_SIDE if stem == "small" else MAP_SIDE
        if stem == "small":
            convs = (convs[0]._replace(kernel=3, stride=1, padding=1), *convs[1:])
        layers: list[OrderedDict[str, nn.Module]] = [OrderedDict() for _ in range(3)]
        channels = in_channels
        for number, row in enumerate(convs, start=1):
            stage = layers[min(number, 3) - 1]
            stage[f"conv{number}"] = make_conv(channels, row)
            stage[f"activation{number}"] = nn.ReLU(inplace=True)
            if number <= 2 and response_norm != "none":
                stage["norm"] = make_response_norm(response_norm)
            channels = row.width
        for stage in layers:
            stage["pool"] = nn.MaxPool2d(3, stride=2)
        self.features = nn.Sequential(
            OrderedDict((f"stage{number}", nn.Sequential(stage)) for number, stage in enumerate(layers, start=1))
        )
        self.head = FullyConnectedHead(channels, side, hidden, num_classes, dropout)
        # Three pools need a 15 x 15 map after the first convolution.
        first = convs[0]
        self.smallest_input = 14 * first.stride + first.kernel - 2 * first.padding
        init_alexnet(self, convs)


def make_conv(in_channels: int, row: Conv) -> nn.Conv2d:
    return Conv2d(in_channels, row.width, row.kernel, row.stride, row.padding, groups=row.groups)


def init_alexnet(network: Network, convs: tuple[Conv, ...]) -> None:
    """Section 5: weights normal with standard deviation 0.01; biases 1 where the table says so and in the hidden linear
    layers, so that ReLUs start with positive inputs; other biases 0."""
    biases = iter([*(row.bias for row in convs), 1.0, 1.0, 0.0])
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.constant_(module.bias, next(biases))


def alexnet(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    response_norm: ResponseNormKind = "paper",
    stem: Stem = "imagenet",
    hidden: int = 4096,
) -> AlexNet:
    """The network of 2012 with two groups."""
    return AlexNet(
        TWO_GROUPS,
        response_norm=response_norm,
        stem=stem,
        hidden=hidden,
        dropout=dropout,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def alexnet_one_tower(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    response_norm: ResponseNormKind = "none",
    stem: Stem = "imagenet",
    hidden: int = 4096,
) -> AlexNet:
    """The network of 2014 without groups, initialized as that of 2012."""
    return AlexNet(
        ONE_TOWER,
        response_norm=response_norm,
        stem=stem,
        hidden=hidden,
        dropout=dropout,
        num_classes=num_classes,
        in_channels=in_channels,
    )
