"""Small images inside a page, as ``data:`` URIs."""

import base64
import io

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from lit_cnn.reports.canvas import image_array

SIDE = 176
"""Longest side of a thumbnail in px."""
COARSE = 64
"""Images of at most so many px are kept losslessly."""
QUALITY = 78
"""Of WebP."""


def thumbnail(image: ArrayLike, side: int = SIDE) -> np.ndarray:
    """uint8 (C, H, W), gray or color -> (3, h, w), no side longer than ``side``; a smaller image stays as it is.

    Raises:
        ValueError: If it has another number of channels.
    """
    pixels = image_array(np.asarray(image))
    longest = max(pixels.shape[:2])
    if longest <= side:
        return pixels.transpose(2, 0, 1).copy()
    height, width = (max(round(length * side / longest), 1) for length in pixels.shape[:2])
    shown = Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(shown).transpose(2, 0, 1).copy()


def is_coarse(image: ArrayLike) -> bool:
    """Whether an image (C, H, W) has so few pixels that it is enlarged without smoothing."""
    return max(np.asarray(image).shape[1:]) <= COARSE


def data_uri(image: ArrayLike) -> str:
    """uint8 (C, H, W) as WebP, lossless where it ``is_coarse``.

    Raises:
        ValueError: If it has another number of channels than 1, 3 or 4.
    """
    shown = Image.fromarray(np.ascontiguousarray(image_array(np.asarray(image))))
    content = io.BytesIO()
    shown.save(content, "WEBP", lossless=is_coarse(image), quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"
