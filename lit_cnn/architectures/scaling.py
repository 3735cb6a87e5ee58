"""Scaling of stage tables by a width and a depth multiplier, with widths rounded to hardware-friendly numbers."""

import math
from collections.abc import Callable
from typing import Literal

from lit_cnn.architectures.layers.mbconv import Stage

DepthRounding = Literal["up", "nearest"]
"""How a scaled number of blocks becomes a whole one: up as in EfficientNet's released code (tensorflow/tpu), or to the
nearest as in that of "Fast and Accurate Model Scaling" (Dollár et al., 2021, arXiv:2103.06877; pycls)."""


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``value``, but never below 90 % of it (MobileNetV2, EfficientNet)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * value else rounded + divisor


def nearest_width(value: float) -> int:
    """The whole number nearest to ``value``, for networks too narrow for multiples of 8."""
    return math.floor(value + 0.5)


def scale_depth(depth: int, multiplier: float, rounding: DepthRounding = "up") -> int:
    """``depth`` times ``multiplier`` as a whole number of blocks, at least one."""
    scaled = depth * multiplier
    return max(1, math.ceil(scaled) if rounding == "up" else math.floor(scaled + 0.5))


def scale_stages(
    stages: tuple[Stage, ...],
    width: float,
    depth: float,
    *,
    rounding: Callable[[float], int] = make_divisible,
    depth_rounding: DepthRounding = "up",
) -> tuple[Stage, ...]:
    """Multiply the rows' widths (then rounded) and depths (rounded up): EfficientNet's compound scaling."""
    return tuple(
        row._replace(width=rounding(row.width * width), depth=scale_depth(row.depth, depth, depth_rounding))
        for row in stages
    )


def check_multipliers(width_multiplier: float, depth_multiplier: float, depth_rounding: str) -> None:
    """Refuse options of scaling that make no network.

    Raises:
        ValueError: If a multiplier is not positive and finite, or the rounding is unknown.
    """
    for name, value in (("width_multiplier", width_multiplier), ("depth_multiplier", depth_multiplier)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a positive number, got {value}")
    if depth_rounding not in ("up", "nearest"):
        raise ValueError(f"depth_rounding must be up or nearest, got {depth_rounding!r}")
