"""RandAugment's operations on a batch whose images each have their own: few kernel calls, whatever the strengths are.

Rotation, shear and translation of all images are one nearest-neighbor lookup with a matrix per image; a color factor
is a blend with a factor per image; everything else runs once per group of images that share operation and value. The
pixels are those of ``operations.apply`` on each image alone, except for blends, where a rounding to the next level may
fall to the other side.
"""

import math

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.magnitudes import FACTORS
from lit_cnn.data.augmentation.operations import Fill, Step, apply, fill_levels

GEOMETRY = ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY")


def apply_steps(images: Tensor, steps: list[list[Step]], fill: Fill = None) -> Tensor:
    """Apply to image n of uint8 (N, C, H, W) its operations ``steps[n]`` in order; the input is not changed."""
    images = images.clone()
    for turn in range(max((len(own) for own in steps), default=0)):
        groups: dict[str | Step, list[int]] = {}
        for row, own in enumerate(steps):
            if turn < len(own) and own[turn].name != "Identity":
                groups.setdefault(_group(own[turn]), []).append(row)
        for group, rows in groups.items():
            images[rows] = _apply_group(images[rows], group, [steps[row][turn] for row in rows], fill)
    return images


def _group(step: Step) -> str | Step:
    """What the images of one kernel call have in common."""
    if step.name in GEOMETRY:
        return "geometry"
    return step.name if step.name in FACTORS else step


def _apply_group(images: Tensor, group: str | Step, steps: list[Step], fill: Fill) -> Tensor:
    if isinstance(group, Step):
        return apply(images, group, fill)
    return move(images, steps, fill) if group == "geometry" else blend(images, group, [step.value for step in steps])


def _inverse_matrix(step: Step, height: int, width: int) -> list[float]:
    """Rows (x, y, 1) -> x and (x, y, 1) -> y from a pixel of the result to its origin, both counted from the center.

    The shears leave the upper left corner in place, as ``operations.apply`` does.
    """
    name, value, _ = step
    if name == "Rotate":
        turn = math.radians(-value)
        return [math.cos(turn), math.sin(turn), 0.0, -math.sin(turn), math.cos(turn), 0.0]
    angle = math.radians(math.degrees(math.atan(value)))  # through degrees, to the same last digit
    if name == "ShearX":
        value = math.tan(angle)
        return [1.0, value, value * height / 2, 0.0, 1.0, 0.0]
    if name == "ShearY":
        value = math.sin(angle) / math.cos(angle)
        return [1.0, 0.0, 0.0, value, 1.0, value * width / 2]
    across, down = (int(value), 0) if name == "TranslateX" else (0, int(value))
    return [1.0, 0.0, -float(across), 0.0, 1.0, -float(down)]


def _origins(steps: list[Step], height: int, width: int) -> Tensor:
    """(N, H * W) int64: which pixel of an image each pixel of its result shows; H * W where it lies outside."""
    matrices = torch.tensor([_inverse_matrix(step, height, width) for step in steps]).view(-1, 2, 3)
    across = torch.linspace((1.0 - width) / 2, (width - 1.0) / 2, width).expand(height, width)
    down = torch.linspace((1.0 - height) / 2, (height - 1.0) / 2, height)[:, None].expand(height, width)
    places = torch.stack([across, down, torch.ones(height, width)], -1).view(1, -1, 3)
    sides = torch.tensor([width, height])
    found = torch.matmul(places, matrices.transpose(1, 2) / (sides / 2))
    column, row = found.add_(1).mul_(sides).sub_(1).div_(2).round_().unbind(2)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return torch.where(inside, row * width + column, height * width).long()


def move(images: Tensor, steps: list[Step], fill: Fill = None) -> Tensor:
    """Rotate, shear or translate image n of uint8 (N, C, H, W) by ``steps[n]``; a pixel takes its nearest origin."""
    count, channels, height, width = images.shape
    numbers = {step: number for number, step in enumerate(dict.fromkeys(steps))}
    origins = _origins(list(numbers), height, width)[torch.tensor([numbers[step] for step in steps])]
    levels = torch.tensor(fill_levels(fill, channels) or [0.0] * channels).round().to(images.dtype)
    source = torch.cat([images.flatten(2), levels[:, None].expand(count, channels, 1)], 2)
    return source.gather(2, origins[:, None].expand(-1, channels, -1)).view_as(images)


def blend(images: Tensor, name: str, factors: list[float]) -> Tensor:
    """Change brightness, color, contrast or sharpness (``name``) of image n of uint8 (N, C, H, W) by ``factors[n]``.

    A factor of 1 changes nothing, of 0 gives black, gray, a flat mean or a smoothed image.
    """
    if name == "Color" and images.shape[1] == 1:
        return images
    other = _opposite(images, name)
    factor = torch.tensor(factors, dtype=torch.float64).view(-1, 1, 1, 1)
    if other is None:
        pixels = images * factor.float()
    elif name == "Sharpness":
        pixels = images.float()
        pixels.addcmul_(other.sub_(pixels), (1.0 - factor).float())
    else:
        pixels = (images * factor.float()).addcmul_(other, (1.0 - factor).float())
    return pixels.clamp_(0, 255).to(torch.uint8)


def _opposite(images: Tensor, name: str) -> Tensor | None:
    """The image of factor 0, float32; None for black."""
    if name == "Brightness":
        return None
    if name == "Sharpness":
        return functional.adjust_sharpness(images, 0.0).float()
    gray = functional.adjust_saturation(images, 0.0)[:, :1].float()
    return gray if name == "Color" else gray.mean((1, 2, 3), keepdim=True)
