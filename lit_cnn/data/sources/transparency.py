"""Transparency, however a file states it, as a channel, and images on a background."""

from PIL import Image

from lit_cnn.data.sources.bit_depth import decoder_arguments

Color = tuple[int, int, int]

_WITH_ALPHA = {"1": "LA", "L": "LA", "La": "LA", "P": "RGBA", "PA": "RGBA", "RGB": "RGBA", "RGBa": "RGBA"}
"""Mode -> mode with the transparency as its last channel."""
_STEPS = {"L;2": 85, "L;4": 17}
"""Order of a PNG's channels -> how far apart its levels are among 256."""


def scale_transparent_color(image: Image.Image) -> None:
    """Bring the transparent color of a PNG of 2, 4 or 16 bits per channel to the 8 bits of its pixels, which Pillow
    leaves to us; of an image that is not decoded yet."""
    color = image.info.get("transparency")
    order = decoder_arguments(image)[0]
    if image.format == "PNG" and order in _STEPS and isinstance(color, int):
        image.info["transparency"] = color * _STEPS[order]
    elif image.format == "PNG" and order == "RGB;16B" and isinstance(color, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in color)


def with_alpha_channel(image: Image.Image) -> Image.Image:
    """The image as mode LA or RGBA, not premultiplied, if any of it may be transparent; else as it is."""
    palette = image.palette.mode if image.mode == "P" and image.palette is not None else ""
    stated = "transparency" in image.info or palette.endswith("A") or image.mode in ("La", "PA", "RGBa")
    if not stated or image.mode not in _WITH_ALPHA:
        return image
    return image.convert(_WITH_ALPHA[image.mode])


def composited(image: Image.Image, background: Color) -> Image.Image:
    """An image of mode LA or RGBA on a background of one color, as mode RGBA without transparent pixels."""
    return Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image.convert("RGBA"))
