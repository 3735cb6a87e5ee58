"""How a training image becomes image_size pixels: random resized crop (Inception), pad and crop (CIFAR), scale jitter
(VGG, ResNet), or the center crop."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.rectangles import ATTEMPTS, first_fitting, random_sides
from lit_cnn.data.image_size import Sides, as_stated, center, covering, in_words, with_shorter_side
from lit_cnn.data.resizing import ResizedImages
from lit_cnn.data.settings import Decode, Interpolation, require, require_range
from lit_cnn.data.sources.decoding import EncodedImage
from lit_cnn.data.sources.window import Window


@dataclass(frozen=True)
class Crop:
    """How a training image becomes image_size pixels.

    Args:
        kind: random_resized takes a random part of random area and aspect ratio and resizes it (Inception crop); pad
            resizes the image until it just covers image_size (for a square: its shorter side has that length), adds a
            border and crops at random (CIFAR); shorter_side brings the shorter side to a random length and crops at
            random (VGG 256 to 512, ResNet 256 to 480); resize resizes the image as pad does and crops the center;
            none requires images that have this size already.
        scale: smallest and largest share of the image's area, of random_resized.
        ratio: smallest and largest width / height of the part, of random_resized; where image_size is not a square,
            relative to its width / height, so that a part is distorted by as much as for a square.
        padding: pixels added on each side, of pad.
        border: what they show, of pad: black, or reflect, the image mirrored at its outermost pixels.
        shorter_side: smallest and largest length in pixels, of shorter_side; the smallest must hold image_size. Where
            that is not a square, it is the shorter side of a box of the same aspect ratio that the image just covers.
        central: cut the central square (for another image_size: the central box) first and crop inside it, of
            shorter_side (AlexNet: 256 to 256).
        interpolation: filter used when resizing.
    """

    kind: Literal["random_resized", "pad", "shorter_side", "resize", "none"] = "random_resized"
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    padding: int = 4
    border: Literal["black", "reflect"] = "black"
    shorter_side: tuple[int, int] = (256, 480)
    central: bool = False
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        require_range("crop.scale", self.scale, 1.0)
        require_range("crop.ratio", self.ratio, float("inf"))
        require(self.padding >= 0, "crop.padding", self.padding, "0 or a positive number of pixels")
        require_range("crop.shorter_side", self.shorter_side, float("inf"))

    @property
    def reflects(self) -> bool:
        """Whether a border is added that mirrors the image."""
        return self.kind == "pad" and self.border == "reflect"

    def require_fit(self, size: Sides) -> None:
        """Raise a ValueError if shorter_side may make an image smaller than ``size``, or the border reflects more than
        a window of ``size`` shows of the image."""
        if self.reflects and 2 * self.padding >= min(size):
            raise ValueError(
                f"data.crop.padding is {self.padding}, too much for a reflecting border around image_size "
                f"{as_stated(size)}; it must be less than half of the shorter side, or crop.border black"
            )
        if self.kind == "shorter_side" and min(size) > self.shorter_side[0]:
            raise ValueError(
                f"data.crop.shorter_side begins at {self.shorter_side[0]} pixels, too few for image_size "
                f"{as_stated(size)}; raise it or choose smaller images"
            )

    def ratio_for(self, size: Sides) -> tuple[float, float]:
        """Smallest and largest width / height of a part that becomes ``size``."""
        aspect = size[1] / size[0]
        return self.ratio[0] * aspect, self.ratio[1] * aspect


def require_size(found: Sides, size: Sides, what: str = "one") -> None:
    """Raise a ValueError unless an image under ``crop.kind`` none, ``what``, has the size the network gets."""
    if found != size:
        raise ValueError(
            f"data.crop.kind none needs images of {in_words(size)} pixels (data.image_size), but {what} has "
            f"{in_words(found)}; choose resize, pad or random_resized"
        )


# -- a batch ----------------------------------------------------------------------------------------------------------


def crop_batch(images: Tensor, settings: Crop, size: Sides, draws: Draws) -> Tensor:
    """Bring uint8 images (N, C, H, W) to (N, C, *size) as ``settings.kind`` says."""
    if settings.kind == "none":
        require_size((images.shape[2], images.shape[3]), size)
        return images
    if settings.kind == "random_resized":
        return random_resized_crop(images, settings, size, draws)
    if settings.kind == "shorter_side":
        return shorter_side_crop(images, settings, size, draws)
    resized = ResizedImages.covering(images, size, settings.interpolation)
    if settings.kind == "resize":
        return resized.center(*size)
    return pad_crop(resized, settings.padding, size, draws, settings.reflects)


def pad_crop(resized: ResizedImages, padding: int, size: Sides, draws: Draws, reflect: bool = False) -> Tensor:
    """Pad every side, with black or its reflection, and cut a window of ``size`` at a uniform place."""
    height, width = resized.sides
    frame = (-padding, -padding, height + 2 * padding, width + 2 * padding)
    return _windows(resized, frame, size, draws("crop", 2), reflect)


def _windows(
    resized: ResizedImages, frame: tuple[int, int, int, int], size: Sides, draw: Tensor, reflect: bool = False
) -> Tensor:
    """Cut a window of ``size`` from each image inside ``frame`` (top, left, height, width), which may reach beyond it;
    ``draw`` (N, 2) in [0, 1) places it down and across."""
    down, across = frame[2] - size[0], frame[3] - size[1]
    # At sides of millions of pixels a product with a float32 may round up to the end.
    top, left = (
        (draw[:, axis] * (room + 1)).long().clamp(max=room).tolist() for axis, room in enumerate((down, across))
    )
    if resized.in_parts:
        places = zip(range(len(draw)), top, left, strict=True)
        return torch.stack(
            [resized.image(row).window(frame[0] + y, frame[1] + x, *size, reflect) for row, y, x in places]
        )
    windows = np.lib.stride_tricks.sliding_window_view(resized.window(*frame, reflect).numpy(), size, axis=(2, 3))
    return torch.from_numpy(windows[np.arange(len(draw)), :, top, left])


def shorter_side_crop(images: Tensor, settings: Crop, size: Sides, draws: Draws) -> Tensor:
    """Bring each image's shorter side to its own length and cut a window of ``size`` at a uniform place."""
    draw, (low, high) = draws("crop", 3), settings.shorter_side
    lengths = low + (draw[:, 2] * (high - low + 1)).long()
    out = images.new_empty(len(images), images.shape[1], *size)
    for length in lengths.unique().tolist():
        rows = (lengths == length).nonzero().flatten()
        box = with_shorter_side(size, length)
        resized = ResizedImages.covering(images[rows], box, settings.interpolation)
        out[rows] = _windows(resized, _frame(resized.sides, box, settings.central), size, draw[rows])
    return out


