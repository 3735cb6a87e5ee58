"""Opening and loading with Pillow under our own limit of pixels, and without its warnings, which name no file.

Pillow's limit is a global variable, and Python's filter of warnings is a list of the process: both are changed under a
lock and set back, and Pillow's limit for the few images alone that lie above it.
"""

import contextlib
import io
import re
import threading
import warnings
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 178_956_970
"""Pixels from which on an image counts as an attack by default, as for Pillow, which warns at half of them."""
JPEG_SIGNATURE = b"\xff\xd8\xff"

_limit_lock = threading.RLock()
_of_pillow = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


class TooLarge(ValueError):
    """An image of more pixels than the limit; says how many."""


class SilentPillow:
    """Without the warnings that Pillow's own modules give meanwhile, on metadata and large images.

    ``warnings.catch_warnings`` would let every warning be shown again that is shown once, and mixes up threads; a
    generator would cost a small image a hundredth of its time.
    """

    def __init__(self) -> None:
        self.lock, self.inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                warnings.filters.insert(0, _of_pillow)  # type: ignore[attr-defined]

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0 and _of_pillow in warnings.filters:  # another list after a catch_warnings around it
                warnings.filters.remove(_of_pillow)  # type: ignore[attr-defined]


silent_pillow = SilentPillow()


@contextlib.contextmanager
def _pillows_limit(pixels: int | None) -> Iterator[None]:
    """Pillow refuses images of more than twice as many pixels meanwhile; None: none."""
    with _limit_lock:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def open_image(content: bytes, max_pixels: int | None) -> Image.Image:
    """The image by its header, whose pixels are not decoded yet.

    Args:
        content: The file's bytes.
        max_pixels: Most pixels that are allowed; None: any number.

    Raises:
        TooLarge: If it has more.
        Exception: Whatever Pillow raises where the header is damaged.
    """
    try:
        image = _open(content)
    except Image.DecompressionBombError:
        with _pillows_limit(None):
            image = _open(content)
    width, height = image.size
    if max_pixels is not None and width * height > max_pixels:
        image.close()
        raise TooLarge(f"has {width} x {height} = {width * height:,} px, more than the {max_pixels:,} px allowed")
    return image


def _open(content: bytes) -> Image.Image:
    """Pillow tries its formats in turn, and some look at more than the first bytes: a JPEG is asked for first."""
    if content.startswith(JPEG_SIGNATURE):
        with contextlib.suppress(UnidentifiedImageError):
            return Image.open(io.BytesIO(content), formats=("JPEG",))
    return Image.open(io.BytesIO(content))


def load_pixels(image: Image.Image) -> None:
    """Decode the pixels of what ``open_image`` has let pass."""
    pixels = image.width * image.height
    if Image.MAX_IMAGE_PIXELS is None or pixels <= 2 * Image.MAX_IMAGE_PIXELS:
        image.load()
        return
    with _pillows_limit(pixels):
        image.load()
