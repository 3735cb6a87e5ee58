"""What the catalog says of a network: the paper's facts, its counts, and the options a caller may set."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lit_cnn.architectures.network import Network

Value = int | float | str | bool | tuple[int, ...]


@dataclass(frozen=True)
class NetworkOptions:
    """Options of the catalog's networks; what is left out keeps the builder's default.

    Args:
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last block.
        stem: "imagenet", or "small" for images of about 32 to 64 px; VGG has ``map_size`` for them.
        stride_in: Where a ResNet bottleneck strides: "3x3" (v1.5) or "1x1" (the paper's v1).
        shortcut: A ResNet's shortcut where the shape changes; zero_pad appends the zeros, zero_pad_both halves them.
        zero_init_last: Start the last norm of each residual at gain 0.
        widths: Channels of each stage of a CIFAR ResNet (16, 32 and 64 in the paper), CIFAR VGG (64, 256, 256) or NFNet
            (256, 512, 1536 and 1536; multiples of 256, or of 16 below 256).
        depths: Blocks of each stage of an NFNet, 1, 2, 6 and 3 in F0.
        width_multiplier: Multiplies the widths of a MobileNet, ResNet or EfficientNet, which are then rounded.
        depth_multiplier: Multiplies the blocks of their stages.
        depth_rounding: How these become whole numbers: up as in EfficientNet's released code, or nearest.
        head: What ends VGG and GoogLeNet: fully connected layers on the whole map, or its global average and one linear
            layer.
        inception: GoogLeNet's blocks with 1x1 reductions, or the paper's naive version without.
        padding: EfficientNet's padding: TensorFlow's "same", or symmetric as in torchvision.
        norm_eps: Batch norm's epsilon in the EfficientNets.
        norm_momentum: Batch norm's momentum in the EfficientNets, torch's convention.
        response_norm: Local response normalization of AlexNet, ZFNet and GoogLeNet.
        weight_init: VGG's initialization; without batch norm, glorot or he train from scratch.
        hidden: Width of the two hidden linear layers of AlexNet, ZFNet and VGG.
        map_size: Side of the map that VGG's head reads: 7, or 1 for 32 px images, which VGG takes without a small stem.
        aux_heads: Train GoogLeNet with its two auxiliary heads.
        aux_head: Train NASNet or AmoebaNet with their auxiliary head.
        excite_activation: Activation inside NFNet's squeeze-and-excitation.
        activation: MobileNetV1's: "relu" as its paper, or "relu6" as its released code; mbconv_chain's, which may be
            "silu", too.
        concat: Which part of ShuffleNet's concatenations comes first.
        shuffle: ShuffleNet's shuffle deals the channels of each group to all groups, or back from them.
        classifier_bias: Give ShuffleNet's classifier a bias, which its released code has not.
        count_padding: NASNet's average pools count the zeros around the map, as timm's net does.
        epsilon: How NFNet's weight standardization guards against a variance of 0.
        normal: Text of cell_network's cell that keeps the resolution, such as
            ``separable_3x3@0 + identity@1; max_pool_3x3@2 + separable_5x5@0``: blocks that add two operations on the
            states 0 (the last cell), 1 (the cell before), 2 (the first block), ...
        reduction: Text of cell_network's cell that halves the resolution.
        repeats: Normal cells per stack of cell_network.
        filters: Channels of a state in the first stack of cell_network.
        stages: Text of mbconv_chain's stages, such as ``fused e1 k3 s1 c24 n2; mbconv e6 k5 s2 c40 n3 se0.25``: e is
            the expansion, k the kernel, s the stride, c the channels, n the blocks, se the squeeze-and-excitation.
        stem_width: Channels of mbconv_chain's stem.
        final_width: Channels of mbconv_chain's last 1x1 convolution.
        blocks: Text of block_network's stages, such as ``plain c16 s1 n2; inception c32 s2 n3``, of plain, residual,
            bottleneck, inception and separable blocks.
    """

    dropout: float | None = None
    drop_path: float | None = None
    stem: Literal["imagenet", "small"] | None = None
    stride_in: Literal["3x3", "1x1"] | None = None
    shortcut: Literal["projection", "zero_pad", "zero_pad_both", "none"] | None = None
    zero_init_last: bool | None = None
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    width_multiplier: float | None = None
    depth_multiplier: float | None = None
    depth_rounding: Literal["up", "nearest"] | None = None
    head: Literal["fully_connected", "global_average"] | None = None
    inception: Literal["reduced", "naive"] | None = None
    padding: Literal["tensorflow", "symmetric"] | None = None
    norm_eps: float | None = None
    norm_momentum: float | None = None
    response_norm: Literal["paper", "caffe", "none"] | None = None
    weight_init: Literal["paper", "glorot", "he"] | None = None
    hidden: int | None = None
    map_size: int | None = None
    aux_heads: bool | None = None
    aux_head: bool | None = None
    excite_activation: Literal["relu", "gelu"] | None = None
    activation: Literal["relu", "relu6", "silu"] | None = None
    concat: Literal["pool_first", "residual_first"] | None = None
    shuffle: Literal["to_groups", "from_groups"] | None = None
    classifier_bias: bool | None = None
    count_padding: bool | None = None
    epsilon: Literal["floor", "added"] | None = None
    normal: str | None = None
    reduction: str | None = None
    repeats: int | None = None
    filters: int | None = None
    stages: str | None = None
    stem_width: int | None = None
    final_width: int | None = None
    blocks: str | None = None

    def chosen(self) -> dict[str, Any]:
        """The options that were set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Paper:
    """What a paper prints about a network.

    Args:
        title: Short title, as people call it.
        authors: First author et al.
        year: Year of the first publication.
        where: arXiv number or venue.
        params_millions: Parameters as printed.
        madds_millions: Multiply-adds as printed (halved where the paper counts two operations).
        top1: Top-1 accuracy in percent.
        top5: Top-5 accuracy in percent.
        protocol: On which images and how the accuracy was measured.
    """

    title: str
    authors: str
    year: int
    where: str
    params_millions: float | None = None
    madds_millions: float | None = None
    top1: float | None = None
    top5: float | None = None
    protocol: str = ""


@dataclass(frozen=True)
class Entry:
    """One row of the catalog.

    Args:
        name: What a recipe writes.
        build: Function of the options that returns the network.
        arguments: Arguments of ``build`` that make this variant.
        paper: The paper's facts.
        image_size: Height and width in px at which ``madds`` is counted.
        layers: Learnable layers on the longest path, as the paper counts depth.
        params: Trainable parameters with the published number of classes.
        madds: Multiply-adds per image.
        num_classes: Classes of the published network.
        deviations: Where the default leaves the paper, and why.
    """

    name: str
    build: Callable[..., Network]
    arguments: Mapping[str, Value]
    paper: Paper
    image_size: int
    layers: int
    params: int
    madds: int
    num_classes: int = 1000
    deviations: tuple[str, ...] = field(default=())

    @property
    def task(self) -> str:
        """What the published network classifies: "imagenet" or "cifar"."""
        return "imagenet" if self.num_classes == 1000 else "cifar"

    def options(self) -> list[str]:
        """Names of the keyword arguments that a caller may set."""
        return [name for name in inspect.signature(self.build).parameters if name not in self.arguments]

    def option_choices(self) -> dict[str, tuple[Any, ...]]:
        """The values of those that have a choice of a few."""
        hints = get_type_hints(self.build)
        return {name: get_args(hints[name]) for name in self.options() if get_origin(hints.get(name)) is Literal}

    def option_defaults(self) -> dict[str, Any]:
        """The same with their values for this network."""
        parameters = inspect.signature(self.build).parameters
        defaults = {name: parameters[name].default for name in self.options()}
        return {**defaults, "num_classes": self.num_classes} if "num_classes" in defaults else defaults

    def against_paper(self) -> dict[str, dict[str, float | None]]:
        """For "params" and "madds" the paper's millions, ours, and the difference in percent of the paper's.

        What the paper does not print is None.
        """
        rows = {}
        figures = (
            ("params", self.paper.params_millions, self.params),
            ("madds", self.paper.madds_millions, self.madds),
        )
        for key, printed, ours in figures:
            difference = None if printed is None else 100 * (ours / 1e6 - printed) / printed
            rows[key] = {"paper_millions": printed, "ours_millions": ours / 1e6, "difference_percent": difference}
        return rows
