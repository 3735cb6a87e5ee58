"""The chains that were searched for MnasNet, EfficientNet and EfficientNetV2, as far as their papers print them.

MnasNet (arXiv:1807.11626): for each stage of MobileNetV2 a convolution, a kernel of 3 or 5, squeeze-and-excitation of 0
or 0.25, a shortcut (pool, identity or none), 0.75, 1 or 1.25 of MobileNetV2's channels and its number of blocks or one
less or more: 432 choices a stage. EfficientNet (arXiv:1905.11946, section 4) searches the same; EfficientNetV2
(arXiv:2104.00298, section 3.3) MBConv and Fused-MBConv with 1, 4 or 6 as expansion, without the pooling shortcut, and
keeps the channels. No search code was released, so that some of it is our reading:

- 432 needs four convolutions: the full one (a Fused-MBConv of expansion 1 here), the depthwise separable one (an MBConv
  of expansion 1), and MBConv with 3 and with 6;
- a pooling shortcut averages 3x3, where the shape stays;
- widths are rounded to multiples of 8 and a stage keeps one block, so that some stages have fewer choices: where two
  options round to one, there is one;
- the papers do not print EfficientNetV2's numbers of blocks: here they are a third fewer or more than those of V2-S.
"""

from lit_cnn.architectures import efficientnet, efficientnet_v2, mobilenet_v2
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.architectures.network import Stem
from lit_cnn.architectures.scaling import make_divisible
from lit_cnn.search.spaces.chain import ChainSettings, ChainSpace, Convolution, StageChoices

MNASNET_CONVOLUTIONS = (
    Convolution("fused", 1),
    Convolution("mbconv", 1),
    Convolution("mbconv", 3),
    Convolution("mbconv", 6),
)
V2_CONVOLUTIONS = tuple(
    Convolution(block, expansion) for block in ("mbconv", "fused") for expansion in (1, 4, 6)
)  # fmt: skip
WIDTH_FACTORS = (0.75, 1.0, 1.25)


def mnasnet_space(table: tuple[Stage, ...], settings: ChainSettings) -> ChainSpace:
    """MnasNet's choices around the stages of ``table``, MobileNetV2's in the paper."""
    return ChainSpace(tuple(_mnasnet_choices(row) for row in table), settings)


def _mnasnet_choices(row: Stage) -> StageChoices:
    widths = sorted({make_divisible(row.width * factor) for factor in WIDTH_FACTORS})
    depths = sorted({max(1, row.depth + change) for change in (-1, 0, 1)})
    return StageChoices(
        row.stride,
        MNASNET_CONVOLUTIONS,
        (3, 5),
        tuple(widths),
        tuple(depths),
        squeezes=(0.0, 0.25),
        skips=("identity", "pool", "none"),
    )


def efficientnet_v2_space(table: tuple[Stage, ...], settings: ChainSettings) -> ChainSpace:
    """EfficientNetV2's choices around the stages of ``table``; MBConv has squeeze-and-excitation of 0.25."""
    stages = []
    for row in table:
        change = max(1, row.depth // 3)
        depths = tuple(row.depth + added for added in (-change, 0, change) if row.depth + added > 0)
        stages.append(StageChoices(row.stride, V2_CONVOLUTIONS, (3, 5), (row.width,), depths, squeezes=(0.25,)))
    return ChainSpace(tuple(stages), settings)


RELEASED = ChainSettings(activation="silu", padding="tensorflow", norm_eps=1e-3, norm_momentum=0.01)
"""What the EfficientNets share."""

MNASNET = mnasnet_space(mobilenet_v2.STAGES, RELEASED._replace(activation="relu"))
"""MobileNetV2 is a point of it."""

EFFICIENTNET = mnasnet_space(efficientnet.STAGES, RELEASED)
"""The same choices around EfficientNet-B0, whose 112 channels are not among those of ``MNASNET``."""

_STEM_WIDTH, _V2_STAGES = efficientnet_v2.v2_stages("s")
EFFICIENTNET_V2 = efficientnet_v2_space(_V2_STAGES, RELEASED._replace(stem_width=_STEM_WIDTH))
"""Around EfficientNetV2-S."""


def mnasnet(stem: Stem = "imagenet") -> ChainSpace:
    """MnasNet's choices around MobileNetV2.

    Args:
        stem: "imagenet", or "small" for images of about 32 to 64 px.
    """
    return _with_stem(MNASNET, stem)


def efficientnet_b0(stem: Stem = "imagenet") -> ChainSpace:
    """MnasNet's choices around EfficientNet-B0.

    Args:
        stem: "imagenet", or "small" for images of about 32 to 64 px.
    """
    return _with_stem(EFFICIENTNET, stem)


def efficientnet_v2_s(stem: Stem = "imagenet") -> ChainSpace:
    """EfficientNetV2's choices around V2-S.

    Args:
        stem: "imagenet", or "small" for images of about 32 to 64 px.
    """
    return _with_stem(EFFICIENTNET_V2, stem)


def _with_stem(space: ChainSpace, stem: Stem) -> ChainSpace:
    return ChainSpace(space.stages, space.settings._replace(stem=stem))
