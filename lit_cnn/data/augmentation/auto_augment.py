"""AutoAugment (Cubuk et al. 2018), Fast AutoAugment (Lim et al. 2019) and TrivialAugment (Müller and Hutter 2021).

A learned policy is a list of pairs of operations, of which an image gets one: (operation, probability, level) twice.
AutoAugment's, 25 pairs with levels from 0 to 9, are Tables 7 (CIFAR-10), 8 (SVHN) and 9 (ImageNet) of arXiv:1805.09501;
a level of 0 stands for operations without a strength. imagenet_v0 is what EfficientNet was trained with, policy v0 of
tensorflow/tpu, models/official/efficientnet/autoaugment.py, with levels from 0 to 10. Fast AutoAugment's are in
``fast_policies.csv``.
"""

import csv
from functools import cache, partial
from importlib import resources
from typing import Any, Literal

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.batched_operations import apply_steps
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.magnitudes import (
    Scale,
    fast_value,
    imagenet_v0_value,
    side_along,
    torchvision_value,
    trivial_value,
)
from lit_cnn.data.augmentation.operations import OPERATIONS, PAPER_FILL, Fill, Step, apply_in_turn

AutoAugmentPolicy = Literal[
    "none", "imagenet", "imagenet_v0", "cifar10", "svhn", "fast_cifar10", "fast_imagenet", "trivial"
]
Operation = tuple[str, float, float]
Policy = tuple[tuple[Operation, Operation], ...]
POLICY_DRAWS = 9
"""Uniform draws of a learned policy: pair, then for each of the two whether it applies, sign, and cutout's place."""

