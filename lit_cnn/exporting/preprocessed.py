"""A network with its preprocessing in front: decoded pixels of any size in, logits out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.data.preprocessing import Preprocessing

INPUT = "images"
OUTPUT = "logits"
"""Names of the input and the output of an exported graph."""


class PreprocessedNetwork(nn.Module):
    """uint8 (N, H, W, C), as decoders give them, to float32 logits (N, K).

    Images are resized as Pillow does it: width first, then height, each rounded to whole levels from 0 to 255. One pass
    without rounding differs by up to 20 levels for bicubic filters, which overshoot.

    Args:
        network: Takes normalized (N, C, height, width).
        preprocessing: Size, crop, filter, mean and standard deviation.

    Raises:
        ValueError: If the crop is larger than what is resized, which would have to be padded.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, network: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        if any(side < crop for side, crop in zip(preprocessing.box, preprocessing.image_size, strict=True)):
            raise ValueError(
                f"the preprocessing resizes to {preprocessing.resize} px and crops more than that, which a graph "
                "cannot do: pass --no-preprocessing"
            )
        self.network, self.preprocessing = network, preprocessing
        shape = (1, -1, 1, 1)
        mean, std = (255 * torch.tensor(stated).view(shape) for stated in (preprocessing.mean, preprocessing.std))
        self.register_buffer("pixel_mean", mean, persistent=False)  # "mean" is what exporters call the mean of a map
        self.register_buffer("pixel_std", std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.network((self.prepared(images) - self.pixel_mean) / self.pixel_std)

    def prepared(self, images: Tensor) -> Tensor:
        """The crops, float32 (N, C, *image_size) of whole levels from 0 to 255."""
        pixels = images.permute(0, 3, 1, 2).to(torch.float32)
        height, width = pixels.shape[-2:]
        high, wide = box = self.preprocessing.box
        if (
            self.preprocessing.resize_mode == "shorter_side"
        ):  # the smallest size of the aspect ratio that covers the box
            high = _larger(box[0], box[1] * height // width)
            wide = _larger(box[1], box[0] * width // height)
        return self._center(self._resized(pixels, high, wide), high, wide)

    def _resized(self, pixels: Tensor, high: int, wide: int) -> Tensor:
        mode = self.preprocessing.interpolation
        if mode == "nearest":
            rows, columns = _nearest(pixels.shape[-2], high, pixels), _nearest(pixels.shape[-1], wide, pixels)
            return pixels.index_select(2, rows).index_select(3, columns)
        narrow = F.interpolate(pixels, size=(pixels.shape[-2], wide), mode=mode, antialias=True)
        resized = F.interpolate(_levels(narrow), size=(high, wide), mode=mode, antialias=True)
        return _levels(resized)

    def _center(self, pixels: Tensor, high: int, wide: int) -> Tensor:
        """Indices, not slices: a slice at a place that depends on the image has no length that a tracer can prove."""
        height, width = self.preprocessing.image_size
        rows = torch.arange(height, device=pixels.device) + _half(high - height)
        columns = torch.arange(width, device=pixels.device) + _half(wide - width)
        return pixels.index_select(2, rows).index_select(3, columns)


def _nearest(length: int, resized: int, like: Tensor) -> Tensor:
    """The pixels of a side that the nearest filter shows, by torch's arithmetic: ONNX's own rounds otherwise."""
    scale = torch.full((), length, dtype=torch.float32) / torch.full((), resized, dtype=torch.float32)
    places = torch.arange(resized, dtype=torch.float32, device=like.device) * scale.to(like.device)
    return places.to(torch.int64).clamp(max=length - 1)


def _levels(pixels: Tensor) -> Tensor:
    """Whole levels, a half rounded up as Pillow does: ``round`` would take the even one, and halves are common."""
    return (pixels + 0.5).floor().clamp(0, 255)


def _larger(one: int, other: int) -> int:
    """Of two sizes, also while they are traced."""
    return torch.sym_max(one, other)  # type: ignore[return-value]


def _half(number: int) -> int:
    """Half, rounded to the even neighbor as Python's round and torchvision do, in arithmetic that a tracer keeps."""
    return number // 2 + (number % 2) * (number // 2 % 2)
