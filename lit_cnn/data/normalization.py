"""Between pixels 0 to 255 and the network's units, on any device."""

import torch
from torch import Tensor

from lit_cnn.upload import upload


def _affine(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """(1, C, 1, 1) factor and offset of pixels 0..255; the statistics are of pixels in [0, 1]."""
    means, stds = torch.tensor(mean), torch.tensor(std)
    factor, offset = upload(torch.stack([1.0 / (255.0 * stds), -means / stds]), device).view(2, 1, -1, 1, 1)
    return factor, offset


def normalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """uint8 (N, C, H, W) -> float32 channels_last, (pixel / 255 - mean) / std."""
    scale, shift = _affine(mean, std, images.device)
    return torch.addcmul(shift, images.to(torch.float32, memory_format=torch.channels_last), scale)


def denormalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Undo ``normalize`` for pictures: float (N, C, H, W) -> uint8, rounded and clamped."""
    scale, shift = _affine(mean, std, images.device)
    return ((images.float() - shift) / scale).round().clamp(0, 255).to(torch.uint8)
