"""From the bytes of an image file to an upright picture, in full or at a reduced scale of the JPEG transform."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.image_size import Sides

ORIENTATION = 0x0112
REDUCTIONS = (8, 4, 2)
"""Divisors of the sides at which libjpeg decodes with less work."""


Result = TypeVar("Result")


@dataclass(frozen=True)
class PixelFormat:
    """What the pixels of a file become, whatever it holds.

    Args:
        channels: 1 for gray, 3 for RGB, 4 for RGB and alpha, which is opaque in a file that has none.
    """

    channels: int = 3

    @property
    def mode(self) -> str:
        """Pillow's name."""
        return {1: "L", 3: "RGB", 4: "RGBA"}[self.channels]


RGB = PixelFormat()


class BrokenImage(ValueError):
    """A file that cannot be decoded. (PyTorch re-raises a worker's exception by calling its type with a message.)"""


def attempt(read: Callable[[], Result]) -> Result | BrokenImage | OSError:
    """What ``read`` returns, or what is wrong with the file that it reads: the one place that says what counts as a
    broken file, which training and evaluation under data.on_error skip leave out and ``data check`` lists."""
    try:
        return read()
    except (BrokenImage, OSError) as error:
        return error


def reduction(sides: Sides, least: Sides) -> int:
    """The largest divisor of ``REDUCTIONS``, or 1, that leaves height and width at least ``least`` pixels."""
    (height, width), (high, wide) = sides, least
    return next((each for each in REDUCTIONS if height // each >= high and width // each >= wide), 1)


class EncodedImage:
    """An image file in memory whose pixels are decoded on demand; ``decoded`` is the size of the last picture.

    Args:
        content: The file's bytes.
        name: What messages call it.
        pixel_format: what ``pixels`` gives.
    """

    def __init__(self, content: bytes, name: str, pixel_format: PixelFormat = RGB) -> None:
        self.content, self.name, self.pixel_format = content, name, pixel_format
        self.decoded: Sides | None = None

    def sides(self) -> Sides:
        """Height and width of the upright image, from the header alone.

        Raises:
            BrokenImage: if the header cannot be read.
        """
        try:
            with Image.open(io.BytesIO(self.content)) as image:
                width, height = image.size
                # Pillow turns the size of a TIFF at opening
                turned = image.format != "TIFF" and image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
                return (width, height) if turned else (height, width)
        except Exception as error:
            raise self._broken(error) from None

    def picture(self, divisor: int = 1) -> Image.Image:
        """A PIL image of the pixel format's mode, upright.

        Args:
            divisor: 1, or one of ``REDUCTIONS`` to decode a JPEG to ceil(side / divisor); other files come in full.

        Raises:
            BrokenImage: if the file cannot be decoded completely or holds floating-point numbers; the message names it.
        """
        try:
            with Image.open(io.BytesIO(self.content)) as image:
                if image.mode == "F":
                    raise ValueError(
                        "its pixels are floating-point numbers of unknown range; save them as 8-bit levels"
                    )
                if divisor > 1:
                    image.draft(None, (image.width // divisor, image.height // divisor))
                image.load()
                # exif_transpose copies what is upright already
                upright = image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)
                picture = _to_mode(upright, self.pixel_format.mode)
        except Exception as error:  # damaged files fail in any way a decoder can
            raise self._broken(error) from None
        self.decoded = picture.height, picture.width
        return picture

    def pixels(self, divisor: int = 1) -> Tensor:
        """``picture`` as a uint8 tensor (C, H, W)."""
        return functional.pil_to_tensor(self.picture(divisor))

    def _broken(self, error: Exception) -> BrokenImage:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = "its format is not known"  # Pillow names an object in memory
        advice = "replace or remove the file, or set data.on_error to skip"
        return BrokenImage(f"the image {self.name} cannot be decoded ({reason}); {advice}")


AnyImage = Image.Image | Tensor | EncodedImage
"""A picture, uint8 pixels (C, H, W), or a file."""


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "I" or image.mode.startswith("I;16"):  # 16-bit gray: the upper byte, where convert would saturate
        image = image.convert("I").point([level // 256 for level in range(65536)], "L")
    return image if image.mode == mode else image.convert(mode)
