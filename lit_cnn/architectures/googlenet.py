"""GoogLeNet: Szegedy et al., "Going Deeper with Convolutions", 2014, arXiv:1409.4842.

An inception block looks at its input with 1x1, 3x3 and 5x5 filters and a pool at once and concatenates what they see;
1x1 convolutions narrow the maps before the larger filters, so that 22 layers cost a ninth of AlexNet's parameters.

Table 1, input (N, in_channels, 224, 224); pools are 3x3 with stride 2 and round up:

    stem    7x7, 64, stride 2; pool; response norm; 1x1, 64; 3x3, 192; response norm; pool     192 x 28 x 28
    stage3  blocks a, b                                                                       480 x 28 x 28
    stage4  pool; blocks a to e                                                               832 x 14 x 14
    stage5  pool; blocks a, b                                                                1024 x 7 x 7
    head    global average pool, dropout, linear                                               num_classes

In training, two auxiliary classifiers on blocks 4a and 4d send gradient to the lower layers; the paper adds their
losses with weight 0.3. ReLU follows every convolution.

Two comparisons that the paper makes without printing the other net:

- ``inception="naive"`` builds the blocks of Figure 2(a): the 3x3 and 5x5 filters of the table read the whole input, and
  the pool's channels pass unprojected, so that the blocks widen from 416 to 4944 channels. 97,526,008 parameters and
  12.6 G multiply-adds, 14 and 8 times as many: the "computational blow up within a few stages" of section 4.
- ``head="fully_connected"`` gives the linear layer every position of the last 7 x 7 map instead of its average, which
  section 5 credits with 0.6 % top-1; the paper does not say which layers it had before, and Lin et al. (2013,
  arXiv:1312.4400, section 4.6), whose pooling it takes, compare with this one layer. 56,150,552 parameters.
"""

from collections import OrderedDict
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.conv import Conv2d, ConvNormAct
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.local_response_norm import ResponseNormKind, make_response_norm
from lit_cnn.architectures.network import GlobalPoolHead, Head, Network, Stem

PAPER = Paper("GoogLeNet", "Szegedy et al.", 2014, "arXiv:1409.4842")
DEVIATIONS = (
    "response norm's constants, rounding-up pools and initialization of BVLC Caffe's net; the paper has none",
    "auxiliary heads are off; aux_heads: true adds them in training (13,378,280 parameters)",
)
BATCH_NORM_DEVIATIONS = ("torchvision's net: batch norm, 3x3 where the paper has 5x5, 2x2 last pool; not in the paper",)

AuxPool = Literal["5x5", "adaptive"]
InceptionKind = Literal["reduced", "naive"]


class Widths(NamedTuple):
    """One inception row of Table 1."""

    point: int  # "#1x1"
    reduce3: int  # "#3x3 reduce"
    filter3: int  # "#3x3"
    reduce5: int  # "#5x5 reduce"
    filter5: int  # "#5x5"
    pool: int  # "pool proj"


BLOCKS = {
    "stage3": (Widths(64, 96, 128, 16, 32, 32), Widths(128, 128, 192, 32, 96, 64)),
    "stage4": (
        Widths(192, 96, 208, 16, 48, 64),
        Widths(160, 112, 224, 24, 64, 64),
        Widths(128, 128, 256, 24, 64, 64),
        Widths(112, 144, 288, 32, 64, 64),
        Widths(256, 160, 320, 32, 128, 128),
    ),
    "stage5": (Widths(256, 160, 320, 32, 128, 128), Widths(384, 192, 384, 48, 128, 128)),
}
AUX_BLOCKS = ("a", "d")
"""Blocks of stage 4 on which the auxiliary heads are."""
MAP_SIDE = 7
SMALL_MAP_SIDE = 8  # of a 32 px image behind the small stem


class GoogLeNetOutput(NamedTuple):
    """What training returns with auxiliary heads: three times (N, num_classes) logits."""

    logits: Tensor
    aux1: Tensor
    aux2: Tensor


