"""What the magnitude of an image operation means: the scales of RandAugment, AutoAugment and their relatives.

A scale maps a magnitude to a ready value (see ``operations.Step``): shear as a tangent, translation in whole pixels,
rotation in degrees, color factors (1 changes nothing), posterize in bits kept, solarize as the pixel value from which
on pixels are inverted, solarize-add in levels, cutout as the side of the square in pixels. Operations without a
strength get 0. ``side`` is the image's side in pixels along which the operation moves; ``sign`` is -1 or 1.
"""

from collections.abc import Callable
from functools import lru_cache

import torch

Scale = Callable[[str, float, int, int], float]
"""From an operation, its magnitude, the side in pixels along which it moves and a sign to its value."""
FACTORS = ("Brightness", "Color", "Contrast", "Sharpness")
PAPER_TRANSLATION = 100 / 224  # the released code's 100 pixels, as a share of a 224-pixel side
PAPER_CUTOUT = 40 / 224  # half the side of its square, as a share too


def side_along(name: str, height: int, width: int) -> int:
    """The side of an image along which an operation moves; the shorter one for cutout's square."""
    if name == "Cutout":
        return min(height, width)
    return height if name == "TranslateY" else width


def paper_value(name: str, magnitude: float, side: int, sign: int) -> float:
    """Value of an operation on the released RandAugment code's scale of 0 to 10.

    Values above the top extrapolate and stay legal: translation at most the whole side, posterize 1 to 8 bits.
    Posterize and solarize weaken as the magnitude grows, as they do in that code.
    """
    share = magnitude / 10
    if name in ("ShearX", "ShearY"):
        return sign * 0.3 * share
    if name in ("TranslateX", "TranslateY"):
        return sign * float(int(min(PAPER_TRANSLATION * share, 1.0) * side))
    if name == "Rotate":
        return sign * 30.0 * share
    if name in FACTORS:
        return 0.1 + 1.8 * share
    if name == "Posterize":
        return float(min(max(int(4 * share), 1), 8))
    if name == "Solarize":
        return float(min(int(256 * share), 256))
    return _added_value(name, share, side)


def _added_value(name: str, share: float, side: int) -> float:
    """The two operations that only the released code has, which grow stronger on every scale of RandAugment."""
    if name == "SolarizeAdd":
        return float(min(int(110 * share), 255))
    return 2.0 * int(PAPER_CUTOUT * share * side) if name == "Cutout" else 0.0


def increasing_value(name: str, magnitude: float, side: int, sign: int) -> float:
    """Value of an operation on a scale of 0 to 10 where everything becomes stronger (``inc1`` of timm's RandAugment).

    Values above the top are those of the top, whose posterize keeps no bit.
    """
    share = min(magnitude, 10.0) / 10
    if name in ("TranslateX", "TranslateY"):
        return sign * float(int(0.45 * share * side))
    if name in FACTORS:
        return max(1.0 + sign * 0.9 * share, 0.1)
    if name == "Posterize":
        return float(4 - int(4 * share))
    if name == "Solarize":
        return float(256 - int(256 * share))
    return paper_value(name, 10 * share, side, sign)


@lru_cache(maxsize=1024)
def _level(top: float, magnitude: float, bins: int, *, falling: bool = False) -> float:
    """Element ``magnitude`` of ``bins`` equal levels from 0 to ``top``, or down from ``top`` to 0, in torchvision's
    float32 where it has one."""
    if float(magnitude).is_integer() and 0 <= magnitude < bins:
        ends = (top, 0.0) if falling else (0.0, top)
        return torch.linspace(*ends, bins)[int(magnitude)].item()
    share = magnitude / (bins - 1)
    return top * (1.0 - share if falling else share)


def torchvision_value(name: str, magnitude: float, side: int, sign: int, bins: int = 31) -> float:
    """Value of an operation in torchvision's table of ``bins`` levels (31 for RandAugment, 10 for AutoAugment).

    Values above the top extrapolate and stay legal: factors at least 0, posterize 1 to 8 bits, solarize at least 0.
    """
    if name in ("ShearX", "ShearY"):
        return sign * _level(0.3, magnitude, bins)
    if name in ("TranslateX", "TranslateY"):
        return sign * float(int(min(_level(150.0 / 331.0 * side, magnitude, bins), side)))
    if name == "Rotate":
        return sign * _level(30.0, magnitude, bins)
    if name in FACTORS:
        return max(1.0 + sign * _level(0.9, magnitude, bins), 0.0)
    if name == "Posterize":
        return float(min(max(round(8 - magnitude / ((bins - 1) / 4)), 1), 8))
    if name == "Solarize":
        return max(255.0 * _level(1.0, magnitude, bins, falling=True), 0.0)
    return _added_value(name, magnitude / (bins - 1), side)


def trivial_value(name: str, magnitude: int, sign: int) -> float:
    """Value of an operation in TrivialAugment's wide space of 31 levels (Müller & Hutter 2021, as in torchvision)."""
    if name in ("ShearX", "ShearY"):
        return sign * _level(0.99, magnitude, 31)
    if name in ("TranslateX", "TranslateY"):
        return sign * float(int(_level(32.0, magnitude, 31)))
    if name == "Rotate":
        return sign * _level(135.0, magnitude, 31)
    if name in FACTORS:
        return 1.0 + sign * _level(0.99, magnitude, 31)
    if name == "Posterize":
        return float(round(8 - magnitude / 5))
    if name == "Solarize":
        return 255.0 * _level(1.0, magnitude, 31, falling=True)
    return 0.0


def imagenet_v0_value(name: str, magnitude: float, side: int, sign: int) -> float:
    """Value of an operation of policy v0 in EfficientNet's released code (tensorflow/tpu, efficientnet/autoaugment.py).

    The scale of that code's RandAugment, but translation by 25 pixels per level, whatever the image's side (here at
    most the whole side), and posterize down to no bit at all, which blackens the image.
    """
    if name in ("TranslateX", "TranslateY"):
        return sign * float(min(int(25 * magnitude), side))
    if name == "Posterize":
        return float(int(4 * magnitude / 10))
    return paper_value(name, magnitude, side, sign)


def fast_value(name: str, level: float, side: int, sign: int) -> float:
    """Value of an operation of Fast AutoAugment (kakaobrain/fast-autoaugment, augmentations.py) for a level in [0, 1].

    The level lies on the whole range of an operation, for geometry from -0.3, -0.45 of the side or -30 degrees to the
    positive end, so that 0.5 does nothing there. Solarize and posterize weaken as the level grows.
    """
    if name in ("ShearX", "ShearY"):
        return sign * (0.6 * level - 0.3)
    if name in ("TranslateX", "TranslateY"):
        return sign * float(int((0.9 * level - 0.45) * side))
    if name == "Rotate":
        return sign * (60.0 * level - 30.0)
    if name in FACTORS:
        return 0.1 + 1.8 * level
    if name == "Posterize":
        return float(int(4 + 4 * level))
    if name == "Solarize":
        return 256.0 * level
    return float(int(0.2 * level * side) + 1) if name == "Cutout" else 0.0
