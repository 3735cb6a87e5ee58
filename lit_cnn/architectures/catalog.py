"""The catalog: name -> builder and the paper's facts, in the order of the lecture.

``params`` and ``madds`` (multiply-adds of convolutions and linear layers at ``image_size``) are stored, so that listing
needs no network; tests recompute every one.
"""

import difflib
import fnmatch
import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from torch import nn

from lit_cnn.architectures.resnet import cifar_resnet, imagenet_resnet
from lit_cnn.architectures.resnet_rs import resnet_rs

Value = int | float | str | bool


@dataclass(frozen=True)
class NetworkOptions:
    """Options of the catalog's networks; what is left out keeps the builder's default.

    Args:
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate of the last block.
        stem: "imagenet", or "small" for images of about 32 to 64 px.
        stride_in: Where a ResNet bottleneck strides: "3x3" (v1.5) or "1x1" (the paper's v1).
        shortcut: A ResNet's shortcut where the shape changes.
        zero_init_last: Start the last norm of each residual at gain 0.
    """

    dropout: float | None = None
    drop_path: float | None = None
    stem: Literal["imagenet", "small"] | None = None
    stride_in: Literal["3x3", "1x1"] | None = None
    shortcut: Literal["projection", "zero_pad", "none"] | None = None
    zero_init_last: bool | None = None

    def chosen(self) -> dict[str, Value]:
        """The options that were set."""
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
    build: Callable[..., nn.Module]
    arguments: Mapping[str, Value]
    paper: Paper
    image_size: int
    layers: int
    params: int
    madds: int
    num_classes: int = 1000
    deviations: tuple[str, ...] = field(default=())

    def options(self) -> list[str]:
        """Names of the keyword arguments that a caller may set."""
        return [name for name in inspect.signature(self.build).parameters if name not in self.arguments]


def _resnet(top1: float | None, top5: float | None, madds: float | None, protocol: str) -> Paper:
    return Paper(
        "ResNet", "He et al.", 2015, "arXiv:1512.03385", madds_millions=madds, top1=top1, top5=top5, protocol=protocol
    )


def _cifar_resnet(params: float | None = None, top1: float | None = None) -> Paper:
    protocol = "CIFAR-10 test" if top1 else "not reported as a number"
    return Paper("ResNet", "He et al.", 2015, "arXiv:1512.03385", params_millions=params, top1=top1, protocol=protocol)


def _resnet_rs(params: float, madds: float, top1: float, image_size: int) -> Paper:
    return Paper(
        "ResNet-RS",
        "Bello et al.",
        2021,
        "arXiv:2103.07579",
        params_millions=params,
        madds_millions=madds,
        top1=top1,
        protocol=f"single crop {image_size}",
    )


_V15 = "strides in the 3x3 (v1.5) as libraries do; stride_in: 1x1 gives the paper's net with 6 % fewer multiply-adds"
_OPTION_B = "projection shortcuts (option B) as libraries have; shortcut: zero_pad gives the paper's option A"
_TEN_CROP = "ImageNet val, 10 crops"
_ONE_CROP = "ImageNet val, single crop 224, authors' released v1 net"