def make_conv(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, batch_norm: bool = False
) -> nn.Sequential:
    """Convolution with bias (or batch norm in its place) and ReLU."""
    if batch_norm:
        activation = nn.ReLU(inplace=True)
        return ConvNormAct(in_channels, out_channels, kernel, stride=stride, activation=activation, eps=1e-3)
    conv = Conv2d(in_channels, out_channels, kernel, stride, kernel // 2)
    return nn.Sequential(OrderedDict(conv=conv, activation=nn.ReLU(inplace=True)))


class Inception(nn.Module):
    """Figure 2(b): four branches side by side, concatenated: (N, C, H, W) -> (N, out_channels, H, W)."""

    def __init__(self, in_channels: int, widths: Widths, *, branch_kernel: int, batch_norm: bool) -> None:
        super().__init__()
        self.point = make_conv(in_channels, widths.point, 1, batch_norm=batch_norm)
        self.filter3 = nn.Sequential(
            make_conv(in_channels, widths.reduce3, 1, batch_norm=batch_norm),
            make_conv(widths.reduce3, widths.filter3, 3, batch_norm=batch_norm),
        )
        self.filter5 = nn.Sequential(
            make_conv(in_channels, widths.reduce5, 1, batch_norm=batch_norm),
            make_conv(widths.reduce5, widths.filter5, branch_kernel, batch_norm=batch_norm),
        )
        self.pool = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), make_conv(in_channels, widths.pool, 1, batch_norm=batch_norm)
        )
        self.out_channels = widths.point + widths.filter3 + widths.filter5 + widths.pool

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.point(x), self.filter3(x), self.filter5(x), self.pool(x)], 1)


class NaiveInception(nn.Module):
    """Figure 2(a), without 1x1 reductions: (N, C, H, W) -> (N, out_channels, H, W), the input's C channels among them.

    ``reduce3``, ``reduce5`` and ``pool`` of ``widths`` are not used.
    """

    def __init__(self, in_channels: int, widths: Widths, *, branch_kernel: int, batch_norm: bool) -> None:
        super().__init__()
        self.point = make_conv(in_channels, widths.point, 1, batch_norm=batch_norm)
        self.filter3 = make_conv(in_channels, widths.filter3, 3, batch_norm=batch_norm)
        self.filter5 = make_conv(in_channels, widths.filter5, branch_kernel, batch_norm=batch_norm)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.out_channels = widths.point + widths.filter3 + widths.filter5 + in_channels

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.point(x), self.filter3(x), self.filter5(x), self.pool(x)], 1)


