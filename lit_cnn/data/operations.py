"""The image operations of AutoAugment, RandAugment and TrivialAugment, and what their magnitudes mean.

An operation is a name and a ready value: shear as a tangent, translation in whole pixels, rotation in degrees, colour
factors (1 changes nothing), posterize in bits kept, solarize as the pixel value from which on pixels are inverted. It
applies alike to a PIL image and to a uint8 tensor (..., C, H, W) of one or many images.
"""

import math
from typing import Literal, NamedTuple, TypeVar

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.policies import POLICIES

ImageOrTensor = TypeVar("ImageOrTensor", Tensor, Image.Image)

# The 14 operations of the RandAugment paper, in the order of its list.
# fmt: off
OPERATIONS = ("Identity", "AutoContrast", "Equalize", "Rotate", "Solarize", "Color", "Posterize", "Contrast",
              "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY")
# fmt: on
GEOMETRIC = ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY")
FACTORS = ("Brightness", "Color", "Contrast", "Sharpness")
PAPER_FILL = 128  # gray level outside the image in the released RandAugment code
PAPER_TRANSLATION = 100 / 224  # the released code's 100 pixels, as a share of a 224-pixel side


class Step(NamedTuple):
    """One operation with its value; operations without a strength carry 0."""

    name: str
    value: float


def apply(image: ImageOrTensor, step: Step, fill: int | None = None) -> ImageOrTensor:
    """Apply one operation; ``fill`` is the gray level outside the image after geometric ones (None: black)."""
    name, value = step
    color = None if fill is None else [float(fill)] * functional.get_num_channels(image)
    if name == "Identity":
        return image
    if name == "Rotate":
        return functional.rotate(image, angle=value, fill=color)
    if name in ("ShearX", "ShearY"):
        degrees = math.degrees(math.atan(value))
        shear = [degrees, 0.0] if name == "ShearX" else [0.0, degrees]
        return functional.affine(
            image, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, fill=color, center=[0.0, 0.0]
        )
    if name in ("TranslateX", "TranslateY"):
        shift = [int(value), 0] if name == "TranslateX" else [0, int(value)]
        return functional.affine(image, angle=0.0, translate=shift, scale=1.0, shear=[0.0, 0.0], fill=color)
    return _apply_color(image, name, value)


def _apply_color(image: ImageOrTensor, name: str, value: float) -> ImageOrTensor:
    if name == "Solarize":
        return functional.solarize(image, threshold=value) if value <= 255 else image
    if name == "Posterize":
        return functional.posterize(image, bits=int(value))
    if name in FACTORS:
        adjust = {
            "Brightness": functional.adjust_brightness,
            "Color": functional.adjust_saturation,
            "Contrast": functional.adjust_contrast,
            "Sharpness": functional.adjust_sharpness,
        }[name]
        return adjust(image, value)
    if name == "AutoContrast":
        return functional.autocontrast(image)
    if name == "Equalize":
        return functional.equalize(image)
    if name == "Invert":
        return functional.invert(image)
    raise ValueError(f"{name!r} is no image operation; choose one of {', '.join(OPERATIONS)} or Invert.")


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
    return 0.0


def _level(top: float, magnitude: float, bins: int) -> float:
    """Element ``magnitude`` of ``bins`` equal levels from 0 to ``top``, in torchvision's float32 where it has one."""
    if float(magnitude).is_integer() and 0 <= magnitude < bins:
        return torch.linspace(0.0, top, bins)[int(magnitude)].item()
    return top * magnitude / (bins - 1)


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
        return max(255.0 * (1.0 - _level(1.0, magnitude, bins)), 0.0)
    return 0.0


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
        return 255.0 * (1.0 - _level(1.0, magnitude, 31))
    return 0.0


def _side(name: str, height: int, width: int) -> int:
    return height if name == "TranslateY" else width


def rand_augment_steps(
    draws: list[float], layers: int, magnitude: float, scale: Literal["paper", "torchvision"], height: int, width: int
) -> list[Step]:
    """The operations of one image from 2 * ``layers`` uniform draws in [0, 1): which one, then its sign."""
    value = paper_value if scale == "paper" else torchvision_value
    steps = []
    for layer in range(layers):
        name = OPERATIONS[int(draws[2 * layer] * len(OPERATIONS))]
        sign = -1 if draws[2 * layer + 1] < 0.5 else 1
        steps.append(Step(name, value(name, magnitude, _side(name, height, width), sign)))
    return steps


def auto_augment_steps(draws: list[float], policy: str, height: int, width: int) -> list[Step]:
    """The operations of one image from 5 uniform draws: ``trivial`` picks operation, level and sign; a learned policy
    picks one of its 25 pairs, then for each of the two whether it applies and its sign."""
    if policy == "trivial":
        name = OPERATIONS[int(draws[0] * len(OPERATIONS))]
        return [Step(name, trivial_value(name, int(draws[1] * 31), -1 if draws[2] < 0.5 else 1))]
    pairs = POLICIES[policy]
    steps = []
    for number, (name, probability, magnitude) in enumerate(pairs[int(draws[0] * len(pairs))]):
        if draws[1 + 2 * number] < probability:
            sign = -1 if draws[2 + 2 * number] < 0.5 else 1
            steps.append(Step(name, torchvision_value(name, magnitude, _side(name, height, width), sign, bins=10)))
    return steps
