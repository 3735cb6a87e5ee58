"""A batch whose images each have their own operation gives what torchvision gives each image alone."""

import math
from collections import Counter

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.batched_operations import apply_steps
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.magnitudes import increasing_value, paper_value, torchvision_value
from lit_cnn.data.augmentation.operations import OPERATIONS, RELEASED_OPERATIONS, Step, apply
from lit_cnn.data.augmentation.rand_augment import LAYER_DRAWS, RandAugment, rand_augment_steps

BINS = 31
IMAGES = torch.randint(0, 256, (62, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _images(height, width, channels=3):
    generator = torch.Generator().manual_seed(height * width)
    return torch.randint(0, 256, (62, channels, height, width), generator=generator, dtype=torch.uint8)


def _by_torchvision(image, name, magnitude, sign, fill):
    """The operation as torchvision's own RandAugment applies it, from its own table."""
    reference = v2.RandAugment(num_magnitude_bins=BINS, fill=fill)
    levels, signed = reference._AUGMENTATION_SPACE[name]
    levels = levels(BINS, *image.shape[-2:])
    value = 0.0 if levels is None else float(levels[magnitude])
    value = sign * value if signed else value
    return reference._apply_image_or_video_transform(
        image, name, value, interpolation=reference.interpolation, fill=reference._fill
    )


@pytest.mark.parametrize("fill", [None, 128])
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_at_each_magnitude_is_torchvisions_bit_for_bit(name, fill):
    """One call for all 31 magnitudes and both signs."""
    cases = [(magnitude, sign) for magnitude in range(BINS) for sign in (-1, 1)]
    steps = [[Step(name, torchvision_value(name, magnitude, 32, sign))] for magnitude, sign in cases]
    out = apply_steps(IMAGES, steps, fill)
    for image, (magnitude, sign), result in zip(IMAGES, cases, out, strict=True):
        assert torch.equal(result, _by_torchvision(image, name, magnitude, sign, fill)), (magnitude, sign)


@pytest.mark.parametrize("value", [paper_value, increasing_value])
@pytest.mark.parametrize("sides", [pytest.param((32, 32, 3), marks=pytest.mark.slow), (24, 20, 3), (33, 47, 1)])
@pytest.mark.parametrize("name", RELEASED_OPERATIONS)
def test_other_scales_and_sides_give_each_image_what_it_gets_alone(name, sides, value):
    images = _images(*sides)
    steps = [
        Step(name, value(name, (row // 2) / 3, sides[1], (-1) ** row), (row / 62, 1 - row / 62)) for row in range(62)
    ]
    out = apply_steps(images, [[step] for step in steps], (10, 20, 30))
    for image, step, result in zip(images, steps, out, strict=True):
        assert torch.equal(result, apply(image, step, (10, 20, 30))), step


def test_a_mixed_assignment_keeps_each_image_to_its_own_and_the_input_as_it_was():
    steps = [
        [Step(OPERATIONS[row % 14], torchvision_value(OPERATIONS[row % 14], row % BINS, 32, 1))] if row % 3 else []
        for row in range(62)
    ]
    before = IMAGES.clone()
    out = apply_steps(IMAGES, steps, 5)
    for image, own, result in zip(IMAGES, steps, out, strict=True):
        assert torch.equal(result, apply(image, own[0], 5) if own else image)
    assert torch.equal(IMAGES, before)


def test_order_of_layers_is_kept():
    steps = [[Step("Invert", 0.0), Step("Solarize", 100.0)], [Step("Solarize", 100.0), Step("Invert", 0.0)]]
    out = apply_steps(IMAGES[:2], steps)
    assert torch.equal(out[0], functional.solarize(functional.invert(IMAGES[0]), 100.0))
    assert torch.equal(out[1], functional.invert(functional.solarize(IMAGES[1], 100.0)))


def test_images_too_small_to_sharpen_and_empty_lists_pass():
    tiny = IMAGES[:2, :, :2, :2]
    assert torch.equal(apply_steps(tiny, [[Step("Sharpness", 0.1)], []]), tiny)
    assert apply_steps(IMAGES[:0], []).shape == (0, 3, 32, 32)


@pytest.mark.slow
def test_operations_and_signs_are_drawn_as_torchvision_draws_them():
    """Uniform over the 14, signs even, layers independent: each count within 4.5 standard deviations of its mean."""
    images = 14_000
    draws = Draws(0, 0, torch.arange(images), torch.zeros(images, dtype=torch.long))("rand_augment", 2 * LAYER_DRAWS)
    settings = RandAugment(2, 9, "torchvision")
    steps = [rand_augment_steps(row, settings, 32, 32) for row in draws.tolist()]
    assert {len(own) for own in steps} == {2}
    assert set(OPERATIONS) == set(v2.RandAugment._AUGMENTATION_SPACE)

    def near(count, trials, chance):
        return abs(count - trials * chance) < 4.5 * math.sqrt(trials * chance * (1 - chance))

    names = Counter(step.name for own in steps for step in own)
    assert all(near(names[name], 2 * images, 1 / 14) for name in OPERATIONS), names
    pairs = Counter((own[0].name, own[1].name) for own in steps)
    assert all(near(pairs[one, two], images, 1 / 196) for one in OPERATIONS for two in OPERATIONS)
    for name in ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY", "Brightness", "Color", "Contrast"):
        drawn = [step.value for own in steps for step in own if step.name == name]
        expected = {torchvision_value(name, 9, 32, sign) for sign in (-1, 1)}
        assert set(drawn) == expected
        assert near(drawn.count(min(expected)), len(drawn), 0.5), name
