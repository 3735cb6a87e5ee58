"""Draws select operation, sign, strength and place; probabilities and noise are the stated ones."""

import pytest
import torch

from lit_cnn.data.augmentation.drawing import (
    LAYER_DRAWS,
    POLICY_DRAWS,
    auto_augment_fill,
    auto_augment_steps,
    rand_augment_fill,
    rand_augment_steps,
)
from lit_cnn.data.augmentation.fast_policies import fast_policy
from lit_cnn.data.augmentation.operations import OPERATIONS, PAPER_FILL, RELEASED_OPERATIONS, Step
from lit_cnn.data.settings import RandAugment


def _many(settings, count=4000):
    draws = torch.rand(count, LAYER_DRAWS * settings.layers, generator=torch.Generator().manual_seed(0))
    return [rand_augment_steps(row, settings, 24, 20) for row in draws.tolist()]


def test_draws_select_operation_and_sign():
    draws = [3.5 / 14, 0.2, 0, 0, 0, 0, 13.5 / 14, 0.9, 0, 0, 0, 0]
    assert rand_augment_steps(draws, RandAugment(2, 10), 24, 20) == [Step("Rotate", -30.0), Step("TranslateY", 10.0)]


@pytest.mark.parametrize(("operations", "names"), [("paper", OPERATIONS), ("released", RELEASED_OPERATIONS)])
def test_every_operation_of_the_list_comes_equally_often(operations, names):
    drawn = [steps[0].name for steps in _many(RandAugment(1, 5, operations=operations))]
    assert set(drawn) == set(names)
    assert all(drawn.count(name) / len(drawn) == pytest.approx(1 / len(names), abs=0.02) for name in names)


def test_each_operation_applies_with_the_probability():
    counts = torch.tensor([len(steps) for steps in _many(RandAugment(2, 5, probability=0.3))])
    assert (counts == 0).float().mean().item() == pytest.approx(0.49, abs=0.03)
    assert (counts == 2).float().mean().item() == pytest.approx(0.09, abs=0.02)


@pytest.mark.parametrize(("magnitude", "top"), [(5, 10), (9, 10), (14, 14)])
def test_noise_spreads_the_magnitude_within_the_scale(magnitude, top):
    settings = RandAugment(1, magnitude, magnitude_std=1.5)
    angles = [abs(step.value) / 3 for steps in _many(settings, 20000) for step in steps if step.name == "Rotate"]
    values = torch.tensor(angles)
    assert values.max() <= top + 1e-6
    assert values.quantile(0.5).item() == pytest.approx(magnitude, abs=0.15)
    assert values.quantile(0.16).item() == pytest.approx(magnitude - 1.5, abs=0.2)
    steps = rand_augment_steps([3.5 / 14, 0.9, 0, 0.0, 0, 0], RandAugment(1, 1, magnitude_std=5.0), 24, 20)
    assert steps == [Step("Rotate", 0.0)]


def test_cutout_gets_its_place():
    draws = [14.5 / 16, 0.9, 0.0, 0.5, 0.25, 0.75]
    settings = RandAugment(1, 10, operations="released")
    assert rand_augment_steps(draws, settings, 224, 224) == [Step("Cutout", 80.0, (0.25, 0.75))]


def test_policies_draw_pair_and_whether_each_operation_applies():
    draws = [0.0, 0.39, 0.9, 0, 0, 0.61, 0.9, 0, 0]
    assert auto_augment_steps(draws, "imagenet", 24, 20) == [Step("Posterize", 4.0)]
    assert auto_augment_steps([0.0] * POLICY_DRAWS, "trivial", 24, 20) == [Step("Identity", 0.0)]
    draws = [6.5 / 25, 0.3, 0, 0, 0, 0.7, 0, 0, 0]
    assert auto_augment_steps(draws, "imagenet_v0", 24, 20) == [Step("Equalize", 0.0), Step("SolarizeAdd", 33.0)]


@pytest.mark.parametrize("name", ["fast_cifar10", "fast_imagenet"])
def test_fast_policies_draw_every_pair_and_keep_the_squares_corner_inside(name):
    policy = fast_policy(name)
    for number, pair in enumerate(policy):
        draws = [(number + 0.5) / len(policy)] + [0.0, 0.9, 0.0, 0.0] * 2
        steps = auto_augment_steps(draws, name, 100, 100)
        assert [step.name for step in steps] == [operation for operation, _, _ in pair]
        for step in steps:
            if step.name == "Cutout":
                assert min(step.center) == step.value / 2 / 100


def test_fills():
    mean = (1, 2, 3)
    assert rand_augment_fill(RandAugment(1), mean) == auto_augment_fill("imagenet_v0") == PAPER_FILL
    assert rand_augment_fill(RandAugment(1, scale="increasing"), mean) == mean
    assert rand_augment_fill(RandAugment(1, scale="torchvision"), mean) is None
    assert auto_augment_fill("fast_cifar10") is None
