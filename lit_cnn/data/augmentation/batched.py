"""The training pipeline on a whole uint8 batch (N, C, H, W), for sets that lie in memory.

Every parameter is hashed from (seed, epoch, index, repeat, operation), so an image's result does not depend on the
batch it comes in. Operations are vectorized over the batch, those of RandAugment and its relatives over the images that
drew the same kind (``batched_operations.py``).
"""

import math

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.augmentation.batched_operations import apply_steps
from lit_cnn.data.augmentation.drawing import (
    LAYER_DRAWS,
    POLICY_DRAWS,
    auto_augment_fill,
    auto_augment_steps,
    rand_augment_fill,
    rand_augment_steps,
)
from lit_cnn.data.augmentation.lighting import add_colours, colours
from lit_cnn.data.augmentation.per_image import require_size
from lit_cnn.data.augmentation.plan import Augmentation
from lit_cnn.data.erasing_settings import Cutout, RandomErasing
from lit_cnn.data.settings import ColorJitter, Crop
from lit_cnn.randomness import derive_key, fold, uniform

ATTEMPTS = 10  # tries of torchvision's random rectangles before they fall back


class Draws:
    """Uniform numbers of each image of a batch, by the name of the operation that uses them.

    Args:
        seed: key of the run.
        epoch: epoch.
        index: (N,) int64 rows of the split.
        repeat: (N,) int64 copies.
    """

    def __init__(self, seed: int, epoch: int, index: Tensor, repeat: Tensor) -> None:
        self.keys = fold(fold(derive_key(seed, epoch), index), repeat)

    def __call__(self, name: str, count: int) -> Tensor:
        """(N, count) float32 in [0, 1)."""
        return uniform(fold(self.keys, derive_key(name))[:, None], torch.arange(count))


def augment(images: Tensor, settings: Augmentation, draws: Draws) -> Tensor:
    """Augment uint8 images (N, C, H, W) to (N, C, image_size, image_size); the input is not changed."""
    return distort(frame(images, settings, draws), settings, draws)


def frame(images: Tensor, settings: Augmentation, draws: Draws) -> Tensor:
    """The first part of ``augment``: crop and flips."""
    images = crop(images, settings.crop, settings.image_size, draws)
    for name, probability, dim in (("flip-x", settings.flip.horizontal, 3), ("flip-y", settings.flip.vertical, 2)):
        if probability:
            chosen = draws(name, 1) < probability
            images = torch.where(chosen[:, :, None, None], images.flip(dim), images)
    return images


def distort(images: Tensor, settings: Augmentation, draws: Draws) -> Tensor:
    """The second part of ``augment``: colours and all that follows, on images of the final size."""
    if settings.color_jitter.enabled:
        images = color_jitter(images, settings.color_jitter, draws)
    if settings.color_jitter.lighting:
        images = add_colours(images, colours(draws("lighting", 3), settings.color_jitter.lighting))
    if settings.shear.degrees:
        images = shear(images, settings.shear.degrees, settings.fill, draws)
    height, width = images.shape[-2:]
    if settings.auto_augment != "none":
        policy, rows = settings.auto_augment, draws("auto_augment", POLICY_DRAWS).tolist()
        steps = [auto_augment_steps(row, policy, height, width) for row in rows]
        images = apply_steps(images, steps, auto_augment_fill(policy))
    if settings.rand_augment.layers:
        rand = settings.rand_augment
        rows = draws("rand_augment", LAYER_DRAWS * rand.layers).tolist()
        steps = [rand_augment_steps(row, rand, height, width) for row in rows]
        images = apply_steps(images, steps, rand_augment_fill(rand, settings.fill))
    if settings.cutout.size:
        images = cutout(images, settings.cutout, settings.fill, draws)
    if settings.random_erasing.probability:
        images = random_erasing(images, settings.random_erasing, settings.fill, draws)
    return images


def crop(images: Tensor, settings: Crop, size: int, draws: Draws) -> Tensor:
    """Bring images to ``size`` x ``size`` as ``settings.kind`` says."""
    mode = InterpolationMode(settings.interpolation)
    if settings.kind == "none":
        require_size(images.shape[2], images.shape[3], size)
        return images
    if settings.kind == "random_resized":
        return random_resized_crop(images, settings, size, mode, draws)
    if settings.kind == "shorter_side":
        return shorter_side_crop(images, settings, size, mode, draws)
    if min(images.shape[-2:]) != size:
        images = functional.resize(images, [size], interpolation=mode, antialias=True)
    if settings.kind == "resize":
        return functional.center_crop(images, [size, size])
    return pad_crop(images, settings.padding, size, draws)


