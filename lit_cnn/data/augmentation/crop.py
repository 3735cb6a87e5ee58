"""How a training image becomes image_size x image_size pixels: random resized crop (Inception), pad and crop (CIFAR),
scale jitter (VGG, ResNet), or the center crop."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.rectangles import ATTEMPTS, first_fitting, random_sides
from lit_cnn.data.settings import Decode, Interpolation, require, require_range
from lit_cnn.data.sources.decoding import EncodedImage, reduction


@dataclass(frozen=True)
class Crop:
    """How a training image becomes image_size x image_size pixels.

    Args:
        kind: random_resized takes a random part of random area and aspect ratio and resizes it (Inception crop); pad
            brings the shorter side to image_size, pads with black and crops at random (CIFAR); shorter_side brings the
            shorter side to a random length and crops at random (VGG 256 to 512, ResNet 256 to 480); resize brings the
            shorter side to image_size and crops the center; none requires images that have this size already.
        scale: smallest and largest share of the image's area, of random_resized.
        ratio: smallest and largest width / height, of random_resized.
        padding: pixels added on each side, of pad.
        shorter_side: smallest and largest length in pixels, of shorter_side; the smallest must hold image_size.
        central: cut the central square first and crop inside it, of shorter_side (AlexNet: 256 to 256).
        interpolation: filter used when resizing.
    """

    kind: Literal["random_resized", "pad", "shorter_side", "resize", "none"] = "random_resized"
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    padding: int = 4
    shorter_side: tuple[int, int] = (256, 480)
    central: bool = False
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        require_range("crop.scale", self.scale, 1.0)
        require_range("crop.ratio", self.ratio, float("inf"))
        require(self.padding >= 0, "crop.padding", self.padding, "0 or a positive number of pixels")
        require_range("crop.shorter_side", self.shorter_side, float("inf"))

    def require_fit(self, image_size: int) -> None:
        """Raise a ValueError if shorter_side may make an image smaller than ``image_size``."""
        if self.kind == "shorter_side" and image_size > self.shorter_side[0]:
            raise ValueError(
                f"data.crop.shorter_side begins at {self.shorter_side[0]} pixels, too few for image_size {image_size}; "
                "raise it or choose smaller images"
            )


def require_size(height: int, width: int, image_size: int) -> None:
    """Raise a ValueError unless an image under ``crop.kind`` none has the size the network gets."""
    if (height, width) != (image_size, image_size):
        raise ValueError(
            f"data.crop.kind none needs images of {image_size}x{image_size} pixels (data.image_size), but one has "
            f"{width}x{height}; choose resize, pad or random_resized"
        )


# -- a batch ----------------------------------------------------------------------------------------------------------


def crop_batch(images: Tensor, settings: Crop, size: int, draws: Draws) -> Tensor:
    """Bring uint8 images (N, C, H, W) to (N, C, size, size) as ``settings.kind`` says."""
    mode = InterpolationMode(settings.interpolation)
    if settings.kind == "none":
        require_size(images.shape[2], images.shape[3], size)
        return images
    if settings.kind == "random_resized":
        return random_resized_crop(images, settings, size, draws)
    if settings.kind == "shorter_side":
        return shorter_side_crop(images, settings, size, draws)
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


def shorter_side_crop(images: Tensor, settings: Crop, size: int, draws: Draws) -> Tensor:
    """Bring each image's shorter side to its own length and cut a window of ``size`` at a uniform place."""
    draw, (low, high) = draws("crop", 3), settings.shorter_side
    lengths = low + (draw[:, 2] * (high - low + 1)).long()
    mode = InterpolationMode(settings.interpolation)
    out = images.new_empty(len(images), images.shape[1], size, size)
    for length in lengths.unique().tolist():
        rows = (lengths == length).nonzero().flatten()
        resized = functional.resize(images[rows], [length], interpolation=mode, antialias=True)
        if settings.central:
            resized = functional.center_crop(resized, [length, length])
        out[rows] = _windows(resized, size, draw[rows])
    return out


