"""RandAugment (Cubuk et al. 2019, arXiv:1909.13719): operations drawn uniformly, all of one magnitude."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.batched_operations import apply_steps
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.magnitudes import Scale, increasing_value, paper_value, side_along, torchvision_value
from lit_cnn.data.augmentation.operations import (
    OPERATIONS,
    PAPER_FILL,
    RELEASED_OPERATIONS,
    Fill,
    Step,
    apply_in_turn,
)
from lit_cnn.data.settings import require, require_probability

LAYER_DRAWS = 6
"""Uniform draws of a layer: operation, sign, whether it applies, noise, and cutout's place."""
_SCALES: dict[str, tuple[Scale, float]] = {
    "paper": (paper_value, 10.0),
    "increasing": (increasing_value, 10.0),
    "torchvision": (torchvision_value, 30.0),
}


@dataclass(frozen=True)
class RandAugment:
    """RandAugment (Cubuk et al. 2019): operations drawn uniformly, with replacement, all of one magnitude.

    The recipes that timm writes as rand-m9-mstd0.5-inc1 are magnitude 9, magnitude_std 0.5, probability 0.5, scale
    increasing and operations released. Here the list keeps cutout, which timm leaves out, and geometry takes the
    nearest pixel, where timm draws bilinear or bicubic interpolation.

    Args:
        layers: operations drawn for each image (the paper's N); 0 is off.
        magnitude: strength of the operations (the paper's M). Above the top of the scale geometry and color factors
            extrapolate (increasing stays at its top), and every value is clamped to a legal operation.
        scale: meaning of the magnitude. paper is the scale of the released code, 0 to 10: shear 0.3 M/10, rotation
            30 M/10 degrees and translation 100/224 M/10 of the image side, each of random sign; color, contrast,
            brightness and sharpness factor 0.1 + 1.8 M/10 (5 changes nothing); posterize keeps 4 M/10 bits and solarize
            inverts pixels from 256 M/10 on, so that both become weaker as M grows, as in that code. increasing is 0
            to 10 too, but everything becomes stronger: factors 1 +- 0.9 M/10, posterize 4 - 4 M/10 bits (none at 10,
            a black image), solarize from 256 - 256 M/10 on, translation 0.45 M/10 of the side, and the data set's mean
            color outside the image. torchvision is the table of torchvision, 0 to 30, where everything becomes
            stronger as M grows.
        operations: the paper's 14, or the released code's 16: no identity, but invert, cutout (a square of side
            80/224 M/10 of the image's) and solarize-add (110 M/10 levels more for pixels below 128).
        probability: probability with which each drawn operation applies; timm's default is 0.5.
        magnitude_std: standard deviation of normal noise on each operation's magnitude, which stays between 0 and the
            top of the scale.
    """

    layers: int = 0
    magnitude: float = 9
    scale: Literal["paper", "increasing", "torchvision"] = "paper"
    operations: Literal["paper", "released"] = "paper"
    probability: float = 1.0
    magnitude_std: float = 0.0

    def __post_init__(self) -> None:
        require(self.layers >= 0, "rand_augment.layers", self.layers, "0 (off) or a positive number of operations")
        for name in ("magnitude", "magnitude_std"):
            require(getattr(self, name) >= 0, f"rand_augment.{name}", getattr(self, name), "0 or positive")
        require_probability("rand_augment.probability", self.probability)


def rand_augment_steps(draws: list[float], settings: RandAugment, height: int, width: int) -> list[Step]:
    """The operations of one image from layers * ``LAYER_DRAWS`` uniform draws in [0, 1)."""
    names = OPERATIONS if settings.operations == "paper" else RELEASED_OPERATIONS
    value, top = _SCALES[settings.scale]
    steps = []
    for layer in range(settings.layers):
        which, sign, applies, noise, row, column = draws[LAYER_DRAWS * layer : LAYER_DRAWS * (layer + 1)]
        if applies >= settings.probability:
            continue
        name = names[int(which * len(names))]
        magnitude = _noisy(settings.magnitude, settings.magnitude_std, top, noise)
        strength = value(name, magnitude, side_along(name, height, width), -1 if sign < 0.5 else 1)
        steps.append(Step(name, strength, (row, column)) if name == "Cutout" else Step(name, strength))
    return steps


def _noisy(magnitude: float, std: float, top: float, draw: float) -> float:
    """The magnitude with normal noise, between 0 and the top of the scale (or the magnitude, where that is higher)."""
    if not std:
        return magnitude
    noisy = NormalDist(magnitude, std).inv_cdf(max(draw, 2.0**-25))
    return min(max(noisy, 0.0), max(top, magnitude))


def rand_augment_fill(settings: RandAugment, mean: tuple[int, ...]) -> Fill:
    """What lies outside the image: mid-gray on the paper's scale, ``mean`` on the increasing, black on the other."""
    if settings.scale == "increasing":
        return mean
    return PAPER_FILL if settings.scale == "paper" else None


def rand_augment_batch(images: Tensor, settings: RandAugment, mean: tuple[int, ...], draws: Draws) -> Tensor:
    """Apply to each uint8 image of (N, C, H, W) its own operations; ``mean`` is the data set's as uint8 levels."""
    if not settings.layers:
        return images
    rows = draws("rand_augment", LAYER_DRAWS * settings.layers).tolist()
    steps = [rand_augment_steps(row, settings, *images.shape[-2:]) for row in rows]
    return apply_steps(images, steps, rand_augment_fill(settings, mean))


class RandAugmentLayers(v2.Transform):
    """The same for one PIL image."""

    def __init__(self, settings: RandAugment, mean: tuple[int, ...]) -> None:
        super().__init__()
        self.settings, self.fill = settings, rand_augment_fill(settings, mean)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the image's operations."""
        draws = torch.rand(LAYER_DRAWS * self.settings.layers).tolist()
        return {"steps": rand_augment_steps(draws, self.settings, *functional.get_size(flat_inputs[0]))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Apply them."""
        return apply_in_turn(inpt, params["steps"], self.fill)


def rand_augment_transforms(settings: RandAugment, mean: tuple[int, ...]) -> list[v2.Transform]:
    """``RandAugmentLayers``, unless there are none."""
    return [RandAugmentLayers(settings, mean)] if settings.layers else []
