"""A feature pyramid on a network of the catalog (Lin et al. 2017, arXiv:1612.03144; P6 and P7 of RetinaNet,
arXiv:1708.02002).

    C3, C4, C5   the last map of the network at each of the strides 8, 16, 32
    P3, P4, P5   the same with ``width`` channels, each with what the coarser ones saw
    P6, P7       two more, of strides 64 and 128
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torchvision.ops.feature_pyramid_network import (
    ExtraFPNBlock,
    FeaturePyramidNetwork,
    LastLevelMaxPool,
    LastLevelP6P7,
)

from lit_cnn.architectures.meta import copy_on_meta, run_on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.detection.norms import Norm, make_norm

PROBED_SIDE = 512
"""Side in px at which strides are measured: a multiple of every stride of a pyramid, so that whole ones come out."""


@dataclass(frozen=True)
class PyramidSettings:
    """The maps that a detector's head reads.

    Args:
        width: Channels of every map.
        strides: Of the network's maps that are taken, in pixels of the canvas per pixel of the map.
        top: p6p7 adds two coarser maps for large objects, pool (Faster R-CNN's) one, every other pixel of the last;
            none adds no map.
        norm: After the pyramid's convolutions: none as in the paper, batch or group.
    """

    width: int = 256
    strides: tuple[int, ...] = (8, 16, 32)
    top: Literal["p6p7", "pool", "none"] = "p6p7"
    norm: Norm = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "strides", tuple(self.strides))
        if self.width < 1:
            raise ValueError(f"pyramid.width must be at least 1, got {self.width}")
        if not self.strides or list(self.strides) != sorted(set(self.strides)):
            raise ValueError(f"pyramid.strides must be increasing, such as [8, 16, 32], got {list(self.strides)}")
        for name, choices in (("top", ("p6p7", "pool", "none")), ("norm", get_args(Norm))):
            if getattr(self, name) not in choices:
                raise ValueError(f"pyramid.{name} must be {' or '.join(choices)}, got {getattr(self, name)!r}")

    @property
    def all_strides(self) -> tuple[int, ...]:
        """Strides of the pyramid's maps, those that ``top`` adds among them."""
        last = self.strides[-1]
        added = {"p6p7": (2 * last, 4 * last), "pool": (2 * last,), "none": ()}
        return (*self.strides, *added[self.top])


def _top(settings: PyramidSettings) -> ExtraFPNBlock | None:
    """What adds the maps of ``top``."""
    if settings.top == "p6p7":
        return LastLevelP6P7(settings.width, settings.width)
    return LastLevelMaxPool() if settings.top == "pool" else None


class Level(NamedTuple):
    """A map of the network that a pyramid takes."""

    number: int  # among those of ``Network.stages``
    channels: int


class BackboneMaps(nn.Module):
    """Images (N, C, H, W) -> maps (N, channels, h, w) of a network of the catalog, from fine to coarse."""

    backbone: Network
    """Without its heads; what is left of it keeps its names."""

    def forward(self, images: Tensor) -> list[Tensor]:
        raise NotImplementedError

    def grids(self, canvas: tuple[int, int]) -> list[tuple[int, int]]:
        """Height and width of each map for images of ``canvas`` (height, width), found without computing a pixel."""
        return [(x.shape[2], x.shape[3]) for x in self.probe(canvas)]

    def probe(self, canvas: tuple[int, int]) -> list[Tensor]:
        """The maps of an image of ``canvas`` (height, width) on the meta device."""
        probe = copy_on_meta(self).eval()
        return run_on_meta(probe, torch.empty(1, in_channels_of(self.backbone), *canvas, device="meta"))


class Pyramid(BackboneMaps):
    """Images (N, C, H, W) -> maps (N, width, H / stride, W / stride) from fine to coarse, one for each stride.

    Args:
        backbone: Loses its heads and what lies behind the last map taken; what is left keeps its names.
        architecture: Its name, for messages.
        settings: Which maps, and how wide.

    Raises:
        ValueError: If the network has no map of a stride.
    """

    def __init__(self, backbone: Network, architecture: str, settings: PyramidSettings) -> None:
        super().__init__()
        levels = find_levels(backbone, architecture, settings.strides)
        backbone.keep_stages(levels[-1].number + 1)
        self.backbone = backbone
        self.strides = settings.all_strides
        self.width = settings.width
        self._numbers = [level.number for level in levels]
        norm = settings.norm
        self.fpn = FeaturePyramidNetwork(
            [level.channels for level in levels],
            settings.width,
            extra_blocks=_top(settings),
            norm_layer=None if norm == "none" else lambda channels: make_norm(norm, channels, "pyramid"),
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = self.backbone.stages(images)
        taken = OrderedDict((str(number), maps[number]) for number in self._numbers)
        return list(self.fpn(taken).values())

    @property
    def own_maps(self) -> int:
        """How many of the maps, the first ones, stand on a map of the network: all but what ``top`` adds."""
        return len(self._numbers)


def find_levels(network: Network, architecture: str, strides: Sequence[int]) -> list[Level]:
    """The last map of ``network`` at each of ``strides``, without the final 1x1 convolution of mobile networks, which
    widens the map for the classifier only; found on the meta device, so that no pixel is computed.

    Raises:
        ValueError: If there is none at one of them.
    """
    shapes = _map_shapes(network)
    if ends_in_pointwise(network.features):
        del shapes[-1]
    found = [PROBED_SIDE / side for _, side in shapes]
    last = {stride: number for number, stride in enumerate(found)}
    for stride in strides:
        if stride not in last:
            stated = ", ".join(f"{value:.3g}" for value in dict.fromkeys(found))
            raise ValueError(
                f"{architecture} cannot carry a pyramid of strides {', '.join(map(str, strides))}, for its maps have "
                f"the strides {stated}: choose another model.architecture or other model.options"
            )
    return [Level(last[stride], shapes[last[stride]][0]) for stride in strides]


def _map_shapes(network: Network) -> list[tuple[int, int]]:
    """(channels, width in px) of each map of ``stages`` for an image of ``PROBED_SIDE``."""
    probe = copy_on_meta(network).eval()
    image = torch.empty(1, in_channels_of(network), PROBED_SIDE, PROBED_SIDE, device="meta")
    maps = run_on_meta(probe.stages, image)
    return [(x.shape[1], x.shape[-1]) for x in maps]


def in_channels_of(network: Network) -> int:
    """Channels of the images that a network of the catalog takes: those of its first convolution."""
    return next(parameter.shape[1] for parameter in network.features.parameters() if parameter.dim() == 4)


def ends_in_pointwise(features: nn.Sequential) -> bool:
    """Whether the last stage consists of 1x1 convolutions alone."""
    kernels = [module.kernel_size for module in features[-1].modules() if isinstance(module, nn.Conv2d)]
    return bool(kernels) and all(kernel == (1, 1) for kernel in kernels)