# fmt: off
_IMAGENET: Policy = (
    (("Posterize", 0.4, 8), ("Rotate", 0.6, 9)),
    (("Solarize", 0.6, 5), ("AutoContrast", 0.6, 0)),
    (("Equalize", 0.8, 0), ("Equalize", 0.6, 0)),
    (("Posterize", 0.6, 7), ("Posterize", 0.6, 6)),
    (("Equalize", 0.4, 0), ("Solarize", 0.2, 4)),
    (("Equalize", 0.4, 0), ("Rotate", 0.8, 8)),
    (("Solarize", 0.6, 3), ("Equalize", 0.6, 0)),
    (("Posterize", 0.8, 5), ("Equalize", 1.0, 0)),
    (("Rotate", 0.2, 3), ("Solarize", 0.6, 8)),
    (("Equalize", 0.6, 0), ("Posterize", 0.4, 6)),
    (("Rotate", 0.8, 8), ("Color", 0.4, 0)),
    (("Rotate", 0.4, 9), ("Equalize", 0.6, 0)),
    (("Equalize", 0.0, 0), ("Equalize", 0.8, 0)),
    (("Invert", 0.6, 0), ("Equalize", 1.0, 0)),
    (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
    (("Rotate", 0.8, 8), ("Color", 1.0, 2)),
    (("Color", 0.8, 8), ("Solarize", 0.8, 7)),
    (("Sharpness", 0.4, 7), ("Invert", 0.6, 0)),
    (("ShearX", 0.6, 5), ("Equalize", 1.0, 0)),
    (("Color", 0.4, 0), ("Equalize", 0.6, 0)),
    (("Equalize", 0.4, 0), ("Solarize", 0.2, 4)),
    (("Solarize", 0.6, 5), ("AutoContrast", 0.6, 0)),
    (("Invert", 0.6, 0), ("Equalize", 1.0, 0)),
    (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
    (("Equalize", 0.8, 0), ("Equalize", 0.6, 0)),
)
_CIFAR10: Policy = (
    (("Invert", 0.1, 0), ("Contrast", 0.2, 6)),
    (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
    (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
    (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.5, 0), ("Equalize", 0.9, 0)),
    (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
    (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
    (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
    (("Equalize", 0.6, 0), ("Equalize", 0.5, 0)),
    (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
    (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
    (("Equalize", 0.3, 0), ("AutoContrast", 0.4, 0)),
    (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
    (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
    (("Solarize", 0.5, 2), ("Invert", 0.0, 0)),
    (("Equalize", 0.2, 0), ("AutoContrast", 0.6, 0)),
    (("Equalize", 0.2, 0), ("Equalize", 0.6, 0)),
    (("Color", 0.9, 9), ("Equalize", 0.6, 0)),
    (("AutoContrast", 0.8, 0), ("Solarize", 0.2, 8)),
    (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
    (("Solarize", 0.4, 5), ("AutoContrast", 0.9, 0)),
    (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.9, 0), ("Solarize", 0.8, 3)),
    (("Equalize", 0.8, 0), ("Invert", 0.1, 0)),
    (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, 0)),
)
_SVHN: Policy = (
    (("ShearX", 0.9, 4), ("Invert", 0.2, 0)),
    (("ShearY", 0.9, 8), ("Invert", 0.7, 0)),
    (("Equalize", 0.6, 0), ("Solarize", 0.6, 6)),
    (("Invert", 0.9, 0), ("Equalize", 0.6, 0)),
    (("Equalize", 0.6, 0), ("Rotate", 0.9, 3)),
    (("ShearX", 0.9, 4), ("AutoContrast", 0.8, 0)),
    (("ShearY", 0.9, 8), ("Invert", 0.4, 0)),
    (("ShearY", 0.9, 5), ("Solarize", 0.2, 6)),
    (("Invert", 0.9, 0), ("AutoContrast", 0.8, 0)),
    (("Equalize", 0.6, 0), ("Rotate", 0.9, 3)),
    (("ShearX", 0.9, 4), ("Solarize", 0.3, 3)),
    (("ShearY", 0.8, 8), ("Invert", 0.7, 0)),
    (("Equalize", 0.9, 0), ("TranslateY", 0.6, 6)),
    (("Invert", 0.9, 0), ("Equalize", 0.6, 0)),
    (("Contrast", 0.3, 3), ("Rotate", 0.8, 4)),
    (("Invert", 0.8, 0), ("TranslateY", 0.0, 2)),
    (("ShearY", 0.7, 6), ("Solarize", 0.4, 8)),
    (("Invert", 0.6, 0), ("Rotate", 0.8, 4)),
    (("ShearY", 0.3, 7), ("TranslateX", 0.9, 3)),
    (("ShearX", 0.1, 6), ("Invert", 0.6, 0)),
    (("Solarize", 0.7, 2), ("TranslateY", 0.6, 7)),
    (("ShearY", 0.8, 4), ("Invert", 0.8, 0)),
    (("ShearX", 0.7, 9), ("TranslateY", 0.8, 3)),
    (("ShearY", 0.8, 5), ("AutoContrast", 0.7, 0)),
    (("ShearX", 0.7, 2), ("Invert", 0.1, 0)),
)
_IMAGENET_V0: Policy = (
    (("Equalize", 0.8, 0), ("ShearY", 0.8, 4)),
    (("Color", 0.4, 9), ("Equalize", 0.6, 0)),
    (("Color", 0.4, 1), ("Rotate", 0.6, 8)),
    (("Solarize", 0.8, 3), ("Equalize", 0.4, 0)),
    (("Solarize", 0.4, 2), ("Solarize", 0.6, 2)),
    (("Color", 0.2, 0), ("Equalize", 0.8, 0)),
    (("Equalize", 0.4, 0), ("SolarizeAdd", 0.8, 3)),
    (("ShearX", 0.2, 9), ("Rotate", 0.6, 8)),
    (("Color", 0.6, 1), ("Equalize", 1.0, 0)),
    (("Invert", 0.4, 0), ("Rotate", 0.6, 0)),
    (("Equalize", 1.0, 0), ("ShearY", 0.6, 3)),
    (("Color", 0.4, 7), ("Equalize", 0.6, 0)),
    (("Posterize", 0.4, 6), ("AutoContrast", 0.4, 0)),
    (("Solarize", 0.6, 8), ("Color", 0.6, 9)),
    (("Solarize", 0.2, 4), ("Rotate", 0.8, 9)),
    (("Rotate", 1.0, 7), ("TranslateY", 0.8, 9)),
    (("ShearX", 0.0, 0), ("Solarize", 0.8, 4)),
    (("ShearY", 0.8, 0), ("Color", 0.6, 4)),
    (("Color", 1.0, 0), ("Rotate", 0.6, 2)),
    (("Equalize", 0.8, 0), ("Equalize", 0.0, 0)),
    (("Equalize", 1.0, 0), ("AutoContrast", 0.6, 0)),
    (("ShearY", 0.4, 7), ("SolarizeAdd", 0.6, 7)),
    (("Posterize", 0.8, 2), ("Solarize", 0.6, 10)),
    (("Solarize", 0.6, 8), ("Equalize", 0.6, 0)),
    (("Color", 0.8, 6), ("Rotate", 0.4, 5)),
)
# fmt: on

POLICIES = {"imagenet": _IMAGENET, "cifar10": _CIFAR10, "svhn": _SVHN, "imagenet_v0": _IMAGENET_V0}


@cache
def fast_policy(name: Literal["fast_cifar10", "fast_imagenet"]) -> Policy:
    """A policy that Fast AutoAugment found (arXiv:1905.00397), with levels in [0, 1] (see ``magnitudes.fast_value``).

    fast_cifar10 is the authors' ``fa_reduced_cifar10`` (493 pairs, found with a WideResNet on 4,000 images),
    fast_imagenet their ``fa_resnet50_rimagenet`` (498 pairs, found with a ResNet-50 on 6,000 images of 120 classes),
    both from kakaobrain/fast-autoaugment, FastAutoAugment/archive.py.
    """
    text = resources.files("lit_cnn.data.augmentation").joinpath("fast_policies.csv").read_text(encoding="utf-8")
    return tuple(
        ((row[1], float(row[2]), float(row[3])), (row[4], float(row[5]), float(row[6])))
        for row in csv.reader(text.splitlines()[1:])
        if row[0] == name
    )


def _policy(name: AutoAugmentPolicy) -> tuple[Policy, Scale]:
    """The pairs of a learned policy and the scale of their levels."""
    if name == "fast_cifar10" or name == "fast_imagenet":
        return fast_policy(name), fast_value
    if name == "imagenet_v0":
        return POLICIES[name], imagenet_v0_value
    return POLICIES[name], partial(torchvision_value, bins=10)


def auto_augment_steps(draws: list[float], policy: AutoAugmentPolicy, height: int, width: int) -> list[Step]:
    """The operations of one image from ``POLICY_DRAWS`` uniform draws: ``trivial`` picks operation, level and sign; a
    learned policy picks one of its pairs, then for each of the two whether it applies and its sign."""
    if policy == "trivial":
        name = OPERATIONS[int(draws[0] * len(OPERATIONS))]
        return [Step(name, trivial_value(name, int(draws[1] * 31), -1 if draws[2] < 0.5 else 1))]
    pairs, value = _policy(policy)
    steps = []
    for number, (name, probability, level) in enumerate(pairs[int(draws[0] * len(pairs))]):
        applies, sign, row, column = draws[1 + 4 * number : 5 + 4 * number]
        if applies >= probability:
            continue
        strength = value(name, level, side_along(name, height, width), -1 if sign < 0.5 else 1)
        if name == "Cutout":  # that code keeps the square's upper left corner inside the image
            row, column = max(row, strength / 2 / height), max(column, strength / 2 / width)
            steps.append(Step(name, strength, (row, column)))
        else:
            steps.append(Step(name, strength))
    return steps


def auto_augment_fill(policy: AutoAugmentPolicy) -> Fill:
    """What lies outside the image: mid-gray under imagenet_v0, black under the others."""
    return PAPER_FILL if policy == "imagenet_v0" else None


def auto_augment_batch(images: Tensor, policy: AutoAugmentPolicy, draws: Draws) -> Tensor:
    """Apply to each uint8 image of (N, C, H, W) its own operations."""
    if policy == "none":
        return images
    rows = draws("auto_augment", POLICY_DRAWS).tolist()
    steps = [auto_augment_steps(row, policy, *images.shape[-2:]) for row in rows]
    return apply_steps(images, steps, auto_augment_fill(policy))


class LearnedPolicy(v2.Transform):
    """The same for one PIL image."""

    def __init__(self, policy: AutoAugmentPolicy) -> None:
        super().__init__()
        self.policy, self.fill = policy, auto_augment_fill(policy)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the image's operations."""
        height, width = functional.get_size(flat_inputs[0])
        return {"steps": auto_augment_steps(torch.rand(POLICY_DRAWS).tolist(), self.policy, height, width)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Apply them."""
        return apply_in_turn(inpt, params["steps"], self.fill)


def auto_augment_transforms(policy: AutoAugmentPolicy) -> list[v2.Transform]:
    """``LearnedPolicy``, unless it is none."""
    return [] if policy == "none" else [LearnedPolicy(policy)]
