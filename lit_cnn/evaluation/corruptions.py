"""Common corruptions of images at five severities (Hendrycks and Dietterich 2019, arXiv:1903.12261).

Twelve of the paper's kinds, rewritten, with the constants of its public ImageNet-C script for images above 64 px and
of its CIFAR-10-C script up to 64 px; lengths are pixels and not scaled with the image. Pixels x are in [0, 1]; results
are clamped and rounded to uint8.

================= ========================================= ============================== =============================
kind              formula                                   above 64 px, severity 1 to 5   up to 64 px, severity 1 to 5
================= ========================================= ============================== =============================
gaussian_noise    x + s n, n normal                         s .08 .12 .18 .26 .38          s .04 .06 .08 .09 .10
shot_noise        Poisson(c x) / c                          c 60 25 12 5 3                 c 500 250 100 75 50
impulse_noise     share p becomes 0 or 1                    p .03 .06 .09 .17 .27          p .01 .02 .03 .05 .07
defocus_blur      disk of radius r, smoothed by a           r 3 4 6 8 10                   r .3 .4 .5 1 1.5
                  Gaussian of s                             s .1 .5 .5 .5 .5               s .4 .5 .6 .2 .1
motion_blur       one-sided Gaussian of s over 2 r + 1      r 10 15 15 15 20               r 6 6 6 8 9
                  pixels, angle uniform in +-45 degrees     s 3 5 8 12 15                  s 1 1.5 2 2 2.5
zoom_blur         mean of x and its zooms by 1, 1 + d, …,   z 1.10 1.15 1.20 1.24 1.30     z 1.05 1.10 1.15 1.20 1.25
                  z                                         d .01 .01 .02 .02 .03          d .01
fog               (x + a f) max / (max + a), f a plasma     a 1.5 2 2.5 2.5 3              a .2 .5 .75 1 1.5
                  in [0, 1] of decay w                      w 2 2 1.7 1.5 1.4              w 3 3 2.5 2 1.75
brightness        V + b in HSV                              b .1 .2 .3 .4 .5               b .05 .1 .15 .2 .3
contrast          (x - mean) c + mean, per channel          c .4 .3 .2 .1 .05              c .75 .5 .4 .3 .15
saturate          S a + b in HSV                            a .3 .1 2 5 20                 a .3 .1 1.5 2 2.5
                                                            b 0 0 0 .1 .2                  b 0 0 0 .1 .2
pixelate          box filter to the share c of the side     c .6 .5 .4 .3 .25              c .95 .9 .85 .75 .65
jpeg_compression  quality q                                 q 25 18 15 10 7                q 80 65 58 50 40
================= ========================================= ============================== =============================

The draws of an image follow from (seed, row, kind) and are the same at every severity. Unlike the published sets, the
images are not stored as JPEG of quality 85 afterwards, pixels without color stay gray under saturate, and glass blur,
snow, frost (photographs of ice) and the elastic transform are missing: figures compare networks with each other, not
with the paper's mCE.
"""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.preprocessing import Preprocessing, evaluate_images
from lit_cnn.evaluation.choices import SEVERITIES
from lit_cnn.randomness import generator

SMALL = 64
"""Largest side in pixels at which an image gets the constants of CIFAR-10-C."""

Draws = Sequence[Generator]
"""One generator for each image."""


def _gaussian_noise(pixels: Tensor, draws: Draws, deviation: float) -> Tensor:
    noise = torch.stack([torch.randn(pixels.shape[1:], generator=draw) for draw in draws])
    return pixels + deviation * noise


def _shot_noise(pixels: Tensor, draws: Draws, photons: float) -> Tensor:
    counts = [torch.poisson(photons * image, generator=draw) for image, draw in zip(pixels, draws, strict=True)]
    return torch.stack(counts) / photons


def _impulse_noise(pixels: Tensor, draws: Draws, share: float) -> Tensor:
    """The lower half of the share becomes 0, the upper half 1; a value that is hit stays hit at higher shares."""
    chance = torch.stack([torch.rand(pixels.shape[1:], generator=draw) for draw in draws])
    return torch.where(chance < share / 2, 0.0, torch.where(chance > 1 - share / 2, 1.0, pixels))


def _defocus_blur(pixels: Tensor, _: Draws, radius: float, smoothing: float) -> Tensor:
    width = 3 if radius <= 8 else 5
    half = math.ceil(radius) + width // 2
    distance = torch.arange(-half, half + 1) ** 2
    disk = (distance[:, None] + distance <= radius**2).float()
    kernel = functional.gaussian_blur(disk[None] / disk.sum(), [width, width], [smoothing, smoothing])
    single = pixels.flatten(0, 1)[:, None]  # one kernel for every image and channel
    blurred = F.conv2d(F.pad(single, [half] * 4, mode="reflect"), kernel[None])
    return blurred.view_as(pixels)


