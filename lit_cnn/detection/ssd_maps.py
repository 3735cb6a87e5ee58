"""SSD's maps (Liu et al. 2016, arXiv:1512.02325, figure 2): some of the network, and a chain of ever coarser ones.

At 300 x 300 pixels six maps of 38, 19, 10, 5, 3 and 1 positions a side:

    VGG        conv4_3 by its L2 norm; conv5_3, a 3x3 pool of stride 1, the dilated fc6, fc7; four more
    others     the last map at each of the pyramid's strides (8, 16, 32); three more
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.network import Network
from lit_cnn.architectures.vgg import VGG
from lit_cnn.detection.pyramid import BackboneMaps, find_levels

NORM_SCALE = 20.0
"""Length to which conv4_3's features are scaled at first (Liu et al. 2015, arXiv:1506.04579)."""
CONVOLUTIONAL_WIDTH = 1024
"""Channels of fc6 and fc7."""
WIDTHS = (512, 256)
"""Channels of the first map of the paper's chain, the third in all, and of those behind it."""
UNPADDED_FROM = 5
"""Positions a side from which a 3x3 convolution makes the next map smaller without a stride: 5, 3, 1."""


class SSDMaps(BackboneMaps):
    """The network's own maps, and a chain of coarser ones behind the last of them."""

    channels: list[int]
    """Of each map."""

    def own(self, images: Tensor) -> list[Tensor]:
        """The network's maps of (N, C, H, W)."""
        raise NotImplementedError

    def add_chain(self, architecture: str, number: int, canvas: tuple[int, int]) -> None:
        """Make the chain.

        Args:
            architecture: Name of the network, for messages.
            number: Of maps in all.
            canvas: Height and width of the images in px, on which it depends how the coarsest maps are made.

        Raises:
            ValueError: If the network has more maps than ``number``.
        """
        self.chain = nn.ModuleList()
        shapes = [x.shape for x in self.probe(canvas)]
        if len(shapes) > number:
            raise ValueError(
                f"ssd.aspect_ratios must have a list for each map, at least {len(shapes)} for {architecture}, "
                f"got {number}"
            )
        self.channels, side = [shape[1] for shape in shapes], min(shapes[-1][2:])
        for level in range(len(shapes), number):
            width = WIDTHS[0] if level <= 2 else WIDTHS[1]
            block, side = next_map(self.channels[-1], width, side)
            self.chain.append(block)
            self.channels.append(width)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = self.own(images)
        for block in self.chain:
            maps.append(block(maps[-1]))
        return maps


class VGGMaps(SSDMaps):
    """SSD's maps on VGG, whose two fully connected layers are convolutions.

    Args:
        backbone: Changed: stage 3's pool rounds up, stage 5's keeps the size, the head is dropped.
        architecture: Its name, for messages.
        number: Of maps in all.
        canvas: Height and width of the images in px.
    """

    def __init__(self, backbone: VGG, architecture: str, number: int, canvas: tuple[int, int]) -> None:
        super().__init__()
        backbone.keep_stages(5)
        stages = dict(backbone.features.named_children())
        stages["stage3"].pool.ceil_mode = True  # type: ignore[union-attr]
        stages["stage5"].pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.backbone = backbone
        fine, coarse = (last_width(stages[name]) for name in ("stage4", "stage5"))
        self.norm_scale = nn.Parameter(torch.full((fine,), NORM_SCALE))
        self.fc6 = Conv2d(coarse, CONVOLUTIONAL_WIDTH, 3, padding=6, dilation=6)
        self.fc7 = Conv2d(CONVOLUTIONAL_WIDTH, CONVOLUTIONAL_WIDTH, 1)
        for conv in (self.fc6, self.fc7):
            init_conv(conv)
        self.add_chain(architecture, number, canvas)

    def own(self, images: Tensor) -> list[Tensor]:
        x, maps = images, []
        for name, stage in self.backbone.features.named_children():
            for part, layer in stage.named_children():
                if (name, part) == ("stage4", "pool"):
                    maps.append(self.norm_scale.view(-1, 1, 1) * F.normalize(x.float()).to(x.dtype))
                x = layer(x)
        return [*maps, F.relu(self.fc7(F.relu(self.fc6(x))))]


class StageMaps(SSDMaps):
    """SSD's maps on other networks: the last one at each stride.

    Args:
        backbone: Loses its heads and what lies behind the last map taken.
        architecture: Its name, for messages.
        strides: In px.
        number: Of maps in all.
        canvas: Height and width of the images in px.

    Raises:
        ValueError: If the network has no map of a stride, or more maps than ``number``.
    """

    def __init__(
        self, backbone: Network, architecture: str, strides: Sequence[int], number: int, canvas: tuple[int, int]
    ) -> None:
        super().__init__()
        levels = find_levels(backbone, architecture, strides)
        backbone.keep_stages(levels[-1].number + 1)
        self.backbone = backbone
        self._numbers = [level.number for level in levels]
        self.add_chain(architecture, number, canvas)

    def own(self, images: Tensor) -> list[Tensor]:
        maps = self.backbone.stages(images)
        return [maps[number] for number in self._numbers]


def ssd_maps(
    backbone: Network, architecture: str, strides: Sequence[int], number: int, canvas: tuple[int, int]
) -> SSDMaps:
    """The maps on ``backbone``; ``strides`` are not for VGG, whose maps are the paper's.

    Raises:
        ValueError: If the network has no map of a stride, or more maps than ``number``.
    """
    if isinstance(backbone, VGG):
        return VGGMaps(backbone, architecture, number, canvas)
    return StageMaps(backbone, architecture, strides, number, canvas)


def last_width(stage: nn.Module) -> int:
    """Channels that the stage's last convolution gives."""
    return [layer.out_channels for layer in stage.children() if isinstance(layer, nn.Conv2d)][-1]


def next_map(channels: int, width: int, side: int) -> tuple[nn.Module, int]:
    """Two convolutions that make a coarser map of ``width`` channels, and its shorter side.

    Args:
        channels: Of the map before.
        width: Of the new map; the 1x1 convolution before it has half as many.
        side: The shorter one of the map before.
    """
    shrink = 3 <= side <= UNPADDED_FROM
    second = Conv2d(width // 2, width, 3, stride=1 if shrink else 2, padding=0 if shrink else 1)
    block = nn.Sequential(Conv2d(channels, width // 2, 1), nn.ReLU(), second, nn.ReLU())
    for conv in (block[0], block[2]):
        init_conv(conv)
    return block, side - 2 if shrink else -(-side // 2)


def init_conv(conv: nn.Module) -> None:
    """As the paper: Glorot's uniform weights, no bias."""
    assert isinstance(conv, nn.Conv2d)
    nn.init.xavier_uniform_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
