"""Random brightness, contrast, saturation and hue, in random order, then PCA lighting."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.lighting import lighting_batch, lighting_transforms
from lit_cnn.data.settings import require


@dataclass(frozen=True)
class ColorJitter:
    """Random change of colors: brightness, contrast, saturation and hue in random order, then lighting.

    Args:
        brightness: a factor is drawn from [max(0, 1 - brightness), 1 + brightness]; 0 is off.
        contrast: the same for contrast.
        saturation: the same for saturation (no effect on gray images).
        hue: the hue turns by an angle drawn from [-hue, hue] of a full circle, at most 0.5.
        lighting: AlexNet's PCA color noise (Krizhevsky et al. 2012, section 4.1): one color is added to all pixels of
            an image, the sum of the principal components of ImageNet's RGB pixels, each times its eigenvalue and a
            normal draw of this standard deviation (the paper's is 0.1); 0 is off. RGB images only.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    lighting: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation", "lighting"):
            require(getattr(self, name) >= 0, f"color_jitter.{name}", getattr(self, name), "0 or positive")
        require(0.0 <= self.hue <= 0.5, "color_jitter.hue", self.hue, "between 0 and 0.5")

    @property
    def enabled(self) -> bool:
        """Whether any of the first four is on."""
        return any((self.brightness, self.contrast, self.saturation, self.hue))


def color_jitter_batch(images: Tensor, settings: ColorJitter, draws: Draws) -> Tensor:
    """Change the colors of each uint8 image of (N, C, H, W), in its own random order."""
    if settings.enabled:
        images = _jitter_batch(images, settings, draws)
    return lighting_batch(images, settings.lighting, draws)


def _jitter_batch(images: Tensor, settings: ColorJitter, draws: Draws) -> Tensor:
    draw = draws("color_jitter", 8)
    order = draw[:, 4:].argsort(1)
    spans = [(max(0.0, 1 - span), 1 + span) for span in (settings.brightness, settings.contrast, settings.saturation)]
    images = images.clone()
    for turn in range(4):
        for kind, (low, high) in enumerate([*spans, (-settings.hue, settings.hue)]):
            rows = (order[:, turn] == kind).nonzero().flatten()
            if low < high and len(rows):
                images[rows] = jitter(images[rows], kind, low + (high - low) * draw[rows, kind])
    return images


def jitter(images: Tensor, kind: int, factors: Tensor) -> Tensor:
    """Change each image by its own factor as torchvision does; kinds: 0 brightness, 1 contrast, 2 saturation, 3 hue."""
    if kind == 2 and images.shape[1] == 1:
        return images
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


def color_jitter_transforms(settings: ColorJitter) -> list[v2.Transform]:
    """The same for one PIL image."""
    steps: list[v2.Transform] = []
    if settings.enabled:
        steps.append(v2.ColorJitter(settings.brightness, settings.contrast, settings.saturation, settings.hue))
    return [*steps, *lighting_transforms(settings.lighting)]
