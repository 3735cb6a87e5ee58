"""What the network sees in validation, test and prediction: shorter side resized, center cropped. Draws nothing."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.settings import Interpolation
from lit_cnn.data.sources.bit_depth import Levels
from lit_cnn.data.sources.decoding import AnyImage, ColorProfile, PixelFormat
from lit_cnn.data.sources.transparency import Color

LEGACY: dict[str, Any] = {"levels": "clip", "background": None, "color_profile": "ignore"}
"""Entries that older dictionaries lack, with what was done then."""


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded image to the network's input, in plain values: what a checkpoint stores and prediction uses.

    Args:
        image_size: side of the center crop in pixels.
        crop_ratio: side of the crop / shorter side after resizing.
        interpolation: filter used when resizing.
        mean: one number per channel, for pixels in [0, 1].
        std: one number per channel, for pixels in [0, 1].
        in_channels: 1 for gray, 3 for RGB.
        levels: numbers of a file that become black and white (see ``PixelFormat``).
        background: color under transparent pixels; None shows the colors hidden in them.
        color_profile: convert colors to sRGB by the embedded profile, or ignore it.
    """

    image_size: int
    crop_ratio: float
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    in_channels: int
    levels: Levels = None
    background: Color | None = (255, 255, 255)
    color_profile: ColorProfile = "convert"

    @property
    def pixel_format(self) -> PixelFormat:
        """What the pixels of a file become."""
        return PixelFormat(self.in_channels, self.levels, self.background, self.color_profile)

    def as_dict(self) -> dict[str, Any]:
        """Built-in types only (lists instead of tuples), ready for a checkpoint or JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """Undo ``as_dict``; what an older version did not write is read as what it did (``LEGACY``).

        Raises:
            ValueError: if a key is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        values = {**LEGACY, **values}
        if set(values) != names:
            wrong = ", ".join(sorted(set(values) ^ names))
            raise ValueError(
                f"the stored preprocessing has missing or unknown entries ({wrong}); it needs {sorted(names)}"
            )
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**plain)


def evaluate_images(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Resize the shorter side of uint8 (..., C, H, W) to round(image_size / crop_ratio) and crop the center square."""
    size = preprocessing.image_size
    shorter = round(size / preprocessing.crop_ratio)
    mode = InterpolationMode(preprocessing.interpolation)
    if min(images.shape[-2:]) != shorter:
        images = functional.resize(images, [shorter], interpolation=mode, antialias=True)
    return functional.center_crop(images, [size, size])


class EvaluationTransform:
    """An image -> uint8 tensor (C, image_size, image_size). Can be pickled."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing

    def __call__(self, image: AnyImage) -> Tensor:
        """Resize and crop; a PIL image becomes what its file would."""
        if not isinstance(image, Image.Image):
            return evaluate_images(image if isinstance(image, Tensor) else image.pixels(), self.preprocessing)
        picture = self.preprocessing.pixel_format.of(image)
        return evaluate_images(functional.pil_to_tensor(picture), self.preprocessing)
