"""Scaling of stage tables by a width and a depth multiplier, with widths rounded to hardware-friendly numbers."""

import math
from collections.abc import Callable

from lit_cnn.architectures.layers.mbconv import Stage


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``value``, but never below 90 % of it (MobileNetV2, EfficientNet)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * value else rounded + divisor


def scale_stages(
    stages: tuple[Stage, ...], width: float, depth: float, *, rounding: Callable[[float], int] = make_divisible
) -> tuple[Stage, ...]:
    """Multiply the rows' widths (then rounded) and depths (rounded up): EfficientNet's compound scaling."""
    return tuple(row._replace(width=rounding(row.width * width), depth=math.ceil(row.depth * depth)) for row in stages)