def _motion_blur(pixels: Tensor, draws: Draws, radius: float, deviation: float) -> Tensor:
    reach = 2 * int(radius)
    weights = torch.exp(-(torch.arange(reach + 1) ** 2) / (2 * deviation**2))
    angles = [math.radians(90 * float(torch.rand((), generator=draw)) - 45) for draw in draws]
    height, width = pixels.shape[-2:]
    padded = F.pad(pixels, [reach] * 4, mode="replicate")
    blurred = torch.zeros_like(pixels)
    for image, source, angle in zip(blurred, padded, angles, strict=True):
        for step, weight in enumerate((weights / weights.sum()).tolist()):
            top, left = reach + round(step * math.sin(angle)), reach + round(step * math.cos(angle))
            image += weight * source[:, top : top + height, left : left + width]
    return blurred


def _zoom_blur(pixels: Tensor, _: Draws, largest: float, step: float) -> Tensor:
    total = pixels.clone()
    steps = round((largest - 1) / step) + 1
    for number in range(steps):
        total += _zoomed(pixels, 1 + number * step)
    return total / (steps + 1)


def _zoomed(pixels: Tensor, factor: float) -> Tensor:
    """The central part, enlarged to the same size."""
    sides = pixels.shape[-2:]
    part = functional.center_crop(pixels, [math.ceil(side / factor) for side in sides])
    enlarged = [max(side, round(inner * factor)) for side, inner in zip(sides, part.shape[-2:], strict=True)]
    return functional.center_crop(F.interpolate(part, enlarged, mode="bilinear", align_corners=True), list(sides))


def _fog(pixels: Tensor, draws: Draws, thickness: float, decay: float) -> Tensor:
    height, width = pixels.shape[-2:]
    side = 2 ** math.ceil(math.log2(max(height, width)))
    noise = torch.stack([2 * torch.rand((side, side), generator=draw) - 1 for draw in draws])
    haze = plasma(noise, decay)[:, None, :height, :width]
    brightest = pixels.amax((1, 2, 3), keepdim=True)
    return (pixels + thickness * haze) * brightest / (brightest + thickness)


def plasma(noise: Tensor, decay: float) -> Tensor:
    """Fractal maps in [0, 1] by the diamond-square algorithm (Fournier, Fussell and Carpenter, 1982) on a torus.

    Args:
        noise: (n, S, S) in [-1, 1], S a power of two.
        decay: The noise's amplitude falls by its square with each halving of the distance of the points.
    """
    side = noise.shape[-1]
    height = torch.zeros_like(noise)
    step, amplitude = side, 1.0
    while step >= 2:
        half = step // 2
        corners = height[:, ::step, ::step]
        across = corners + corners.roll(-1, 2)
        centers = (across + across.roll(-1, 1)) / 4 + amplitude * noise[:, half::step, half::step]
        height[:, half::step, half::step] = centers
        upright, level = centers + centers.roll(1, 1), centers + centers.roll(1, 2)
        height[:, ::step, half::step] = (upright + across) / 4 + amplitude * noise[:, ::step, half::step]
        down = corners + corners.roll(-1, 1)
        height[:, half::step, ::step] = (level + down) / 4 + amplitude * noise[:, half::step, ::step]
        step, amplitude = half, amplitude / decay**2
    low, high = height.amin((1, 2), keepdim=True), height.amax((1, 2), keepdim=True)
    return (height - low) / (high - low)


def _brightness(pixels: Tensor, _: Draws, shift: float) -> Tensor:
    """Hue and saturation stay, so all channels grow by the same factor; black becomes gray."""
    value = pixels.amax(1, keepdim=True)
    wanted = (value + shift).clamp(max=1)
    return torch.where(value > 0, pixels * wanted / value.clamp(min=1e-6), wanted)


def _contrast(pixels: Tensor, _: Draws, factor: float) -> Tensor:
    mean = pixels.mean((2, 3), keepdim=True)
    return (pixels - mean) * factor + mean


def _saturate(pixels: Tensor, _: Draws, factor: float, shift: float) -> Tensor:
    """Hue and value stay, so all channels move towards or away from the largest by the same factor."""
    value = pixels.amax(1, keepdim=True)
    saturation = (value - pixels.amin(1, keepdim=True)) / value.clamp(min=1e-6)
    wanted = (saturation * factor + shift).clamp(max=1)
    return value - (value - pixels) * wanted / saturation.clamp(min=1e-6)


def _pixelate(pixels: Tensor, _: Draws, share: float) -> Tensor:
    height, width = pixels.shape[-2:]
    small = max(1, int(width * share)), max(1, int(height * share))
    box = Image.Resampling.BOX
    return _by_pil(pixels, lambda image: image.resize(small, box).resize((width, height), box))


