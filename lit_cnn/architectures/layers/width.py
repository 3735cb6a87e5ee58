"""Rounding of scaled widths to hardware-friendly numbers of channels."""


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``value``, but never below 90 % of it (MobileNetV2, EfficientNet)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * value else rounded + divisor
