"""EfficientNetV2: Tan, Le, "EfficientNetV2: Smaller Models and Faster Training", 2021, arXiv:2104.00298.

Depthwise convolutions are slow on large early maps, so the first stages fuse them with the 1x1 before (FusedMBConv);
the net was searched for training speed. Image size and regularization grow together during training.

S (Table 4), input (N, in_channels, 384, 384); ``features`` returns (N, 1280, H / 32, W / 32):

    stem    3x3, 24, stride 2                                 24 x 192 x 192
    stage2  2 FusedMBConv1, 3x3                               24 x 192 x 192
    stage3  4 FusedMBConv4, 3x3, stride 2                     48 x 96 x 96
    stage4  4 FusedMBConv4, 3x3, stride 2                     64 x 48 x 48
    stage5  6 MBConv4, 3x3, stride 2                         128 x 24 x 24
    stage6  9 MBConv6, 3x3                                   160 x 24 x 24
    stage7  15 MBConv6, 3x3, stride 2                        256 x 12 x 12
    stage8  1x1, 1280                                       1280 x 12 x 12
    head    global average pool, dropout, linear              num_classes

The rows below are those of the released configurations; M, L and XL have one more MBConv6 stage.
"""

from typing import Literal

from lit_cnn.architectures.efficientnet import FINAL_WIDTH, EfficientNet
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.architectures.layers.padding import Padding
from lit_cnn.architectures.network import Stem, find_row
from lit_cnn.architectures.scaling import DepthRounding, check_multipliers, scale_stages

PAPER = Paper("EfficientNetV2", "Tan and Le", 2021, "arXiv:2104.00298")
DEVIATIONS = (
    "stages and dropout of the released configurations, which differ from the paper's tables",
    "batch norm momentum 0.01 as in the paper's text; the released nets have 0.1 (norm_momentum: 0.1)",
)

Variant = Literal["b0", "b1", "b2", "b3", "s", "m", "l", "xl"]

BASE = (
    #     block    t  k  s  width  n  squeeze
    Stage("fused", 1, 3, 1, 16, 1, 0.0),
    Stage("fused", 4, 3, 2, 32, 2, 0.0),
    Stage("fused", 4, 3, 2, 48, 2, 0.0),
    Stage("mbconv", 4, 3, 2, 96, 3, 0.25),
    Stage("mbconv", 6, 3, 1, 112, 5, 0.25),
    Stage("mbconv", 6, 3, 2, 192, 8, 0.25),
)
"""B0; B1 to B3 scale it."""

STEM_WIDTH = 32

SCALES = {"b0": (1.0, 1.0), "b1": (1.0, 1.1), "b2": (1.1, 1.2), "b3": (1.2, 1.4)}
"""Width and depth multiplier."""

WIDTHS_AND_DEPTHS = {
    "s": ((24, 2), (48, 4), (64, 4), (128, 6), (160, 9), (256, 15)),
    "m": ((24, 3), (48, 5), (80, 5), (160, 7), (176, 14), (304, 18), (512, 5)),
    "l": ((32, 4), (64, 7), (96, 7), (192, 10), (224, 19), (384, 25), (640, 7)),
    "xl": ((32, 4), (64, 8), (96, 8), (192, 16), (256, 24), (512, 32), (640, 8)),
}
"""Width and depth of each row; the rest of a row is that of ``BASE``, and MBConv6 of stride 1 for the seventh."""

DROPOUT = {"b0": 0.2, "b1": 0.2, "b2": 0.3, "b3": 0.3, "s": 0.2, "m": 0.3, "l": 0.4, "xl": 0.4}
"""Released rates."""


def round_width(width: float) -> int:
    """The nearest multiple of 8; unlike EfficientNet's rule it may fall below 90 %."""
    return max(8, int(width + 4) // 8 * 8)


def v2_stages(
    variant: Variant, width: float = 1.0, depth: float = 1.0, depth_rounding: DepthRounding = "up"
) -> tuple[int, tuple[Stage, ...]]:
    """Stem width and rows of ``variant``, with its widths and depths multiplied."""
    rows: tuple[Stage, ...] = BASE
    stem_width = STEM_WIDTH
    if variant in SCALES:
        width, depth = SCALES[variant][0] * width, SCALES[variant][1] * depth
    else:
        sizes = WIDTHS_AND_DEPTHS[variant]
        kinds = (*BASE, BASE[-1]._replace(stride=1))
        stem_width = sizes[0][0]
        rows = tuple(kind._replace(width=w, depth=d) for kind, (w, d) in zip(kinds, sizes, strict=False))
    scaled = scale_stages(rows, width, depth, rounding=round_width, depth_rounding=depth_rounding)
    return round_width(stem_width * width), scaled


def efficientnet_v2(
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
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    depth_rounding: DepthRounding = "up",
) -> EfficientNet:
    """EfficientNetV2-``variant``.

    Args:
        variant: "b0" to "b3", "s", "m", "l" or "xl".
        num_classes: Outputs.
        in_channels: Channels of the image.
        dropout: Rate before the classifier; None is the released rate of the variant, 0.2 to 0.4.
        drop_path: Stochastic-depth rate; the paper's survival probability is 0.8.
        padding: "tensorflow" (the released nets') or "symmetric" (torchvision's).
        norm_eps: Batch norm's epsilon.
        norm_momentum: 0.01 is the paper's text; the released configurations and the libraries use 0.1.
        stem: "imagenet", or "small", whose first convolution keeps the resolution, for images of about 32 to 64 px.
        width_multiplier: Multiplies the variant's widths.
        depth_multiplier: Multiplies its numbers of blocks.
        depth_rounding: How they become whole: "up" as in the released code, or "nearest".
    """
    rate = find_row(DROPOUT, variant, "the EfficientNetV2")
    check_multipliers(width_multiplier, depth_multiplier, depth_rounding)
    stem_width, stages = v2_stages(variant, width_multiplier, depth_multiplier, depth_rounding)
    final_scale = SCALES.get(variant, (1.0, 1.0))[0] * width_multiplier
    return EfficientNet(
        stages,
        stem_width=stem_width,
        final_width=round_width(FINAL_WIDTH * final_scale),
        padding=padding,
        norm_eps=norm_eps,
        norm_momentum=norm_momentum,
        stem=stem,
        dropout=rate if dropout is None else dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
