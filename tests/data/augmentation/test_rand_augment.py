"""Draws select operation, sign, strength and place; probabilities and noise are the stated ones."""

import pytest
import torch
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.operations import OPERATIONS, PAPER_FILL, RELEASED_OPERATIONS, Step, apply
from lit_cnn.data.augmentation.rand_augment import (
    LAYER_DRAWS,
    RandAugment,
    RandAugmentLayers,
    rand_augment_batch,
    rand_augment_fill,
    rand_augment_steps,
    rand_augment_transforms,
)

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


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
@pytest.mark.slow
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


def test_fills():
    mean = (1, 2, 3)
    assert rand_augment_fill(RandAugment(1), mean) == PAPER_FILL
    assert rand_augment_fill(RandAugment(1, scale="increasing"), mean) == mean
    assert rand_augment_fill(RandAugment(1, scale="torchvision"), mean) is None


def test_a_batch_and_a_file_get_the_operations_of_their_draws():
    settings, mean = RandAugment(2, 9, "increasing", "released"), (1, 2, 3)
    draws = Draws(0, 0, torch.arange(8), torch.zeros(8, dtype=torch.int64))
    rows = draws("rand_augment", 2 * LAYER_DRAWS).tolist()
    out = rand_augment_batch(IMAGES, settings, mean, draws)
    for image, result, row in zip(IMAGES, out, rows, strict=True):
        for step in rand_augment_steps(row, settings, 16, 16):
            image = apply(image, step, mean)
        assert (image.int() - result.int()).abs().max() <= 1
    (transform,) = rand_augment_transforms(settings, mean)
    assert isinstance(transform, RandAugmentLayers)
    torch.manual_seed(1)
    expected = functional.to_pil_image(IMAGES[0])
    for step in rand_augment_steps(torch.rand(2 * LAYER_DRAWS).tolist(), settings, 16, 16):
        expected = apply(expected, step, mean)
    torch.manual_seed(1)
    assert transform(functional.to_pil_image(IMAGES[0])) == expected


def test_no_layers_do_nothing():
    assert rand_augment_transforms(RandAugment(), (1,)) == []
    draws = Draws(0, 0, torch.arange(8), torch.zeros(8, dtype=torch.int64))
    assert rand_augment_batch(IMAGES, RandAugment(), (1,), draws) is IMAGES


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (RandAugment, {"layers": -1}, r"data\.rand_augment\.layers"),
        (RandAugment, {"probability": 1.5}, r"data\.rand_augment\.probability"),
        (RandAugment, {"magnitude_std": -1}, r"data\.rand_augment\.magnitude_std"),
        (RandAugment, {"magnitude": -1}, r"data\.rand_augment\.magnitude"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
