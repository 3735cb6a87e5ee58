"""From the bytes of an image file to an upright picture, in full or at a reduced scale of the JPEG transform."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.sources.bit_depth import Depth, Levels, UnknownRange, eight_bits, numbers, stretch
from lit_cnn.data.sources.color_profiles import to_srgb
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS, TooLarge, load_pixels, open_image, silent_pillow
from lit_cnn.data.sources.png_chunks import pixels_alone
from lit_cnn.data.sources.transparency import Color, composited, scale_transparent_color, with_alpha_channel

ORIENTATION = 0x0112
REDUCTIONS = (8, 4, 2)
"""Divisors of the sides at which libjpeg decodes with less work."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Channels -> Pillow's name of what they mean."""

ColorProfile = Literal["convert", "ignore"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class PixelFormat:
    """What the pixels of a file become, whatever it holds.

    Args:
        channels: 1 for gray, 3 for RGB, 4 for RGB and alpha, which is 255 where a file has none (CMYK becomes RGB).
        levels: the numbers that become black and white, (number - low) / (high - low) clamped, times 255, rounded; None
            for the range of the container: 0 to 255, or 0 to 65535, whose upper byte is taken. "clip": so, and numbers
            outside that range at its ends.
        background: RGB color under transparent pixels; None shows the colors hidden in them. Not used by 4 channels.
        color_profile: convert colors to sRGB by the embedded profile, or ignore it.
        max_pixels: pixels from which on a file is refused; None for no limit.
    """

    channels: int = 3
    levels: Levels = None
    background: Color | None = (255, 255, 255)
    color_profile: ColorProfile = "convert"
    max_pixels: int | None = MAX_PIXELS

    def of(self, image: Image.Image, depth: Depth | None = None) -> Image.Image:
        """An image in memory in this format, as mode L, RGB or RGBA.

        Args:
            image: Of any mode.
            depth: What its file said of numbers of more than 8 bits before it was decoded; None where it is not known.

        Raises:
            UnknownRange: If nothing says which of its numbers are black and white.
            ValueError: If its numbers cannot be those that ``levels`` means.
        """
        mode = MODES[self.channels]
        image = self._leveled(image, depth or Depth.of(image))
        if self.background is not None or self.channels == 4:
            image = with_alpha_channel(image)
        profile = image.info.get("icc_profile")
        if profile and self.color_profile == "convert":
            image = to_srgb(image, profile)
        if self.background is not None and self.channels != 4 and image.mode in ("LA", "RGBA"):
            image = composited(image, self.background)
        if image.mode == "LAB" or (image.mode == "P" and "transparency" in image.info):
            image = image.convert("RGB" if image.mode == "LAB" else "RGBA")
        return image if image.mode == mode else image.convert(mode)

    def _leveled(self, image: Image.Image, depth: Depth | None) -> Image.Image:
        """The image in 8 bits, by the stated levels."""
        if depth is not None and depth.kind != "color":
            return eight_bits(image, depth, self.levels)
        if not isinstance(self.levels, tuple):
            return image
        if depth is not None:
            raise ValueError("it holds 16-bit colors, and levels can be stated for gray images alone")
        image = with_alpha_channel(image)
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            image = image.convert("L" if image.mode == "1" else "RGB")
        return stretch(image, self.levels)


RGB = PixelFormat()


class BrokenImage(ValueError):
    """A file that cannot be decoded; the sentence says what is true whoever decodes it, and ``with_advice`` adds what
    else helps there. (PyTorch re-raises a worker's exception by calling its type with a message.)"""

    in_training = "set data.on_error to skip"
    """What else helps in a training."""

    def with_advice(self, advice: str) -> "BrokenImage":
        """The same with a further way out, such as a flag of the command that reads the file."""
        return type(self)(f"{self}, or {advice}")


class UnknownLevels(BrokenImage):
    """A file of numbers of which nothing says what is black and white."""

    in_training = "set data.levels to the numbers [low, high] that are black and white, or data.on_error to skip"


class TooManyPixels(BrokenImage):
    """A file of more pixels than are allowed."""

    in_training = "raise data.max_pixels, or set data.on_error to skip"


def attempt(read: Callable[[], Result]) -> Result | BrokenImage | OSError:
    """What ``read`` returns, or what is wrong with the file that it reads: the one place that says what counts as a
    broken file, which training and evaluation under data.on_error skip leave out and ``data check`` lists."""
    try:
        return read()
    except (BrokenImage, OSError) as error:
        return error


def reduction(sides: tuple[int, int], least: int) -> int:
    """The largest divisor of ``REDUCTIONS``, or 1, that leaves both sides at least ``least`` pixels."""
    return next((divisor for divisor in REDUCTIONS if min(sides) // divisor >= least), 1)


class EncodedImage:
    """An image file in memory whose pixels are decoded on demand.

    Args:
        content: The file's bytes.
        name: What messages call it.
        pixel_format: what ``pixels`` gives.
    """

    def __init__(self, content: bytes, name: str, pixel_format: PixelFormat = RGB) -> None:
        self.content, self.name, self.pixel_format = content, name, pixel_format

    def sides(self) -> tuple[int, int]:
        """Height and width of the upright image, from the header alone.

        Raises:
            BrokenImage: if the header cannot be read or states more pixels than are allowed.
        """
        return self._read(self._sides)

    def picture(self, divisor: int = 1) -> Image.Image:
        """A PIL image of mode L, RGB or RGBA, upright.

        Args:
            divisor: 1, or one of ``REDUCTIONS`` to decode a JPEG to ceil(side / divisor); other files come in full.

        Raises:
            BrokenImage: if the file cannot be decoded completely, is too large, or holds numbers of unknown range; the
                message names it.
        """
        return self._read(lambda content: self._picture(content, divisor))

    def pixels(self, divisor: int = 1) -> Tensor:
        """``picture`` as a uint8 tensor (C, H, W)."""
        return functional.pil_to_tensor(self.picture(divisor))

    def deep_numbers(self) -> tuple[np.ndarray, Depth] | None:
        """The numbers (H, W) or (H, W, C) of a file of more than 8 bits; None of others, which are not decoded.

        Raises:
            BrokenImage: if the file cannot be decoded.
        """
        return self._read(self._deep_numbers)

    def _sides(self, content: bytes) -> tuple[int, int]:
        with open_image(content, self.pixel_format.max_pixels) as image:
            width, height = image.size
            # Pillow turns the size of a TIFF at opening
            turned = image.format != "TIFF" and image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
            return (width, height) if turned else (height, width)

    def _picture(self, content: bytes, divisor: int) -> Image.Image:
        with open_image(content, self.pixel_format.max_pixels) as image:
            depth = Depth.of(image)
            if self.pixel_format.background is not None:
                scale_transparent_color(image)
            if divisor > 1:
                image.draft(None, (image.width // divisor, image.height // divisor))
            load_pixels(image)
            # exif_transpose copies what is upright already
            upright = image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)
            return self.pixel_format.of(upright, depth)

    def _deep_numbers(self, content: bytes) -> tuple[np.ndarray, Depth] | None:
        with open_image(content, self.pixel_format.max_pixels) as image:
            depth = Depth.of(image)
            if depth is None:
                return None
            load_pixels(image)
            return numbers(image, depth), depth

    def _read(self, read: Callable[[bytes], Result]) -> Result:
        """What ``read`` makes of the bytes; metadata alone does not let it fail."""
        with silent_pillow:
            try:
                return read(self.content)
            except Exception as error:  # damaged files fail in any way a decoder can
                problem = error
            slim = None if isinstance(problem, (TooLarge, UnknownRange)) else pixels_alone(self.content)
            if slim is not None:
                try:
                    return read(slim)
                except Exception as error:
                    problem = error
        raise self._broken(problem) from None

    def _broken(self, error: Exception) -> BrokenImage:
        if isinstance(error, TooLarge):
            return TooManyPixels(f"the image {self.name} {error}; make it smaller or remove it")
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = "its format is not known"  # Pillow names an object in memory
        if isinstance(error, UnknownRange):
            return UnknownLevels(f"the image {self.name} cannot be decoded ({reason}); save it as 8-bit levels")
        return BrokenImage(f"the image {self.name} cannot be decoded ({reason}); replace or remove the file")


AnyImage = Image.Image | Tensor | EncodedImage
"""A picture, uint8 pixels (C, H, W), or a file."""
