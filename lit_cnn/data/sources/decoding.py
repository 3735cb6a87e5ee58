"""From the bytes of an image file to an upright picture, in full or at a reduced scale of the JPEG transform."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.image_size import Sides
from lit_cnn.data.sources.bit_depth import Depth, Levels, UnknownRange, eight_bits, numbers, stretch
from lit_cnn.data.sources.color_profiles import conversion, to_srgb
from lit_cnn.data.sources.jpeg_decoder import JPEG_FORMATS, jpeg_pixels, turned_upright
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS, TooLarge, load_pixels, open_image, silent_pillow
from lit_cnn.data.sources.png_chunks import pixels_alone
from lit_cnn.data.sources.transparency import Color, composited, scale_transparent_color, with_alpha_channel
from lit_cnn.data.sources.window import Window, whole

ORIENTATION = 0x0112
REDUCTIONS = (8, 4, 2)
"""Divisors of the sides at which libjpeg decodes with less work."""
POINTWISE = ("L", "RGB", "CMYK")
"""Modes of which a part becomes what it would become as part of the whole."""
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

    def changes(self, image: Image.Image) -> bool:
        """Whether ``of`` makes anything else of a gray or RGB image of 8 bits without transparency."""
        profile = image.info.get("icc_profile") if self.color_profile == "convert" else None
        converts = bool(profile) and conversion(profile, image.mode) is not None
        return converts or isinstance(self.levels, tuple) or image.mode != MODES[self.channels]

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
        picture = self._read(lambda content: self._picture(content, divisor))
        self.decoded = picture.height, picture.width
        return picture

    def pixels(self, divisor: int = 1) -> Tensor:
        """``picture`` as a uint8 tensor (C, H, W)."""
        return functional.pil_to_tensor(self.picture(divisor)) if divisor > 1 else self.part(whole)

    def part(self, choose: Callable[[Sides], Window], least: Sides | None = None) -> Tensor:
        """A rectangle of ``picture`` as a uint8 tensor (C, height, width).

        Args:
            choose: From height and width of the picture in full to the rectangle; asked once.
            least: Decode a JPEG at the smallest scale that leaves the rectangle at least so many pixels high and wide;
                its edges move by up to a pixel of that scale. None: in full.

        Raises:
            BrokenImage: As by ``picture``.
        """
        once = cache(choose)
        return self._read(lambda content: self._part(content, once, least))

    def deep_numbers(self) -> tuple[np.ndarray, Depth] | None:
        """The numbers (H, W) or (H, W, C) of a file of more than 8 bits; None of others, which are not decoded.

        Raises:
            BrokenImage: if the file cannot be decoded.
        """
        return self._read(self._deep_numbers)

    def _sides(self, content: bytes) -> Sides:
        with open_image(content, self.pixel_format.max_pixels) as image:
            return _upright_sides(image)

    def _picture(self, content: bytes, divisor: int) -> Image.Image:
        with open_image(content, self.pixel_format.max_pixels) as image:
            upright, depth = self._decoded_by_pillow(image, divisor)
            return self.pixel_format.of(upright, depth)

    def _part(self, content: bytes, choose: Callable[[Sides], Window], least: Sides | None) -> Tensor:
        with open_image(content, self.pixel_format.max_pixels) as image:
            if image.format not in JPEG_FORMATS:  # of others, some have the size of their pixels only when decoded
                upright, depth = self._decoded_by_pillow(image, 1)
                return self._cut(upright, choose((upright.height, upright.width)), depth)
            window = choose(_upright_sides(image))
            divisor = 1 if least is None else reduction((window.height, window.width), least)
            pixels = jpeg_pixels(content, image) if divisor == 1 else None
            if pixels is not None:
                return self._cut_fast(pixels, image, window)
            upright, depth = self._decoded_by_pillow(image, divisor)
            return self._cut(upright, window.reduced(divisor, (upright.height, upright.width)), depth)

    def _decoded_by_pillow(self, image: Image.Image, divisor: int) -> tuple[Image.Image, Depth | None]:
        """The upright pixels of the file, and what it says of numbers of more than 8 bits."""
        depth = Depth.of(image)
        if self.pixel_format.background is not None:
            scale_transparent_color(image)
        if divisor > 1:
            image.draft(None, (image.width // divisor, image.height // divisor))
        load_pixels(image)
        # exif_transpose copies what is upright already
        upright = image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)
        return upright, depth

    def _cut(self, upright: Image.Image, window: Window, depth: Depth | None) -> Tensor:
        """The part in the pixel format, which is made of no more than the part where that is the same."""
        self.decoded = upright.height, upright.width
        if depth is None and upright.mode in POINTWISE and "transparency" not in upright.info:
            return functional.pil_to_tensor(self.pixel_format.of(window.of_picture(upright)))
        return functional.pil_to_tensor(window.of_picture(self.pixel_format.of(upright, depth)))

    def _cut_fast(self, pixels: np.ndarray, header: Image.Image, window: Window) -> Tensor:
        """The part of ``jpeg_pixels``, upright and in the pixel format."""
        upright = turned_upright(pixels, header.getexif().get(ORIENTATION, 1))
        self.decoded = upright.shape[0], upright.shape[1]
        part = np.ascontiguousarray(window.of_pixels(upright))
        if not self.pixel_format.changes(header):
            return torch.from_numpy(part).permute(2, 0, 1)
        picture = Image.fromarray(part if part.shape[2] == 3 else part[..., 0])
        picture.info = header.info
        return functional.pil_to_tensor(self.pixel_format.of(picture))

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


def _upright_sides(image: Image.Image) -> Sides:
    """Height and width, from the header, of what is upright."""
    width, height = image.size
    # Pillow turns the size of a TIFF at opening
    turned = image.format != "TIFF" and image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
    return (width, height) if turned else (height, width)


AnyImage = Image.Image | Tensor | EncodedImage
"""A picture, uint8 pixels (C, H, W), or a file."""