def random_resized_crop(images: Tensor, settings: Crop, size: int, draws: Draws) -> Tensor:
    """Cut a rectangle of random area and ratio from each image and resize it; the largest central one if none fits."""
    height, width = images.shape[-2:]
    draw = draws("crop", 4 * ATTEMPTS).view(-1, ATTEMPTS, 4)
    widths, heights = random_sides(draw, settings.scale, settings.ratio, height * width)
    chosen, found = first_fitting((widths <= width) & (heights <= height) & (widths > 0) & (heights > 0))
    ratio = min(max(width / height, settings.ratio[0]), settings.ratio[1])
    central = min(height, round(width / ratio)), min(width, round(height * ratio))
    mode = InterpolationMode(settings.interpolation)
    out = []
    for row, (attempt, fits) in enumerate(zip(chosen.tolist(), found.tolist(), strict=True)):
        high, wide = (heights[row, attempt].item(), widths[row, attempt].item()) if fits else central
        top = int(draw[row, attempt, 2] * (height - high + 1)) if fits else (height - high) // 2
        left = int(draw[row, attempt, 3] * (width - wide + 1)) if fits else (width - wide) // 2
        part = images[row, :, top : top + int(high), left : left + int(wide)]
        out.append(functional.resize(part, [size, size], interpolation=mode, antialias=True))
    return torch.stack(out)


# -- one image --------------------------------------------------------------------------------------------------------


def crop_transforms(settings: Crop, image_size: int) -> list[v2.Transform]:
    """The same for one PIL image or uint8 tensor, which becomes a uint8 tensor (C, image_size, image_size)."""
    mode = InterpolationMode(settings.interpolation)
    if settings.kind == "random_resized":
        return [CutThenResize(image_size, settings.scale, settings.ratio, mode)]
    if settings.kind == "none":
        return [v2.PILToTensor(), RequireSize(image_size)]
    if settings.kind == "shorter_side":
        scale = ShorterSide(settings.shorter_side, settings.central, mode)
        return [v2.PILToTensor(), scale, v2.RandomCrop(image_size)]
    resize = [v2.PILToTensor(), v2.Resize(image_size, mode)]
    if settings.kind == "resize":
        return [*resize, v2.CenterCrop(image_size)]
    return [*resize, v2.RandomCrop(image_size, padding=settings.padding or None)]


class RequireSize(v2.Transform):
    """Pass images of exactly image_size x image_size and refuse others."""

    def __init__(self, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image itself; ValueError when its size differs."""
        height, width = functional.get_size(inpt)
        require_size(height, width, self.image_size)
        return inpt


class CutThenResize(v2.RandomResizedCrop):
    """torchvision's random resized crop, with the resize on a uint8 tensor.

    The tensor filter takes a third of PIL's time; its pixels differ from PIL's by one level at most.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Cut the drawn rectangle and resize it: PIL image or uint8 tensor -> uint8 (C, H, W)."""
        part = functional.crop(inpt, **params)
        part = part if isinstance(part, Tensor) else functional.pil_to_tensor(part)
        return functional.resize(part, self.size, interpolation=self.interpolation, antialias=True)

    def cut(self, image: EncodedImage, decode: Decode) -> Tensor:
        """Decode, cut and resize. Reduced, the rectangle of a JPEG is decoded at the smallest scale that leaves it as
        large as the result, and its edges move by up to a pixel of that scale."""
        if decode == "full":
            picture = image.picture()
            return self.transform(picture, self.make_params([picture]))
        sides = image.sides()
        params = self.make_params([torch.empty((1, *sides), device="meta")])
        divisor = reduction((params["height"], params["width"]), max(self.size))
        picture = image.picture(divisor)
        if (picture.height, picture.width) == sides:  # no JPEG, so it came in full
            return self.transform(picture, params)
        top, left = round(params["top"] / divisor), round(params["left"] / divisor)
        height = min(round(params["height"] / divisor), picture.height - top)
        width = min(round(params["width"] / divisor), picture.width - left)
        return self.transform(picture, {"top": top, "left": left, "height": height, "width": width})


class ShorterSide(v2.Transform):
    """Bring the shorter side of an image tensor to a uniform whole length and, if wanted, cut the central square."""

    def __init__(self, lengths: tuple[int, int], central: bool, interpolation: InterpolationMode) -> None:
        super().__init__()
        self.lengths, self.central, self.interpolation = lengths, central, interpolation

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the length in pixels."""
        low, high = self.lengths
        return {"length": int(torch.randint(low, high + 1, ()))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Resize, then cut."""
        length = params["length"]
        image = functional.resize(inpt, [length], interpolation=self.interpolation, antialias=True)
        return functional.center_crop(image, [length, length]) if self.central else image
