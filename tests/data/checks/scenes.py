"""Pictures with shapes, of which no two are alike, and what people do to them before they land in another split."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance


def scene(seed: int, size: tuple[int, int] = (96, 72)) -> Image.Image:
    """Ellipses and boxes on a background that brightens across the picture."""
    rng = np.random.default_rng(seed)
    low, high = rng.integers(0, 255, (2, 3))
    ramp = np.linspace(0, 1, size[0])[None, :, None] * (high - low) + low
    image = Image.fromarray(np.broadcast_to(ramp, (size[1], size[0], 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for number in range(8):
        x, y = rng.integers(0, size[0]), rng.integers(0, size[1])
        box = (x, y, x + rng.integers(8, 50), y + rng.integers(8, 40))
        (draw.ellipse if number % 2 else draw.rectangle)(box, fill=tuple(rng.integers(0, 255, 3).tolist()))
    return image


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


TWINS = {
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "double": lambda image: image.resize((2 * image.width, 2 * image.height), Image.Resampling.BICUBIC),
    "squashed": lambda image: image.resize((64, 64)),
    "JPEG of quality 70": lambda image: as_jpeg(image, 70),
    "JPEG of quality 30": lambda image: as_jpeg(image, 30),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.12),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.88),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.15),
    "half, brighter JPEG": lambda image: as_jpeg(ImageEnhance.Brightness(image.resize((48, 36))).enhance(1.08), 75),
}
