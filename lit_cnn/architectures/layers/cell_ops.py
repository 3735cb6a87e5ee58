"""The operations that searched cells choose from (NASNet, arXiv:1707.07012; AmoebaNet, arXiv:1802.01548).

Every operation maps (N, in_channels, H, W) to (N, out_channels, ceil(H / stride), ceil(W / stride)). The papers put
ReLU before each convolution. A cell rectifies a state once for all convolutions that read it, so the convolutions here
expect a rectified map (:func:`reads_rectified`) and begin with their weights; pools and identities read the state.
"""

from collections import OrderedDict
from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.layers.padding import Pair, SameConv2d, same_padding

Operation = Literal[
    "identity",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "separable_3x3",
    "separable_5x5",
    "separable_7x7",
    "dilated_separable_3x3",
    "conv_1x1",
    "conv_3x3",
    "dilated_3x3",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
]
"""All but ``dilated_separable_3x3`` are NASNet's thirteen; AmoebaNet searches eight, that one among them."""

OPERATIONS: tuple[Operation, ...] = get_args(Operation)


class OpSettings(NamedTuple):
    """Constants that all operations of a network share.

    Args:
        eps: Batch norm's epsilon.
        momentum: Share of the new batch in batch norm's running statistics (1 - TensorFlow's decay).
        count_padding: Strided average pools also average the zeros around the map, as timm's do; TensorFlow's do not.
    """

    eps: float = 1e-3
    momentum: float = 3e-4
    count_padding: bool = False


class Kernels(NamedTuple):
    """What stands between the two 1x1 convolutions of a bottlenecked operation."""

    width: float  # channels between the 1x1 convolutions / output channels
    sizes: tuple[Pair, ...]
    dilation: int = 1


POOLS: dict[str, tuple[Literal["avg", "max"], int]] = {
    "avg_pool_3x3": ("avg", 3),
    "max_pool_3x3": ("max", 3),
    "max_pool_5x5": ("max", 5),
    "max_pool_7x7": ("max", 7),
}
SEPARABLES: dict[str, Pair] = {  # kernel, dilation
    "separable_3x3": (3, 1),
    "separable_5x5": (5, 1),
    "separable_7x7": (7, 1),
    "dilated_separable_3x3": (3, 2),
}
BOTTLENECKS: dict[str, Kernels] = {
    "conv_3x3": Kernels(1 / 4, ((3, 3),)),
    "dilated_3x3": Kernels(1 / 4, ((3, 3),), dilation=2),
    "conv_1x3_3x1": Kernels(3 / 8, ((1, 3), (3, 1))),
    "conv_1x7_7x1": Kernels(1 / 4, ((1, 7), (7, 1))),
}


def make_norm(channels: int, settings: OpSettings) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=settings.eps, momentum=settings.momentum)


def conv_norm(in_channels: int, out_channels: int, settings: OpSettings, stride: int = 1) -> nn.Sequential:
    """1x1 convolution and batch norm; the ReLU before it is the reader's."""
    conv = Conv2d(in_channels, out_channels, 1, stride, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=make_norm(out_channels, settings)))


class Pool(nn.Module):
    """Pooling over the pixels inside the map; 1x1 convolution and batch norm follow if the channels change."""

    def __init__(
        self,
        kind: Literal["avg", "max"],
        kernel: int,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        settings: OpSettings,
    ) -> None:
        super().__init__()
        self.kind, self.kernel, self.stride = kind, kernel, stride
        self.divisor = kernel**2 if settings.count_padding and stride > 1 else None
        same = in_channels == out_channels
        self.project = nn.Identity() if same else conv_norm(in_channels, out_channels, settings)

    def forward(self, x: Tensor) -> Tensor:
        # With ceil_mode the last window may reach past the map, which is the unequal half of "SAME" padding.
        padding = tuple(same_padding(size, self.kernel, self.stride)[0] for size in x.shape[2:])
        if self.kind == "max":
            pooled = F.max_pool2d(x, self.kernel, self.stride, padding, ceil_mode=True)
        else:
            pooled = F.avg_pool2d(x, self.kernel, self.stride, padding, True, False, self.divisor)
        return self.project(pooled)

    def extra_repr(self) -> str:
        return f"{self.kind}, kernel={self.kernel}, stride={self.stride}"


