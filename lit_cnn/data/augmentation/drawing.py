"""Which operations an image gets: from uniform draws to the steps of RandAugment, AutoAugment and TrivialAugment."""

from collections.abc import Callable
from functools import partial
from statistics import NormalDist

from lit_cnn.data.augmentation.fast_policies import fast_policy
from lit_cnn.data.augmentation.magnitudes import (
    fast_value,
    imagenet_v0_value,
    increasing_value,
    paper_value,
    torchvision_value,
    trivial_value,
)
from lit_cnn.data.augmentation.operations import OPERATIONS, PAPER_FILL, RELEASED_OPERATIONS, Fill, Step
from lit_cnn.data.augmentation.policies import POLICIES, Policy
from lit_cnn.data.settings import AutoAugmentPolicy, RandAugment

LAYER_DRAWS = 6
"""Uniform draws of a layer of RandAugment: operation, sign, whether it applies, noise, and cutout's place."""
POLICY_DRAWS = 9
"""Uniform draws of a learned policy: pair, then for each of the two whether it applies, sign, and cutout's place."""
_Value = Callable[[str, float, int, int], float]
_SCALES: dict[str, tuple[_Value, float]] = {
    "paper": (paper_value, 10.0),
    "increasing": (increasing_value, 10.0),
    "torchvision": (torchvision_value, 30.0),
}


def _side(name: str, height: int, width: int) -> int:
    return height if name == "TranslateY" else width


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
        strength = value(name, magnitude, _side(name, height, width), -1 if sign < 0.5 else 1)
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


def auto_augment_steps(draws: list[float], policy: AutoAugmentPolicy, height: int, width: int) -> list[Step]:
    """The operations of one image from ``POLICY_DRAWS`` uniform draws: ``trivial`` picks operation, level and sign; a
    learned policy picks one of its pairs, then for each of the two whether it applies and its sign."""
    if policy == "trivial":
        name = OPERATIONS[int(draws[0] * len(OPERATIONS))]
        return [Step(name, trivial_value(name, int(draws[1] * 31), -1 if draws[2] < 0.5 else 1))]
    pairs, value = _policy(policy)
    steps = []
    for number, (name, probability, magnitude) in enumerate(pairs[int(draws[0] * len(pairs))]):
        applies, sign, row, column = draws[1 + 4 * number : 5 + 4 * number]
        if applies >= probability:
            continue
        strength = value(name, magnitude, _side(name, height, width), -1 if sign < 0.5 else 1)
        if name == "Cutout":  # that code keeps the square's upper left corner inside the image
            row, column = max(row, strength / 2 / height), max(column, strength / 2 / width)
            steps.append(Step(name, strength, (row, column)))
        else:
            steps.append(Step(name, strength))
    return steps


def _policy(name: AutoAugmentPolicy) -> tuple[Policy, _Value]:
    """The pairs of a learned policy and the scale of their magnitudes."""
    if name == "fast_cifar10" or name == "fast_imagenet":
        return fast_policy(name), fast_value
    if name == "imagenet_v0":
        return POLICIES[name], imagenet_v0_value
    return POLICIES[name], partial(torchvision_value, bins=10)


def auto_augment_fill(policy: AutoAugmentPolicy) -> Fill:
    """What lies outside the image: mid-gray under imagenet_v0, black under the others."""
    return PAPER_FILL if policy == "imagenet_v0" else None
