"""The inverted bottleneck keeps little in memory, if its wide part is never held whole."""

from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.part import Undecidable

CLASSIC_WIDTH, EXPANSION = 64, 6
"""Width inside a bottleneck of ResNet-50's first stage; expansion of MobileNetV2."""


def classic(width: int) -> tuple[int, int, int]:
    """(multiply-adds per pixel, numbers per pixel that input and output take, most that are held with the inner maps)
    of a 1x1-3x3-1x1 bottleneck from 4 ``width`` to 4 ``width`` channels."""
    wide = 4 * width
    held = wide + max(wide + width, 2 * width, width + wide)  # its input stays for the shortcut
    return wide * width + 9 * width**2 + width * wide, 2 * wide, held


def inverted(channels: int) -> tuple[int, int, int]:
    """The same of an inverted bottleneck with a depthwise 3x3 inside."""
    inner = EXPANSION * channels
    held = channels + max(channels + inner, 2 * inner, inner + channels)
    return 2 * channels * inner + 9 * inner, 2 * channels, held


def count() -> dict[str, float]:
    """Ratios at the width whose multiply-adds come nearest."""
    madds, ends, held = classic(CLASSIC_WIDTH)
    channels = min(range(1, 4 * CLASSIC_WIDTH), key=lambda width: abs(inverted(width)[0] - madds))
    own_madds, own_ends, own_held = inverted(channels)
    return {
        "channels of the inverted block": float(channels),
        "ratio of multiply-adds": own_madds / madds,
        "ratio of what input and output take": own_ends / ends,
        "ratio of what is held with the inner maps": own_held / held,
    }


CLAIM = Claim(
    name="inverted_bottleneck",
    title="Inverted bottlenecks need less memory",
    question="At equal multiply-adds an inverted bottleneck holds less in memory than a classic one if its wide part "
    "is computed in pieces, at equal accuracy",
    slide="MobileNetV2: inverted residuals and linear bottlenecks",
    published=(
        Published(
            "most memory that inference holds at one resolution, in 16-bit floats as printed",
            "MobileNetV2 400 K, MobileNet 1,600 K, ShuffleNet (2x, 3 groups) 600 K",
            "Sandler et al., 2018, arXiv:1801.04381, Table 3",
        ),
    ),
    designs={
        "cpu": Design(
            (
                Exact("equal multiply-adds (within 5 %)", "ratio of multiply-adds", 0.95, 1.05),
                Exact("input and output, which is all where the wide part is computed in pieces, take less",
                      "ratio of what input and output take", 0.0, 0.999),
                Undecidable(
                    "accuracy at equal multiply-adds is higher",
                    "two chains of 8 narrow blocks differ by less than their seeds",
                    "lit-cnn fit --config mobilenet_v2",
                ),
            ),
            "a block of ResNet-50's first stage (256-64-256 channels) and an inverted one of expansion 6, stride 1",
            count=count,
            core_minutes=0.1,
        )
    },
    full_scale="lit-cnn fit --config mobilenet_v2",
    notes=("Where the inner maps are held whole, as in training, the inverted block holds more: see the third ratio.",),
)  # fmt: skip