def pad_crop(images: Tensor, padding: int, size: int, draws: Draws) -> Tensor:
    """Pad every side with black and cut a window of ``size`` at a uniform place."""
    return _windows(torch.nn.functional.pad(images, [padding] * 4), size, draws("crop", 2))


def _windows(images: Tensor, size: int, draw: Tensor) -> Tensor:
    """Cut a ``size`` x ``size`` window from each image; ``draw`` (N, 2) in [0, 1) places it down and across."""
    height, width = images.shape[-2:]
    top, left = (draw[:, 0] * (height - size + 1)).long(), (draw[:, 1] * (width - size + 1)).long()
    windows = np.lib.stride_tricks.sliding_window_view(images.numpy(), (size, size), axis=(2, 3))
    return torch.from_numpy(windows[np.arange(len(images)), :, top.numpy(), left.numpy()])


def shorter_side_crop(images: Tensor, settings: Crop, size: int, mode: InterpolationMode, draws: Draws) -> Tensor:
    """Bring each image's shorter side to its own length and cut a window of ``size`` at a uniform place."""
    draw, (low, high) = draws("crop", 3), settings.shorter_side
    lengths = low + (draw[:, 2] * (high - low + 1)).long()
    out = images.new_empty(len(images), images.shape[1], size, size)
    for length in lengths.unique().tolist():
        rows = (lengths == length).nonzero().flatten()
        resized = functional.resize(images[rows], [length], interpolation=mode, antialias=True)
        if settings.central:
            resized = functional.center_crop(resized, [length, length])
        out[rows] = _windows(resized, size, draw[rows])
    return out


def _rectangles(
    draw: Tensor, scale: tuple[float, float], ratio: tuple[float, float], area: int
) -> tuple[Tensor, Tensor]:
    """Two side lengths (N, ATTEMPTS), whose quotient first / second is log-uniform in ``ratio``, from draws of the same
    shape in ``draw[..., 0]`` and ``draw[..., 1]``."""
    target = area * (scale[0] + (scale[1] - scale[0]) * draw[..., 0].double())
    low, high = math.log(ratio[0]), math.log(ratio[1])
    quotient = torch.exp(low + (high - low) * draw[..., 1].double())
    return (target * quotient).sqrt().round().long(), (target / quotient).sqrt().round().long()


