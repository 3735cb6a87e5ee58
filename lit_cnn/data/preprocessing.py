"""What the network sees in validation, test and prediction: resized, center cropped. Draws nothing."""

from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.image_size import Sides, with_shorter_side
from lit_cnn.data.resizing import ResizedImages
from lit_cnn.data.settings import Interpolation, ResizeMode
from lit_cnn.data.sources.bit_depth import Levels
from lit_cnn.data.sources.decoding import AnyImage, ColorProfile, PixelFormat
from lit_cnn.data.sources.transparency import Color
from lit_cnn.data.stored_fields import from_stored, to_stored

LEGACY: dict[str, Any] = {"levels": "clip", "background": None, "color_profile": "ignore"}
"""Entries that older dictionaries lack, with what was done then."""


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded image to the network's input, in plain values: what a checkpoint stores and prediction uses.

    Args:
        image_size: height and width of the center crop in pixels.
        resize: shorter side in pixels of the box to which an image is resized before the crop; the box has the aspect
            ratio of ``image_size``, so for a square both its sides have this length.
        resize_mode: shorter_side keeps the image's aspect ratio and resizes it until it just covers the box, which for
            a square gives its shorter side the length ``resize``; squash resizes it to the box itself.
        interpolation: filter used when resizing.
        mean: one number per channel, for pixels in [0, 1].
        std: one number per channel, for pixels in [0, 1].
        in_channels: 1 for gray, 3 for RGB, 4 for RGB and alpha or an array's four channels.
        levels: numbers of a file that become black and white (see ``PixelFormat``).
        background: color under transparent pixels; None shows the colors hidden in them.
        color_profile: convert colors to sRGB by the embedded profile, or ignore it.
    """

    image_size: Sides
    resize: int
    resize_mode: ResizeMode
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    in_channels: int
    levels: Levels = None
    background: Color | None = (255, 255, 255)
    color_profile: ColorProfile = "convert"

    @property
    def box(self) -> Sides:
        """Height and width in pixels of what the resized image covers."""
        return with_shorter_side(self.image_size, self.resize)

    @property
    def pixel_format(self) -> PixelFormat:
        """What the pixels of a file become."""
        return PixelFormat(self.in_channels, self.levels, self.background, self.color_profile)

    def as_dict(self) -> dict[str, Any]:
        """Built-in types only (lists instead of tuples), ready for a checkpoint or JSON."""
        return to_stored(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """Undo ``as_dict``; what an older version did not write is read as what it did (``LEGACY``).

        Raises:
            ValueError: if a key without a default is missing, or a key is unknown.
        """
        return from_stored(cls, {**LEGACY, **values}, "the stored preprocessing")


def resized_images(images: Tensor, preprocessing: Preprocessing) -> ResizedImages:
    """uint8 (..., C, H, W) resized for the crop."""
    if preprocessing.resize_mode == "squash":
        return ResizedImages(images, preprocessing.box, preprocessing.interpolation)
    return ResizedImages.covering(images, preprocessing.box, preprocessing.interpolation)


def evaluate_images(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Resize uint8 (..., C, H, W) and crop the center: (..., C, *image_size)."""
    return resized_images(images, preprocessing).center(*preprocessing.image_size)


class EvaluationTransform:
    """An image -> uint8 tensor (C, *image_size). Can be pickled."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing

    def __call__(self, image: AnyImage) -> Tensor:
        """Resize and crop; a PIL image becomes what its file would."""
        if not isinstance(image, Image.Image):
            return evaluate_images(image if isinstance(image, Tensor) else image.pixels(), self.preprocessing)
        picture = self.preprocessing.pixel_format.of(image)
        return evaluate_images(functional.pil_to_tensor(picture), self.preprocessing)
