"""VGG for short training on 32 px images: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024,
arXiv:2404.00498.

VGG's pairs of 3x3 convolutions on three scales, arranged for the fewest multiply-adds: a 2x2 stem that is meant to be
whitened (``model.initial.whitening``), pooling before the second convolution of each pair, one linear layer.

Input (N, in_channels, 32, 32):

    stem    2x2 convolution with bias, 2 * 4 * in_channels filters, no padding        24 x 31 x 31
    stage1  3x3, 64; 2x2 max pool; norm; 3x3, 64; norm                              64 x 15 x 15
    stage2  the same, 256                                                             256 x 7 x 7
    stage3  the same, 256                                                             256 x 3 x 3
    head    global max pool, linear without bias, logits divided by 9                num_classes

GELU follows the stem and every norm.
"""

from torch import Tensor, nn

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.network import Network

WIDTHS = (64, 256, 256)
LOGIT_SCALE = 1 / 9


class ScaledLogits(nn.Module):
    """Global max pool and a linear layer whose outputs are scaled: (N, C, H, W) -> (N, num_classes)."""

    def __init__(self, channels: int, num_classes: int, scale: float) -> None:
        super().__init__()
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(channels, num_classes, bias=False)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        features = self.flatten(self.pool(x))
        return features if isinstance(self.classifier, nn.Identity) else self.classifier(features) * self.scale


def stage(in_channels: int, width: int) -> nn.Sequential:
    """Two convolutions, the map halved after the first; the first filters start as the identity (section 3.2)."""
    layers = nn.Sequential()
    layers.add_module("conv1", Conv2d(in_channels, width, 3, padding=1, bias=False))
    layers.add_module("pool", nn.MaxPool2d(2))
    layers.add_module("norm1", nn.BatchNorm2d(width))
    layers.add_module("activation1", nn.GELU())
    layers.add_module("conv2", Conv2d(width, width, 3, padding=1, bias=False))
    layers.add_module("norm2", nn.BatchNorm2d(width))
    layers.add_module("activation2", nn.GELU())
    return layers


class CifarVGG(Network):
    """The paper's network.

    Args:
        widths: Channels of each stage.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    def __init__(self, *, widths: tuple[int, ...] = WIDTHS, num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__()
        self.smallest_input = 1 + 2 ** len(widths)
        channels = 2 * 4 * in_channels
        self.features = nn.Sequential()
        self.features.add_module("stem", nn.Sequential(Conv2d(in_channels, channels, 2), nn.GELU()))
        for number, width in enumerate(widths, start=1):
            self.features.add_module(f"stage{number}", stage(channels, width))
            channels = width
        self.head = ScaledLogits(channels, num_classes, LOGIT_SCALE)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
                nn.init.dirac_(module.weight[: module.in_channels].detach())


def cifar_vgg(*, num_classes: int = 10, in_channels: int = 3, widths: tuple[int, ...] = WIDTHS) -> CifarVGG:
    """The network with 8 learnable layers."""
    return CifarVGG(widths=widths, num_classes=num_classes, in_channels=in_channels)