def _first_fitting(fits: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) number of the first true attempt and whether there is one, of (N, ATTEMPTS)."""
    return fits.int().argmax(1), fits.any(1)


def random_resized_crop(images: Tensor, settings: Crop, size: int, mode: InterpolationMode, draws: Draws) -> Tensor:
    """Cut a rectangle of random area and ratio from each image and resize it; the largest central one if none fits."""
    height, width = images.shape[-2:]
    draw = draws("crop", 4 * ATTEMPTS).view(-1, ATTEMPTS, 4)
    widths, heights = _rectangles(draw, settings.scale, settings.ratio, height * width)
    chosen, found = _first_fitting((widths <= width) & (heights <= height) & (widths > 0) & (heights > 0))
    ratio = min(max(width / height, settings.ratio[0]), settings.ratio[1])
    central = min(height, round(width / ratio)), min(width, round(height * ratio))
    out = []
    for row, (attempt, fits) in enumerate(zip(chosen.tolist(), found.tolist(), strict=True)):
        high, wide = (heights[row, attempt].item(), widths[row, attempt].item()) if fits else central
        top = int(draw[row, attempt, 2] * (height - high + 1)) if fits else (height - high) // 2
        left = int(draw[row, attempt, 3] * (width - wide + 1)) if fits else (width - wide) // 2
        part = images[row, :, top : top + int(high), left : left + int(wide)]
        out.append(functional.resize(part, [size, size], interpolation=mode, antialias=True))
    return torch.stack(out)


def color_jitter(images: Tensor, settings: ColorJitter, draws: Draws) -> Tensor:
    """Brightness, contrast, saturation and hue of each image, in its own random order."""
    draw = draws("color_jitter", 8)
    order = draw[:, 4:].argsort(1)
    spans = [(max(0.0, 1 - span), 1 + span) for span in (settings.brightness, settings.contrast, settings.saturation)]
    images = images.clone()
    for turn in range(4):
        for kind, (low, high) in enumerate([*spans, (-settings.hue, settings.hue)]):
            rows = (order[:, turn] == kind).nonzero().flatten()
            if low < high and len(rows):
                images[rows] = _jitter(images[rows], kind, low + (high - low) * draw[rows, kind])
    return images


def _jitter(images: Tensor, kind: int, factors: Tensor) -> Tensor:
    """Change each image by its own factor as torchvision does; kinds: 0 brightness, 1 contrast, 2 saturation, 3 hue."""
    if kind == 3:
        pairs = zip(images, factors.tolist(), strict=True)
        return torch.stack([functional.adjust_hue(image, factor) for image, factor in pairs])
    pixels, factor = images.float(), factors[:, None, None, None]
    if kind == 0:
        return (pixels * factor).clamp(0, 255).to(torch.uint8)
    other = _gray(pixels) if images.shape[1] == 3 else pixels
    if kind == 1:
        other = other.mean((1, 2, 3), keepdim=True, dtype=torch.float64).float()
    return (pixels * factor + other * (1 - factor)).clamp(0, 255).to(torch.uint8)


def _gray(pixels: Tensor) -> Tensor:
    """Luma (N, 1, H, W) of RGB levels, in whole levels."""
    red, green, blue = pixels.unbind(1)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).floor().unsqueeze(1)


def shear(images: Tensor, degrees: float, fill: tuple[int, ...], draws: Draws) -> Tensor:
    """Shear each image horizontally by an angle uniform in [-degrees, degrees]."""
    angles = ((2 * draws("shear", 1)[:, 0] - 1) * degrees).tolist()
    color = [float(level) for level in fill]
    mode = InterpolationMode.BILINEAR
    sheared = [
        functional.affine(
            image, angle=0.0, translate=[0, 0], scale=1.0, shear=[angle, 0.0], interpolation=mode, fill=color
        )
        for image, angle in zip(images, angles, strict=True)
    ]
    return torch.stack(sheared)


def _fill_boxes(
    images: Tensor, box: tuple[Tensor, Tensor, Tensor, Tensor], chosen: Tensor, fill: tuple[int, ...]
) -> Tensor:
    """Fill rows top..bottom and columns left..right (exclusive ends, (N,) each) of the chosen images."""
    top, bottom, left, right = (edge[:, None] for edge in box)
    rows, columns = torch.arange(images.shape[2]), torch.arange(images.shape[3])
    inside = ((rows >= top) & (rows < bottom) & chosen[:, None])[:, :, None] & ((columns >= left) & (columns < right))[
        :, None
    ]
    color = torch.tensor(fill, dtype=images.dtype).view(1, -1, 1, 1)
    return torch.where(inside[:, None], color, images)


def cutout(images: Tensor, settings: Cutout, fill: tuple[int, ...], draws: Draws) -> Tensor:
    """Fill a square of each chosen image; its centre is uniform over the pixels and parts may lie outside."""
    draw = draws("cutout", 3)
    top = (draw[:, 1] * images.shape[2]).long() - settings.size // 2
    left = (draw[:, 2] * images.shape[3]).long() - settings.size // 2
    box = top, top + settings.size, left, left + settings.size
    return _fill_boxes(images, box, draw[:, 0] < settings.probability, fill)


def random_erasing(images: Tensor, settings: RandomErasing, fill: tuple[int, ...], draws: Draws) -> Tensor:
    """Fill a rectangle inside each chosen image; an image into which no attempt fits stays whole."""
    height, width = images.shape[-2:]
    draw = draws("random_erasing", 4 * ATTEMPTS + 1)
    chosen, draw = draw[:, -1] < settings.probability, draw[:, :-1].view(-1, ATTEMPTS, 4)
    heights, widths = _rectangles(draw, settings.scale, settings.ratio, height * width)
    attempt, found = _first_fitting((heights < height) & (widths < width))
    pick = torch.arange(len(images)), attempt
    high, wide, place = heights[pick], widths[pick], draw[pick]
    top, left = (place[:, 2] * (height - high + 1)).long(), (place[:, 3] * (width - wide + 1)).long()
    return _fill_boxes(images, (top, top + high, left, left + wide), chosen & found, fill)