def _frame(sides: Sides, box: Sides, central: bool) -> tuple[int, int, int, int]:
    """Where a window may lie in an image resized to ``sides``: anywhere, or in the central ``box``."""
    return (*center(sides, box), *box) if central else (0, 0, *sides)


def random_resized_crop(images: Tensor, settings: Crop, size: Sides, draws: Draws) -> Tensor:
    """Cut a rectangle of random area and ratio from each image and resize it; the largest central one if none fits."""
    height, width = images.shape[-2:]
    low, high = settings.ratio_for(size)
    draw = draws("crop", 4 * ATTEMPTS).view(-1, ATTEMPTS, 4)
    widths, heights = random_sides(draw, settings.scale, (low, high), height * width)
    chosen, found = first_fitting((widths <= width) & (heights <= height) & (widths > 0) & (heights > 0))
    ratio = min(max(width / height, low), high)
    central = min(height, max(1, round(width / ratio))), min(width, max(1, round(height * ratio)))
    mode = InterpolationMode(settings.interpolation)
    out = []
    for row, (attempt, fits) in enumerate(zip(chosen.tolist(), found.tolist(), strict=True)):
        tall, wide = (heights[row, attempt].item(), widths[row, attempt].item()) if fits else central
        top = int(draw[row, attempt, 2] * (height - tall + 1)) if fits else (height - tall) // 2
        left = int(draw[row, attempt, 3] * (width - wide + 1)) if fits else (width - wide) // 2
        part = images[row, :, top : top + int(tall), left : left + int(wide)]
        out.append(functional.resize(part, list(size), interpolation=mode, antialias=True))
    return torch.stack(out)


