"""The image operations of AutoAugment, RandAugment and TrivialAugment.

An operation is a name and a ready value (``magnitudes.py`` says what it means); it applies to a PIL image and to a
uint8 tensor (..., C, H, W) of one or many images.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.magnitudes import FACTORS

ImageOrTensor = TypeVar("ImageOrTensor", Tensor, Image.Image)
Fill = Sequence[float] | float | None

# The 14 operations of the RandAugment paper, in the order of its list, and the 16 of the released code, in its order.
# fmt: off
OPERATIONS = ("Identity", "AutoContrast", "Equalize", "Rotate", "Solarize", "Color", "Posterize", "Contrast",
              "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY")
RELEASED_OPERATIONS = ("AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "Color", "Contrast",
                       "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY", "Cutout",
                       "SolarizeAdd")
# fmt: on
PAPER_FILL = 128  # gray level outside the image in the released RandAugment code
CUTOUT_FILL = (125, 123, 114)  # color of the square in Fast AutoAugment's code


class Step(NamedTuple):
    """One operation with its value; operations without a strength carry 0.

    ``center`` is the place of cutout's square, as shares of height and width.
    """

    name: str
    value: float
    center: tuple[float, float] = (0.0, 0.0)


def apply(image: ImageOrTensor, step: Step, fill: Fill = None) -> ImageOrTensor:
    """Apply one operation.

    Args:
        image: PIL image or uint8 tensor.
        step: what to do.
        fill: gray level, or a level per channel, outside the image after geometric operations (None: black) and inside
            cutout's square (None: Fast AutoAugment's gray).
    """
    name, value, center = step
    color = fill_levels(fill, functional.get_num_channels(image))
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
    if name == "Cutout":
        return _cut_out(
            image, int(value), center, color or fill_levels(CUTOUT_FILL, functional.get_num_channels(image))
        )
    return _apply_color(image, name, value)


def apply_in_turn(image: ImageOrTensor, steps: Sequence[Step], fill: Fill = None) -> ImageOrTensor:
    """``apply`` several operations, in their order."""
    for step in steps:
        image = apply(image, step, fill)
    return image


def fill_levels(fill: Fill, channels: int) -> list[float] | None:
    """A level per channel for ``fill``; a gray image takes the mean of its levels, and None stays None."""
    if fill is None:
        return None
    levels = [float(fill)] * channels if isinstance(fill, (int, float)) else [float(level) for level in fill]
    return levels if len(levels) == channels else [sum(levels) / len(levels)] * channels


def _cut_out(image: Any, side: int, center: tuple[float, float], color: list[float] | None) -> Any:
    """A copy with a filled square, parts of which may leave the image."""
    height, width = functional.get_size(image)
    top, left = int(center[0] * height) - side // 2, int(center[1] * width) - side // 2
    top, bottom, left, right = max(top, 0), max(top + side, 0), max(left, 0), max(left + side, 0)
    assert color is not None
    if isinstance(image, Image.Image):
        image = image.copy()
        levels = tuple(round(level) for level in color)
        image.paste(levels if len(levels) > 1 else levels[0], (left, top, min(right, width), min(bottom, height)))
        return image
    image = image.clone()
    image[..., top:bottom, left:right] = torch.tensor(color).round().to(torch.uint8).view(-1, 1, 1)
    return image


def _apply_color(image: ImageOrTensor, name: str, value: float) -> ImageOrTensor:
    if name == "Solarize":
        return functional.solarize(image, threshold=value) if value <= 255 else image
    if name == "SolarizeAdd":
        return _solarize_add(image, int(value))
    if name == "Posterize":  # Pillow refuses to keep no bit: that is a black image
        return functional.posterize(image, bits=int(value)) if value >= 1 else functional.adjust_brightness(image, 0.0)
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
    names = ", ".join(["Identity", *RELEASED_OPERATIONS])
    raise ValueError(f"{name!r} is not an image operation; choose one of {names}")


def _solarize_add(image: Any, addition: int) -> Any:
    """Brighten the pixels below 128."""
    if isinstance(image, Image.Image):
        table = [min(level + addition, 255) if level < 128 else level for level in range(256)]
        return image.point(table * len(image.getbands()))
    return torch.where(image < 128, (image.int() + addition).clamp(max=255).to(torch.uint8), image)
