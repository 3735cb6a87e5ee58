"""EfficientNet-Lite: Liu, "Higher accuracy on vision models with EfficientNet-Lite", 2020 (tensorflow/tpu, README).

EfficientNet for phones and integer arithmetic: squeeze-and-excitation, which few of their chips support, is left out,
and SiLU becomes ReLU6, whose bounded range quantizes well. Stem and last convolution keep B0's widths, first and last
row their depth.

Lite0, input (N, in_channels, 224, 224); ``features`` returns (N, 1280, H / 32, W / 32):

    stem    3x3, 32, stride 2                                 32 x 112 x 112
    stage2  1 MBConv1, 3x3                                    16 x 112 x 112
    stage3  2 MBConv6, 3x3, stride 2                          24 x 56 x 56
    stage4  2 MBConv6, 5x5, stride 2                          40 x 28 x 28
    stage5  3 MBConv6, 3x3, stride 2                          80 x 14 x 14
    stage6  3 MBConv6, 5x5                                   112 x 14 x 14
    stage7  4 MBConv6, 5x5, stride 2                         192 x 7 x 7
    stage8  1 MBConv6, 3x3                                   320 x 7 x 7
    stage9  1x1, 1280                                       1280 x 7 x 7
    head    global average pool, dropout, linear              num_classes
"""

from typing import Literal

from lit_cnn.architectures.efficientnet import FINAL_WIDTH, STAGES, STEM_WIDTH, EfficientNet
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.architectures.layers.padding import Padding
from lit_cnn.architectures.network import Stem, find_row
from lit_cnn.architectures.scaling import scale_stages

PAPER = Paper("EfficientNet-Lite", "Liu", 2020, "tensorflow/tpu, README of EfficientNet-Lite")

Variant = Literal["lite0", "lite1", "lite2", "lite3", "lite4"]

SCALES: dict[Variant, tuple[float, float, float]] = {
    "lite0": (1.0, 1.0, 0.2),
    "lite1": (1.0, 1.1, 0.2),
    "lite2": (1.1, 1.2, 0.3),
    "lite3": (1.2, 1.4, 0.3),
    "lite4": (1.4, 1.8, 0.3),
}
"""Width and depth multiplier and dropout rate (released code)."""


def lite_stages(width: float, depth: float) -> tuple[Stage, ...]:
    """EfficientNet's rows without squeeze-and-excitation, scaled in width, and in depth except the first and last."""
    rows = tuple(row._replace(squeeze=0.0) for row in STAGES)
    first, last = scale_stages((rows[0], rows[-1]), width, 1.0)
    return first, *scale_stages(rows[1:-1], width, depth), last


def efficientnet_lite(
    variant: Variant,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float | None = None,
    drop_path: float = 0.2,
    padding: Padding = "tensorflow",
    norm_eps: float = 1e-3,
    norm_momentum: float = 0.01,
    stem: Stem = "imagenet",
) -> EfficientNet:
    """EfficientNet-``variant``; ``dropout`` None is the released rate of the variant, 0.2 or 0.3."""
    width, depth, rate = find_row(SCALES, variant, "the EfficientNet-Lite")
    return EfficientNet(
        lite_stages(width, depth),
        stem_width=STEM_WIDTH,
        final_width=FINAL_WIDTH,
        activation="relu6",
        padding=padding,
        norm_eps=norm_eps,
        norm_momentum=norm_momentum,
        stem=stem,
        dropout=rate if dropout is None else dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