class WholeMapHead(nn.Sequential):
    """Dropout and one linear layer that reads every position of the map: (N, C, H, W) -> (N, num_classes).

    A map of another side than ``side`` is averaged (or repeated) to it first.
    """

    def __init__(self, channels: int, side: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(side)
        self.flatten = nn.Flatten()
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(channels * side**2, num_classes)


class AuxiliaryHead(nn.Sequential):
    """Pool to 4 x 4, 1x1 to 128, linear 1024, dropout, linear: (N, C, H, W) -> (N, num_classes)."""

    def __init__(self, channels: int, num_classes: int, *, pool: AuxPool, dropout: float, batch_norm: bool) -> None:
        super().__init__()
        if pool == "5x5":
            self.average = nn.AvgPool2d(5, stride=3)
        self.pool = nn.AdaptiveAvgPool2d(4)  # changes nothing after a 5x5 pool of the paper's 14 x 14 map
        self.project = make_conv(channels, 128, 1, batch_norm=batch_norm)
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(128 * 4 * 4, 1024)
        self.activation = nn.ReLU(inplace=True)
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(1024, num_classes)


class GoogLeNet(Network):
    """The paper's network; torchvision's with ``batch_norm=True, branch_kernel=3, last_pool=2, aux_pool="adaptive"``.

    Args:
        inception: "reduced" (Figure 2b) or "naive" (Figure 2a) blocks.
        head: "global_average", or "fully_connected": a linear layer on the whole map.
        aux_heads: Train the two auxiliary classifiers; the network then returns ``GoogLeNetOutput`` in training.
        batch_norm: Batch norm in every convolution, in the place of its bias and of the response norms.
        branch_kernel: Kernel of the widest branch: 5, or 3 as in torchvision.
        last_pool: Kernel of the pool before stage 5: 3, or 2 as in torchvision.
        aux_pool: An auxiliary head's pool: "5x5" with stride 3, or "adaptive" as in torchvision.
        response_norm: "caffe" (of the public Caffe net; the paper names no constants), "paper" (AlexNet's) or "none".
        stem: "imagenet", or "small": a 3x3 first convolution and no stride or pool, for images of about 32 to 64 px.
        dropout: Rate before the classifier.
        aux_dropout: Rate before the auxiliary classifiers.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    auxiliary_heads = ("aux1", "aux2")

    def __init__(
        self,
        *,
        inception: InceptionKind = "reduced",
        head: Head = "global_average",
        aux_heads: bool = False,
        batch_norm: bool = False,
        branch_kernel: Literal[5, 3] = 5,
        last_pool: Literal[3, 2] = 3,
        aux_pool: AuxPool = "5x5",
        response_norm: ResponseNormKind = "caffe",
        stem: Stem = "imagenet",
        dropout: float = 0.4,
        aux_dropout: float = 0.7,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        norm: ResponseNormKind = "none" if batch_norm else response_norm
        self.features = nn.Sequential(OrderedDict(stem=make_stem(in_channels, stem, norm, batch_norm)))
        make_block = NaiveInception if inception == "naive" else Inception
        channels, block_channels = 192, {}
        for name, rows in BLOCKS.items():
            stage = nn.Sequential()
            if name != "stage3":
                stage.add_module("pool", make_pool(last_pool if name == "stage5" else 3))
            for letter, row in zip("abcde", rows, strict=False):
                block = make_block(channels, row, branch_kernel=branch_kernel, batch_norm=batch_norm)
                stage.add_module(letter, block)
                block_channels[name, letter] = channels = block.out_channels
            self.features.add_module(name, stage)
        self.head = make_head(head, channels, SMALL_MAP_SIDE if stem == "small" else MAP_SIDE, num_classes, dropout)
        widths = [block_channels["stage4", letter] for letter in AUX_BLOCKS]
        self.aux1, self.aux2 = (
            AuxiliaryHead(width, num_classes, pool=aux_pool, dropout=aux_dropout, batch_norm=batch_norm)
            if aux_heads
            else None
            for width in widths
        )
        stage4_side = 5 if aux_heads and aux_pool == "5x5" else last_pool - 1
        self.smallest_input = 2 * stage4_side if stem == "small" else 16 * stage4_side - 1
        init_googlenet(self)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutput:  # type: ignore[override]
        if self.aux1 is None or self.aux2 is None or not self.training:
            return super().forward(x)
        self.check_input(x)
        stage4 = self.features.get_submodule("stage4")
        x = self.features.get_submodule("stage3")(self.features.get_submodule("stem")(x))
        maps = {}
        for name, layer in stage4.named_children():
            x = maps[name] = layer(x)
        logits = self.head(self.features.get_submodule("stage5")(x))
        first, second = AUX_BLOCKS
        return GoogLeNetOutput(logits, self.aux1(maps[first]), self.aux2(maps[second]))


def make_head(kind: Head, channels: int, side: int, num_classes: int, dropout: float) -> nn.Sequential:
    if kind == "fully_connected":
        return WholeMapHead(channels, side, num_classes, dropout)
    return GlobalPoolHead(channels, num_classes, Dropout(dropout))


def make_pool(kernel: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


def make_stem(in_channels: int, kind: Stem, response_norm: ResponseNormKind, batch_norm: bool) -> nn.Sequential:
    large = kind == "imagenet"
    layers = OrderedDict[str, nn.Module]()
    layers["conv1"] = make_conv(in_channels, 64, 7 if large else 3, stride=2 if large else 1, batch_norm=batch_norm)
    layers["pool1"] = make_pool(3) if large else nn.Identity()
    layers["norm1"] = make_response_norm(response_norm)
    layers["conv2"] = make_conv(64, 64, 1, batch_norm=batch_norm)
    layers["conv3"] = make_conv(64, 192, 3, batch_norm=batch_norm)
    layers["norm2"] = make_response_norm(response_norm)
    layers["pool2"] = make_pool(3) if large else nn.Identity()
    return nn.Sequential(layers)


def init_googlenet(network: nn.Module) -> None:
    """As the public Caffe net, since the paper is silent: weights uniform within √(3 / fan-in), biases 0.2, those of
    classifiers 0; norms identity."""
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            bound = (3 / module.weight[0].numel()) ** 0.5
            nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0.0 if name.endswith("classifier") else 0.2)


def googlenet(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.4,
    aux_heads: bool = False,
    aux_dropout: float = 0.7,
    aux_pool: AuxPool = "5x5",
    batch_norm: bool = False,
    branch_kernel: Literal[5, 3] = 5,
    last_pool: Literal[3, 2] = 3,
    response_norm: ResponseNormKind = "caffe",
    stem: Stem = "imagenet",
    inception: InceptionKind = "reduced",
    head: Head = "global_average",
) -> GoogLeNet:
    """The network of Table 1; the defaults are the paper's."""
    return GoogLeNet(
        inception=inception,
        head=head,
        aux_heads=aux_heads,
        batch_norm=batch_norm,
        branch_kernel=branch_kernel,
        last_pool=last_pool,
        aux_pool=aux_pool,
        response_norm=response_norm,
        stem=stem,
        dropout=dropout,
        aux_dropout=aux_dropout,
        num_classes=num_classes,
        in_channels=in_channels,
    )
