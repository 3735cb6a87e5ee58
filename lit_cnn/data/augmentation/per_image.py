"""Per-image pipelines for files on disk: an image becomes a uint8 tensor (C, image_size, image_size).

Training composes torchvision's v2 transforms; a whole pass runs under a generator state derived from (seed, epoch,
index, repeat), so an image looks the same whichever worker prepares it. Evaluation draws nothing and shares its
arithmetic with the batch pipeline of ``batched.py``.
"""

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.augmentation.drawing import (
    LAYER_DRAWS,
    POLICY_DRAWS,
    auto_augment_fill,
    auto_augment_steps,
    rand_augment_fill,
    rand_augment_steps,
)
from lit_cnn.data.augmentation.lighting import add_colours, colours
from lit_cnn.data.augmentation.operations import apply
from lit_cnn.data.augmentation.plan import Augmentation
from lit_cnn.data.settings import AutoAugmentPolicy, Crop, Decode, Preprocessing, RandAugment
from lit_cnn.data.sources.decoding import EncodedImage, reduction
from lit_cnn.randomness import derive_key

AnyImage = Image.Image | Tensor | EncodedImage


class LearnedPolicy(v2.Transform):
    """A policy of AutoAugment or Fast AutoAugment, or TrivialAugment (trivial), on one image."""

    def __init__(self, policy: AutoAugmentPolicy) -> None:
        super().__init__()
        self.policy, self.fill = policy, auto_augment_fill(policy)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the image's operations."""
        height, width = functional.get_size(flat_inputs[0])
        return {"steps": auto_augment_steps(torch.rand(POLICY_DRAWS).tolist(), self.policy, height, width)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Apply them."""
        for step in params["steps"]:
            inpt = apply(inpt, step, self.fill)
        return inpt


class RandAugmentLayers(v2.Transform):
    """RandAugment on one image (see ``settings.RandAugment``); ``mean`` is the data set's mean as uint8 levels."""

    def __init__(self, settings: RandAugment, mean: tuple[int, ...]) -> None:
        super().__init__()
        self.settings, self.fill = settings, rand_augment_fill(settings, mean)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the image's operations."""
        draws = torch.rand(LAYER_DRAWS * self.settings.layers).tolist()
        return {"steps": rand_augment_steps(draws, self.settings, *functional.get_size(flat_inputs[0]))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Apply them."""
        for step in params["steps"]:
            inpt = apply(inpt, step, self.fill)
        return inpt


class CutoutSquare(v2.Transform):
    """Fill a square whose centre is uniform over the image tensor (C, H, W); parts may lie outside."""

    def __init__(self, size: int, probability: float, fill: tuple[int, ...]) -> None:
        super().__init__()
        self.size, self.probability = size, probability
        self.fill = torch.tensor(fill, dtype=torch.uint8).view(-1, 1, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw whether there is a square and its upper left corner, which may be negative."""
        (height, width), draws = functional.get_size(flat_inputs[0]), torch.rand(3).tolist()
        top, left = int(draws[1] * height) - self.size // 2, int(draws[2] * width) - self.size // 2
        return {"applies": draws[0] < self.probability, "top": top, "left": left}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A copy with the square filled."""
        if not params["applies"]:
            return inpt
        image, top, left = inpt.clone(), params["top"], params["left"]
        image[..., max(top, 0) : max(top + self.size, 0), max(left, 0) : max(left + self.size, 0)] = self.fill
        return image


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


def require_size(height: int, width: int, image_size: int) -> None:
    """Raise a ValueError unless an image under ``crop.kind`` none has the size the network gets."""
    if (height, width) != (image_size, image_size):
        raise ValueError(
            f"data.crop.kind none needs images of {image_size}x{image_size} pixels (data.image_size), but one has "
            f"{width}x{height}; choose resize, pad or random_resized."
        )


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


class Lighting(v2.Transform):
    """PCA colour noise of standard deviation ``std`` on an RGB PIL image."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the colour as a table of new levels: 256 for red, then for green, then for blue."""
        levels = torch.arange(256, dtype=torch.uint8).expand(1, 3, 1, 256)
        return {"table": add_colours(levels, colours(torch.rand(1, 3), self.std)).flatten().tolist()}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Add it."""
        return inpt.point(params["table"])


def _crop(crop: Crop, image_size: int) -> list[v2.Transform]:
    """PIL image or uint8 tensor -> uint8 tensor (C, image_size, image_size)."""
    interpolation = InterpolationMode(crop.interpolation)
    if crop.kind == "random_resized":
        return [CutThenResize(image_size, crop.scale, crop.ratio, interpolation)]
    if crop.kind == "none":
        return [v2.PILToTensor(), RequireSize(image_size)]
    if crop.kind == "shorter_side":
        scale = ShorterSide(crop.shorter_side, crop.central, interpolation)
        return [v2.PILToTensor(), scale, v2.RandomCrop(image_size)]
    resize = [v2.PILToTensor(), v2.Resize(image_size, interpolation)]
    if crop.kind == "resize":
        return [*resize, v2.CenterCrop(image_size)]
    return [*resize, v2.RandomCrop(image_size, padding=crop.padding or None)]


def _color_and_geometry(settings: Augmentation) -> list[v2.Transform]:
    """What PIL does faster than tensors: PIL image -> PIL image."""
    jitter, steps = settings.color_jitter, []
    if jitter.enabled:
        steps.append(v2.ColorJitter(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue))
    if jitter.lighting:
        steps.append(Lighting(jitter.lighting))
    if settings.shear.degrees:
        mode = InterpolationMode.BILINEAR
        steps.append(v2.RandomAffine(0, shear=settings.shear.degrees, fill=list(settings.fill), interpolation=mode))
    if settings.auto_augment != "none":
        steps.append(LearnedPolicy(settings.auto_augment))
    if settings.rand_augment.layers:
        steps.append(RandAugmentLayers(settings.rand_augment, settings.fill))
    return steps


def _framing(settings: Augmentation) -> list[v2.Transform]:
    """Crop and flips: PIL image or uint8 tensor -> uint8 tensor (C, H, W)."""
    steps = _crop(settings.crop, settings.image_size)
    if settings.flip.horizontal:
        steps.append(v2.RandomHorizontalFlip(settings.flip.horizontal))
    if settings.flip.vertical:
        steps.append(v2.RandomVerticalFlip(settings.flip.vertical))
    return steps


def _distortion(settings: Augmentation) -> list[v2.Transform]:
    """What follows: uint8 tensor -> uint8 tensor."""
    erasing, steps = settings.random_erasing, []
    if on_pil := _color_and_geometry(settings):
        steps += [v2.ToPILImage(), *on_pil, v2.PILToTensor()]
    if settings.cutout.size:
        steps.append(CutoutSquare(settings.cutout.size, settings.cutout.probability, settings.fill))
    if erasing.probability:
        steps.append(v2.RandomErasing(erasing.probability, erasing.scale, erasing.ratio, value=list(settings.fill)))
    return steps


class TrainingTransform:
    """The training pipeline of one image as a function of its key; leaves ambient generators as they were.

    Args:
        settings: what to apply.
        seed: first part of the key.
        decode: full, or reduced to decode an ``EncodedImage`` at the smallest scale that the crop allows.
    """

    def __init__(self, settings: Augmentation, seed: int, decode: Decode = "full") -> None:
        self.framing, self.distortion, self.seed = _framing(settings), _distortion(settings), seed
        self.decode, self.crop, self.image_size = decode, settings.crop, settings.image_size

    def __call__(self, image: AnyImage, epoch: int, index: int, repeat: int) -> Tensor:
        """Augmented uint8 tensor (C, image_size, image_size) of the image with this row of the split.

        Raises:
            BrokenImage: if the file cannot be decoded.
        """
        return self._run([*self.framing, *self.distortion], image, epoch, index, repeat, "image")

    def frame(self, image: AnyImage, epoch: int, index: int, repeat: int) -> Tensor:
        """The image cropped and flipped as by the whole pipeline, for ``distort`` to go on with."""
        return self._run(self.framing, image, epoch, index, repeat, "image")

    def distort(self, image: Tensor, epoch: int, index: int, repeat: int) -> Tensor:
        """All that follows crop and flip, on a uint8 tensor (C, image_size, image_size)."""
        return self._run(self.distortion, image, epoch, index, repeat, "distortion")

    def _run(self, steps: list[v2.Transform], image: Any, epoch: int, index: int, repeat: int, name: str) -> Tensor:
        # torchvision draws from torch's ambient generator only; seeding the others as well would double the cost.
        state = torch.get_rng_state()
        torch.default_generator.manual_seed(derive_key(self.seed, epoch, index, repeat, name) & 0x7FFFFFFFFFFFFFFF)
        try:
            if isinstance(image, EncodedImage):
                image, steps = self._begin(image, steps)
            for step in steps:
                image = step(image)
            return image
        finally:
            torch.set_rng_state(state)

    def _begin(self, image: EncodedImage, steps: list[v2.Transform]) -> tuple[Any, list[v2.Transform]]:
        """The picture, cut already where the cut decides on the scale of decoding, and the steps that remain."""
        if isinstance(steps[0], CutThenResize):
            return steps[0].cut(image, self.decode), steps[1:]
        if self.decode == "full" or self.crop.kind == "none":
            return image.picture(), steps
        least = self.crop.shorter_side[1] if self.crop.kind == "shorter_side" else self.image_size
        return image.picture(reduction(image.sides(), least)), steps


def evaluate_images(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Resize the shorter side of uint8 (..., C, H, W) to round(image_size / crop_ratio) and crop the centre square."""
    size = preprocessing.image_size
    shorter = round(size / preprocessing.crop_ratio)
    mode = InterpolationMode(preprocessing.interpolation)
    if min(images.shape[-2:]) != shorter:
        images = functional.resize(images, [shorter], interpolation=mode, antialias=True)
    return functional.center_crop(images, [size, size])


class EvaluationTransform:
    """An image -> uint8 tensor (C, image_size, image_size) as validation and prediction see it."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing

    def __call__(self, image: AnyImage) -> Tensor:
        """Resize and crop; a PIL image is converted to the wanted number of channels where it has another."""
        if not isinstance(image, Image.Image):
            return evaluate_images(image if isinstance(image, Tensor) else image.pixels(), self.preprocessing)
        mode = "L" if self.preprocessing.in_channels == 1 else "RGB"
        return evaluate_images(functional.pil_to_tensor(image.convert(mode)), self.preprocessing)


def evaluation_transform(preprocessing: Preprocessing) -> Callable[[AnyImage], Tensor]:
    """The transform of one image for validation, test and prediction; picklable."""
    return EvaluationTransform(preprocessing)