class FactorizedReduction(nn.Module):
    """Halve a map without losing the pixels that a strided 1x1 skips: half of the channels read the even pixels, half
    the odd (zero beyond the edge). (N, C, H, W) -> (N, out_channels, ceil(H / 2), ceil(W / 2))."""

    def __init__(self, in_channels: int, out_channels: int, settings: OpSettings) -> None:
        super().__init__()
        self.even = Conv2d(in_channels, out_channels // 2, 1, bias=False)
        self.odd = Conv2d(in_channels, out_channels - out_channels // 2, 1, bias=False)
        self.norm = make_norm(out_channels, settings)

    def forward(self, x: Tensor) -> Tensor:
        odd = F.pad(x[:, :, 1::2, 1::2], (0, x.shape[3] % 2, 0, x.shape[2] % 2))
        return self.norm(torch.cat([self.even(x[:, :, ::2, ::2]), self.odd(odd)], 1))


def separable(
    in_channels: int, out_channels: int, kernel: int, *, stride: int, dilation: int, settings: OpSettings
) -> nn.Sequential:
    """Depthwise, pointwise, batch norm; ReLU; the same again with stride 1. Nothing stands between depthwise and
    pointwise."""
    layers = OrderedDict[str, nn.Module]()
    for number, (channels, step) in enumerate(((in_channels, stride), (out_channels, 1)), start=1):
        if number == 2:
            layers["activation"] = nn.ReLU(inplace=True)
        layers[f"depthwise{number}"] = SameConv2d(
            channels, channels, kernel, stride=step, dilation=dilation, groups=channels
        )
        layers[f"pointwise{number}"] = Conv2d(channels, out_channels, 1, bias=False)
        layers[f"norm{number}"] = make_norm(out_channels, settings)
    return nn.Sequential(layers)


def bottleneck(
    in_channels: int, out_channels: int, kernels: Kernels, *, stride: int, settings: OpSettings
) -> nn.Sequential:
    """1x1 down, the kernels, 1x1 up; batch norm after each, ReLU between them. An axis is strided by the kernel that
    extends along it."""
    hidden = max(1, int(out_channels * kernels.width))
    layers = OrderedDict[str, nn.Module](reduce=conv_norm(in_channels, hidden, settings))
    for height, width in kernels.sizes:
        steps = stride if height > 1 else 1, stride if width > 1 else 1
        conv = SameConv2d(hidden, hidden, (height, width), stride=steps, dilation=kernels.dilation)
        layers[f"activation{height}x{width}"] = nn.ReLU(inplace=True)
        layers[f"filter{height}x{width}"] = nn.Sequential(OrderedDict(conv=conv, norm=make_norm(hidden, settings)))
    layers["activation"] = nn.ReLU(inplace=True)
    layers["expand"] = conv_norm(hidden, out_channels, settings)
    return nn.Sequential(layers)


def make_operation(
    name: Operation, in_channels: int, out_channels: int, *, stride: int, settings: OpSettings
) -> nn.Module:
    """The operation ``name``; an identity that must change the shape is a strided 1x1 convolution."""
    if name in POOLS:
        kind, kernel = POOLS[name]
        return Pool(kind, kernel, in_channels, out_channels, stride=stride, settings=settings)
    if name in SEPARABLES:
        kernel, dilation = SEPARABLES[name]
        return separable(in_channels, out_channels, kernel, stride=stride, dilation=dilation, settings=settings)
    if name in BOTTLENECKS:
        return bottleneck(in_channels, out_channels, BOTTLENECKS[name], stride=stride, settings=settings)
    if name == "identity" and stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return conv_norm(in_channels, out_channels, settings, stride)


def reads_rectified(operation: nn.Module) -> bool:
    """Whether ``operation`` expects its input after ReLU."""
    return not isinstance(operation, (Pool, nn.Identity))


class AuxiliarySpec(NamedTuple):
    """Widths of an auxiliary head and the side of the kernel that reads the whole pooled map."""

    project: int
    hidden: int
    kernel: int


class CellAuxiliaryHead(nn.Module):
    """A classifier on the second stack's map, for training only: (N, C, H, W) rectified -> (N, num_classes) logits.

    5x5 average pool of stride 3, 1x1 convolution, a convolution over the whole pooled map, linear. At image sizes other
    than the paper's the pooled map is averaged to the kernel's size.
    """

    def __init__(self, in_channels: int, spec: AuxiliarySpec, num_classes: int, settings: OpSettings) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(5, stride=3)
        self.resize = nn.AdaptiveAvgPool2d(spec.kernel)
        self.project = conv_norm(in_channels, spec.project, settings)
        self.reduce = Conv2d(spec.project, spec.hidden, spec.kernel, bias=False)
        self.norm = make_norm(spec.hidden, settings)
        self.classifier = nn.Linear(spec.hidden, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Raises ValueError if the map is below 5x5."""
        if min(x.shape[-2:]) < 5:
            height, width = x.shape[-2:]
            raise ValueError(
                f"the auxiliary head needs a map of at least 5x5, got {height}x{width}: use larger images or set "
                "aux_head to false"
            )
        x = F.relu_(self.project(self.resize(self.pool(x))))
        return self.classifier(F.relu_(self.norm(self.reduce(x))).flatten(1))
