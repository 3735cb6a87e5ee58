"""Colors of embedded ICC profiles as those of sRGB.

A profile's conversion is made once in a process. Profiles that say sRGB in other words, as most photographs have them,
and those that cannot be read change nothing.
"""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

ALIKE = 3
"""Levels by which profiles that mean sRGB differ from each other at most."""
PROBES = (0, 8, 16, 32, 64, 96, 128, 192, 255)
"""Levels of each channel at which a profile is compared with sRGB: more dark ones, where gammas differ most."""
SPACES = {"RGB ": ("L", "LA", "RGB", "RGBA"), "GRAY": ("L", "LA"), "CMYK": ("CMYK",)}
"""Color space of a profile -> modes of images that it can describe."""

Conversion = Callable[[Image.Image], Image.Image]


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB: L and LA stay gray, RGB and RGBA what they are, and CMYK becomes RGB; palettes RGB or RGBA.

    Other modes, and images that the profile is not for, are returned as they are.
    """
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "YCbCr":
        image = image.convert("RGB")
    convert = conversion(profile, image.mode)
    return image if convert is None else convert(image)


@lru_cache(maxsize=64)
def conversion(profile: bytes, mode: str) -> Conversion | None:
    """What turns images of a mode and profile into sRGB; None where nothing is to be done."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space
        if mode not in SPACES.get(space, ()):
            return None
        inner = {"GRAY": "L", "CMYK": "CMYK"}.get(space, "RGBA" if mode == "RGBA" else "RGB")
        outer = "RGBA" if inner == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), inner, outer)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode in ("L", "LA"):
        return _by_table(transform, inner)
    if inner != "CMYK" and _changes_little(transform):
        return None
    return transform.apply


def _changes_little(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.array(PROBES, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    before = Image.fromarray(colors).convert(transform.input_mode)
    after = transform.apply(before)
    return bool(np.abs(np.asarray(after, dtype=int) - np.asarray(before, dtype=int)).max() <= ALIKE)


def _by_table(transform: ImageCms.ImageCmsTransform, inner: str) -> Conversion | None:
    """Of gray images: the level of sRGB for each of their 256."""
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    table = list(transform.apply(ramp.convert(inner)).convert("L").tobytes())
    if max(abs(after - before) for before, after in enumerate(table)) <= ALIKE:
        return None

    def convert(image: Image.Image) -> Image.Image:
        return image.point(table + list(range(256)) * (image.mode == "LA"))

    return convert