CATALOG: tuple[Entry, ...] = (
    Entry("plain18", imagenet_resnet, {"depth": 18, "shortcut": "none"}, _resnet(72.06, None, 1800, _TEN_CROP),
          224, 18, 11_515_688, 1_794_805_760),
    Entry("plain34", imagenet_resnet, {"depth": 34, "shortcut": "none"}, _resnet(71.46, 89.98, 3600, _TEN_CROP),
          224, 34, 21_623_848, 3_644_493_824),
    Entry("resnet18", imagenet_resnet, {"depth": 18}, _resnet(72.12, None, 1800, _TEN_CROP + ", option A"),
          224, 18, 11_689_512, 1_814_073_344, deviations=(_OPTION_B,)),
    Entry("resnet34", imagenet_resnet, {"depth": 34}, _resnet(75.48, 92.54, 3600, _TEN_CROP + ", option B"),
          224, 34, 21_797_672, 3_663_761_408),
    Entry("resnet50", imagenet_resnet, {"depth": 50}, _resnet(75.3, 92.2, 3800, _ONE_CROP),
          224, 50, 25_557_032, 4_089_184_256, deviations=(_V15,)),
    Entry("resnet101", imagenet_resnet, {"depth": 101}, _resnet(76.4, 92.9, 7600, _ONE_CROP),
          224, 101, 44_549_160, 7_801_405_440, deviations=(_V15,)),
    Entry("resnet152", imagenet_resnet, {"depth": 152}, _resnet(77.0, 93.3, 11300, _ONE_CROP),
          224, 152, 60_192_808, 11_513_626_624, deviations=(_V15,)),
    Entry("resnet200", imagenet_resnet, {"depth": 200},
          Paper("Identity Mappings", "He et al.", 2016, "arXiv:1603.05027", protocol="pre-activation"),
          224, 200, 64_673_832, 15_007_481_856,
          deviations=("post-activation, as timm's; the 2016 paper's ResNet-200 is pre-activation", _V15)),
    Entry("cifar_plain20", cifar_resnet, {"depth": 20, "shortcut": "none"}, _cifar_resnet(),
          32, 20, 269_722, 40_551_040, num_classes=10),
    Entry("cifar_plain32", cifar_resnet, {"depth": 32, "shortcut": "none"}, _cifar_resnet(),
          32, 32, 464_154, 68_862_592, num_classes=10),
    Entry("cifar_plain44", cifar_resnet, {"depth": 44, "shortcut": "none"}, _cifar_resnet(),
          32, 44, 658_586, 97_174_144, num_classes=10),
    Entry("cifar_plain56", cifar_resnet, {"depth": 56, "shortcut": "none"}, _cifar_resnet(),
          32, 56, 853_018, 125_485_696, num_classes=10),
    Entry("cifar_plain110", cifar_resnet, {"depth": 110, "shortcut": "none"}, _cifar_resnet(),
          32, 110, 1_727_962, 252_887_680, num_classes=10),
    Entry("cifar_plain1202", cifar_resnet, {"depth": 1202, "shortcut": "none"}, _cifar_resnet(),
          32, 1202, 19_421_274, 2_829_238_912, num_classes=10),
    Entry("cifar_resnet20", cifar_resnet, {"depth": 20}, _cifar_resnet(0.27, 91.25),
          32, 20, 269_722, 40_551_040, num_classes=10),
    Entry("cifar_resnet32", cifar_resnet, {"depth": 32}, _cifar_resnet(0.46, 92.49),
          32, 32, 464_154, 68_862_592, num_classes=10),
    Entry("cifar_resnet44", cifar_resnet, {"depth": 44}, _cifar_resnet(0.66, 92.83),
          32, 44, 658_586, 97_174_144, num_classes=10),
    Entry("cifar_resnet56", cifar_resnet, {"depth": 56}, _cifar_resnet(0.85, 93.03),
          32, 56, 853_018, 125_485_696, num_classes=10),
    Entry("cifar_resnet110", cifar_resnet, {"depth": 110}, _cifar_resnet(1.7, 93.57),
          32, 110, 1_727_962, 252_887_680, num_classes=10),
    Entry("cifar_resnet1202", cifar_resnet, {"depth": 1202}, _cifar_resnet(19.4, 92.07),
          32, 1202, 19_421_274, 2_829_238_912, num_classes=10),
    Entry("resnet_rs_50", resnet_rs, {"depth": 50}, _resnet_rs(36, 2300, 78.8, 160),
          160, 50, 35_691_912, 2_278_629_376),
    Entry("resnet_rs_101", resnet_rs, {"depth": 101}, _resnet_rs(64, 6000, 81.2, 192),
          192, 101, 63_618_696, 6_012_157_952),
    Entry("resnet_rs_152", resnet_rs, {"depth": 152}, _resnet_rs(87, 15500, 83.0, 256),
          256, 152, 86_621_576, 15_527_886_848),
    Entry("resnet_rs_200", resnet_rs, {"depth": 200}, _resnet_rs(93, 20000, 83.4, 256),
          256, 200, 93_209_992, 20_093_386_752),
    Entry("resnet_rs_270", resnet_rs, {"depth": 270}, _resnet_rs(130, 27000, 83.8, 256),
          256, 270, 129_861_448, 26_950_189_056),
    Entry("resnet_rs_350", resnet_rs, {"depth": 350}, _resnet_rs(164, 34500, 84.0, 256),
          256, 350, 163_956_168, 34_376_597_504),
    Entry("resnet_rs_420", resnet_rs, {"depth": 420}, _resnet_rs(192, 64000, 84.4, 320),
          320, 420, 191_891_656, 63_942_344_704),
)  # fmt: skip

_BY_NAME = {entry.name: entry for entry in CATALOG}


def list_models(pattern: str = "*") -> list[str]:
    """Names of the catalog that match a shell pattern, in the order of the lecture."""
    return [entry.name for entry in CATALOG if fnmatch.fnmatchcase(entry.name, pattern)]


def find_entry(name: str) -> Entry:
    """The row of ``name``.

    Raises:
        ValueError: If there is none; the message names the nearest.
    """
    if name not in _BY_NAME:
        near = difflib.get_close_matches(name, _BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`lit-cnn models` lists them."
        raise ValueError(f"there is no architecture {name!r} in the catalog; {hint}")
    return _BY_NAME[name]


def create_model(name: str, *, num_classes: int | None = None, in_channels: int = 3, **options: Value) -> nn.Module:
    """Build a network of the catalog with fresh weights.

    Args:
        name: A name that :func:`list_models` returns.
        num_classes: Outputs; the published number by default (1000, or 10 for the CIFAR nets).
        in_channels: Channels of the image.
        **options: Arguments of the builder, such as ``dropout`` and ``drop_path``; ``find_entry(name).options()`` lists
            them.

    Raises:
        ValueError: If the name or an option is unknown, naming the nearest.
    """
    entry = find_entry(name)
    known = entry.options()
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}."
            raise ValueError(f"{name} has no option {option!r}; {hint}")
    classes = entry.num_classes if num_classes is None else num_classes
    return entry.build(**entry.arguments, num_classes=classes, in_channels=in_channels, **options)
