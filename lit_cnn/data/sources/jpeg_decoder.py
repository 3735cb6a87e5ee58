"""JPEGs decoded by simplejpeg, which calls the library that Pillow calls, but without Pillow's buffers.

It is used where a picture made here becomes Pillow's pixels to the bit, and for undamaged gray and RGB files alone.
Everything else is Pillow's: what a header means, CMYK, other color spaces, and what counts as broken.
"""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

JPEG_FORMATS = ("JPEG", "MPO")
"""Pillow's names of files that begin with a JPEG."""
_COLORS = {"L": "GRAY", "RGB": "RGB"}
"""Pillow's mode -> simplejpeg's name."""
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
"""Orientation of EXIF -> what turns (H, W, C) upright."""

_Decoder = Callable[[bytes, str], np.ndarray]


def jpeg_pixels(content: bytes, header: Image.Image) -> np.ndarray | None:
    """The pixels of a JPEG as it is stored, not turned upright, with the levels that Pillow gives them.

    Args:
        content: The file's bytes.
        header: What Pillow has opened of them, not decoded yet.

    Returns:
        uint8 (H, W, 1) of a gray file or (H, W, 3) of an RGB file; None where Pillow has to decode it.
    """
    decode = fast_decoder()
    if decode is None or header.format not in JPEG_FORMATS or header.mode not in _COLORS:
        return None
    try:
        pixels = decode(content, _COLORS[header.mode])
    except ValueError:  # a warning of the library is enough; Pillow judges the damage
        return None
    return pixels if pixels.shape[:2] == (header.height, header.width) else None


def turned_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) as EXIF's ``orientation`` says, as a view; 1 and numbers without a meaning change nothing."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else turn(pixels)


@lru_cache(maxsize=1)
def fast_decoder() -> _Decoder | None:
    """simplejpeg's decoder; None where it is not installed, or was built with another library than Pillow."""
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        return None
    row, column = np.mgrid[0:37, 0:51]
    waves = np.stack([128 + 127 * np.sin(row / (1 + band) + column / (3 - band)) for band in range(3)], axis=-1)
    stream = io.BytesIO()
    Image.fromarray(waves.astype(np.uint8)).save(stream, "JPEG", quality=90)
    probe = stream.getvalue()
    return decode_jpeg if np.array_equal(decode_jpeg(probe, "RGB"), np.asarray(Image.open(stream))) else None