def _jpeg_compression(pixels: Tensor, _: Draws, quality: float) -> Tensor:
    def compressed(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return _by_pil(pixels, compressed)


def _by_pil(pixels: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    images = [change(functional.to_pil_image(image)) for image in _levels(pixels)]
    return torch.stack([functional.pil_to_tensor(image) for image in images]) / 255


def _levels(pixels: Tensor) -> Tensor:
    return (pixels.clamp(0, 1) * 255).round().to(torch.uint8)


@dataclass(frozen=True)
class Corruption:
    """One kind: ``apply(pixels, draws, *values)``, with the values of each severity above and up to 64 px."""

    apply: Callable[..., Tensor]
    large: tuple[tuple[float, ...], ...]
    small: tuple[tuple[float, ...], ...]


def _each(*values: float) -> tuple[tuple[float, ...], ...]:
    return tuple((value,) for value in values)


CORRUPTIONS = {
    "gaussian_noise": Corruption(
        _gaussian_noise, _each(0.08, 0.12, 0.18, 0.26, 0.38), _each(0.04, 0.06, 0.08, 0.09, 0.10)
    ),
    "shot_noise": Corruption(_shot_noise, _each(60, 25, 12, 5, 3), _each(500, 250, 100, 75, 50)),
    "impulse_noise": Corruption(
        _impulse_noise, _each(0.03, 0.06, 0.09, 0.17, 0.27), _each(0.01, 0.02, 0.03, 0.05, 0.07)
    ),
    "defocus_blur": Corruption(
        _defocus_blur,
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    ),
    "motion_blur": Corruption(
        _motion_blur,
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    ),
    "zoom_blur": Corruption(
        _zoom_blur,
        ((1.10, 0.01), (1.15, 0.01), (1.20, 0.02), (1.24, 0.02), (1.30, 0.03)),
        ((1.05, 0.01), (1.10, 0.01), (1.15, 0.01), (1.20, 0.01), (1.25, 0.01)),
    ),
    "fog": Corruption(
        _fog,
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    ),
    "brightness": Corruption(_brightness, _each(0.1, 0.2, 0.3, 0.4, 0.5), _each(0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": Corruption(_contrast, _each(0.4, 0.3, 0.2, 0.1, 0.05), _each(0.75, 0.5, 0.4, 0.3, 0.15)),
    "saturate": Corruption(
        _saturate,
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
    ),
    "pixelate": Corruption(_pixelate, _each(0.6, 0.5, 0.4, 0.3, 0.25), _each(0.95, 0.9, 0.85, 0.75, 0.65)),
    "jpeg_compression": Corruption(_jpeg_compression, _each(25, 18, 15, 10, 7), _each(80, 65, 58, 50, 40)),
}
"""Kind -> how it is made."""


def corrupt(images: Tensor, kind: str, severity: int, rows: Tensor, seed: int = 0) -> Tensor:
    """Corrupt uint8 images.

    Args:
        images: uint8 (n, C, H, W), C = 1 or 3; not changed.
        kind: A key of ``CORRUPTIONS``.
        severity: 1 to 5.
        rows: int64 (n,), the images' numbers in their split.
        seed: First part of the key (seed, row, kind) of an image's draws.

    Returns:
        uint8 of the same shape.

    Raises:
        ValueError: If there is no such kind or severity.
    """
    if kind not in CORRUPTIONS:
        raise ValueError(f"there is no corruption {kind!r}; there are {', '.join(CORRUPTIONS)}")
    if severity not in SEVERITIES:
        raise ValueError(f"a corruption's severity is 1 to 5, got {severity}")
    corruption = CORRUPTIONS[kind]
    values = corruption.small if max(images.shape[-2:]) <= SMALL else corruption.large
    draws = [generator(seed, row, kind) for row in rows.tolist()]
    return _levels(corruption.apply(images.float() / 255, draws, *values[severity - 1]))


@dataclass(frozen=True)
class CorruptedViews:
    """The center crop as view 0, then each kind at each severity, kinds outermost; picklable.

    The crop is corrupted, not the image before it, as in ImageNet-C.

    Args:
        preprocessing: Of the checkpoint.
        kinds: Keys of ``CORRUPTIONS``.
        severities: Of 1 to 5.
        seed: First part of the draws' key.
    """

    preprocessing: Preprocessing
    kinds: tuple[str, ...]
    severities: tuple[int, ...]
    seed: int = 0

    def __call__(self, images: Tensor, rows: Tensor) -> list[Tensor]:
        """One uint8 tensor (n, 1 + kinds · severities, C, S, S)."""
        clean = evaluate_images(images, self.preprocessing)
        corrupted = [
            corrupt(clean, kind, severity, rows, self.seed) for kind in self.kinds for severity in self.severities
        ]
        return [torch.stack([clean, *corrupted], 1)]