# -- one image --------------------------------------------------------------------------------------------------------


def crop_transforms(settings: Crop, size: Sides) -> list[v2.Transform]:
    """The same for one PIL image or uint8 tensor, which becomes a uint8 tensor (C, *size)."""
    if settings.kind == "random_resized":
        mode = InterpolationMode(settings.interpolation)
        return [CutThenResize(size, settings.scale, settings.ratio_for(size), mode)]
    if settings.kind == "none":
        return [v2.PILToTensor(), RequireSize(size)]
    return [v2.PILToTensor(), ResizeThenCut(settings, size)]


class RequireSize(v2.Transform):
    """Pass images of exactly the size and refuse others."""

    def __init__(self, size: Sides) -> None:
        super().__init__()
        self.size = size

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image itself; ValueError when its size differs."""
        height, width = functional.get_size(inpt)
        require_size((height, width), self.size)
        return inpt


class CutThenResize(v2.RandomResizedCrop):
    """torchvision's random resized crop, with the resize on a uint8 tensor.

    The tensor filter takes a third of PIL's time; its pixels differ from PIL's by one level at most.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the rectangle; where torchvision's largest central one has no height or width, it gets one pixel."""
        params = super().make_params(flat_inputs)
        return {**params, "height": max(1, params["height"]), "width": max(1, params["width"])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Cut the drawn rectangle and resize it: PIL image or uint8 tensor -> uint8 (C, H, W)."""
        part = functional.crop(inpt, **params)
        return self._resized(part if isinstance(part, Tensor) else functional.pil_to_tensor(part))

    def cut(self, image: EncodedImage, decode: Decode) -> Tensor:
        """Decode, cut and resize. Reduced, the rectangle of a JPEG is decoded at the smallest scale that leaves it as
        large as the result, and its edges move by up to a pixel of that scale."""
        return self._resized(image.part(self._window, None if decode == "full" else (self.size[0], self.size[1])))

    def _window(self, sides: Sides) -> Window:
        return Window(**self.make_params([torch.empty((1, *sides), device="meta")]))

    def _resized(self, part: Tensor) -> Tensor:
        return functional.resize(part, self.size, interpolation=self.interpolation, antialias=True)


class ResizeThenCut(v2.Transform):
    """Resize an image tensor until it covers the size, or a larger box, and cut a window: the center, or one drawn as
    torchvision's random crop draws it."""

    def __init__(self, settings: Crop, size: Sides) -> None:
        super().__init__()
        self.settings, self.size = settings, size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the box, and the window's place in the resized image."""
        settings, box = self.settings, self.size
        if settings.kind == "shorter_side":
            low, high = settings.shorter_side
            box = with_shorter_side(self.size, int(torch.randint(low, high + 1, ())))
        height, width = functional.get_size(flat_inputs[0])
        sides = covering((height, width), box)
        if settings.kind == "resize":
            return {"box": box, "place": center(sides, self.size)}
        padding = settings.padding if settings.kind == "pad" else 0
        top, left, *frame = _frame(sides, box, settings.kind == "shorter_side" and settings.central)
        drawn = v2.RandomCrop(self.size, padding or None).make_params([torch.empty((1, *frame), device="meta")])
        return {"box": box, "place": (top + drawn["top"] - padding, left + drawn["left"] - padding)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Resize, then cut."""
        (top, left), (height, width) = params["place"], self.size
        resized = ResizedImages.covering(inpt, params["box"], self.settings.interpolation)
        return resized.window(top, left, height, width, self.settings.reflects)
