"""Which networks of other libraries our networks equal, and with which options on each side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.pretrained.sources import Library, build_other


@dataclass(frozen=True)
class Reference:
    """One row of the matrix.

    Args:
        name: Our name in the catalog.
        library: Where the other implementation is.
        other: Its name there.
        options: Options of ours that switch the other's conventions on.
        other_options: Options of the other.
        image_size: Height and width in px at which the two are compared; small, to be fast.
        quick: Belongs to the short matrix, with at least one row per paper.
        gradient: Compared in training too. The largest NFNets are not: they do not fit into the memory of a desktop.
    """

    name: str
    library: Library
    other: str
    options: Mapping[str, Any] = field(default_factory=dict)
    other_options: Mapping[str, Any] = field(default_factory=dict)
    image_size: int = 64
    quick: bool = False
    gradient: bool = True

    @property
    def label(self) -> str:
        changed = (
            ""
            if self.published
            else " with " + ", ".join(f"{key}={value}" for key, value in self.other_options.items())
        )
        return f"{self.name}/{self.library}/{self.other}{changed}"

    @property
    def published(self) -> bool:
        """Whether the other network is built as its library publishes weights for it."""
        return set(self.other_options) <= {"aux_logits", "init_weights"}

    def build(self) -> tuple[nn.Module, nn.Module]:
        """Ours and the other's, with fresh weights and without any dropping in training."""
        ours = create_model(self.name, **self.options)
        theirs = build_other(self.library, self.other, self.other_options)
        for module in (*ours.modules(), *theirs.modules()):
            for rate in ("p", "rate", "drop_prob"):
                if isinstance(getattr(module, rate, None), float):
                    setattr(module, rate, 0.0)
        return ours, theirs


def _torchvision(name: str, other: str | None = None, *, quick: bool = False, **options: Any) -> Reference:
    return Reference(name, "torchvision", other or name, options, quick=quick)


def _timm(name: str, other: str, *, quick: bool = False, **options: Any) -> Reference:
    return Reference(name, "timm", other, options, quick=quick)


def _vgg(name: str) -> Reference:
    """timm's first linear layers are convolutions over the whole map, of 224 px alone."""
    return Reference(name, "timm", name, image_size=224, gradient=False)


def _nfnet(variant: int) -> Reference:
    name, options = f"nfnet_f{variant}", {"epsilon": "added"}
    return Reference(name, "timm", f"dm_{name}", options, quick=variant == 0, image_size=32, gradient=variant < 3)


REFERENCES: tuple[Reference, ...] = (
    Reference("alexnet_one_tower", "torchvision", "alexnet", image_size=96, quick=True),
    *(_torchvision(f"vgg{depth}", quick=depth == 11) for depth in (11, 13, 16, 19)),
    *(_torchvision(f"vgg{depth}_bn", quick=depth == 11) for depth in (11, 13, 16, 19)),
    *(_vgg(f"vgg{depth}{norm}") for norm in ("", "_bn") for depth in (11, 13, 16, 19)),
    Reference(
        "googlenet_bn",
        "torchvision",
        "googlenet",
        {"aux_heads": True},
        {"aux_logits": True, "init_weights": False},
        quick=True,
    ),
    *(_torchvision(f"resnet{depth}", quick=depth == 18) for depth in (18, 34, 50, 101, 152)),
    *(_timm(f"resnet{depth}", f"resnet{depth}") for depth in (18, 34, 50, 101, 152, 200)),
    _torchvision("resnext50_32x4d", quick=True),
    _torchvision("resnext101_32x8d"),
    _torchvision("resnext101_64x4d"),
    *(_timm(name, name) for name in ("resnext50_32x4d", "resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d")),
    Reference("resnext152_32x4d", "timm", "resnext101_32x4d", other_options={"layers": (3, 8, 36, 3)}),
    *(_timm(f"se_resnet{depth}", f"seresnet{depth}", stride_in="3x3") for depth in (50, 101, 152)),
    *(_timm(f"se_resnext{depth}_32x4d", f"seresnext{depth}_32x4d", quick=depth == 50) for depth in (50, 101)),
    Reference("se_resnext152_32x4d", "timm", "seresnext101_32x4d", other_options={"layers": (3, 8, 36, 3)}),
    _timm("mobilenet_v1", "mobilenetv1_100", activation="relu6"),
    Reference("mobilenet_v1", "timm", "mobilenetv1_100", other_options={"act_layer": "relu"}, quick=True),
    _torchvision("mobilenet_v2", quick=True),
    _timm("mobilenet_v2", "mobilenetv2_100"),
    _timm("mobilenet_v2_1.4", "mobilenetv2_140"),
    Reference("mobilenet_v2_1.4", "torchvision", "mobilenet_v2", other_options={"width_mult": 1.4}),
    Reference("nasnet_a_large", "timm", "nasnetalarge", {"count_padding": True}, image_size=97),
    *(
        _torchvision(f"efficientnet_b{size}", padding="symmetric", norm_eps=1e-5 if size < 5 else 1e-3)
        for size in range(8)
    ),
    *(_timm(f"efficientnet_b{size}", f"tf_efficientnet_b{size}", quick=size == 0) for size in range(8)),
    *(_timm(f"efficientnet_b{size}", f"efficientnet_b{size}", padding="symmetric", norm_eps=1e-5) for size in range(6)),
    *(_timm(f"efficientnet_lite{size}", f"tf_efficientnet_lite{size}", quick=size == 0) for size in range(5)),
    *(
        _timm(f"efficientnet_lite{size}", f"efficientnet_lite{size}", padding="symmetric", norm_eps=1e-5)
        for size in range(5)
    ),
    *(_nfnet(variant) for variant in range(7)),
    *(
        _timm(f"resnet_rs_{depth}", f"resnetrs{depth}", quick=depth == 50)
        for depth in (50, 101, 152, 200, 270, 350, 420)
    ),
    *(_torchvision(f"efficientnet_v2_{size}", padding="symmetric") for size in "sml"),
    *(
        _timm(f"efficientnet_v2_{size}", f"tf_efficientnetv2_{size}", quick=size == "b0")
        for size in ("b0", "b1", "b2", "b3", "s", "m", "l", "xl")
    ),
)
"""In the order of the lecture."""
