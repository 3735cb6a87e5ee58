"""Magnitudes mean what the docstrings say, and operations are torchvision's."""

import pytest
import torch
from PIL import Image
from torchvision.transforms import AutoAugmentPolicy, v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.operations import (
    FACTORS,
    OPERATIONS,
    PAPER_FILL,
    Step,
    apply,
    auto_augment_steps,
    paper_value,
    rand_augment_steps,
    torchvision_value,
    trivial_value,
)
from lit_cnn.data.policies import POLICIES

IMAGES = torch.randint(0, 256, (3, 3, 24, 20), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _ours(name, magnitude, sign=1):
    value = torchvision_value(name, magnitude, 20 if name == "TranslateX" else 24, sign)
    return apply(IMAGES, Step(name, value))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("magnitude", [0, 9, 17, 30])
@pytest.mark.parametrize("sign", [-1, 1])
def test_torchvision_scale_is_torchvisions_rand_augment(name, magnitude, sign):
    reference = v2.RandAugment()
    table, signed = reference._AUGMENTATION_SPACE[name]
    levels = table(31, 24, 20)
    value = 0.0 if levels is None else float(levels[magnitude]) * (sign if signed else 1)
    expected = reference._apply_image_or_video_transform(IMAGES, name, value, functional.InterpolationMode.NEAREST, {})
    assert torch.equal(_ours(name, magnitude, sign), expected)


@pytest.mark.parametrize("name", [*OPERATIONS])
@pytest.mark.parametrize("level", [0, 7, 30])
def test_trivial_values_are_torchvisions(name, level):
    reference = v2.TrivialAugmentWide()
    table, _ = reference._AUGMENTATION_SPACE[name]
    levels = table(31, 24, 20)
    value = 0.0 if levels is None else float(levels[level])
    expected = reference._apply_image_or_video_transform(IMAGES, name, value, functional.InterpolationMode.NEAREST, {})
    assert torch.equal(apply(IMAGES, Step(name, trivial_value(name, level, 1))), expected)


@pytest.mark.parametrize("name", ["imagenet", "cifar10", "svhn"])
def test_policies_are_the_published_ones(name):
    published = v2.AutoAugment(AutoAugmentPolicy(name))._policies
    ours = [tuple((operation, share, level) for operation, share, level in pair) for pair in POLICIES[name]]
    assert ours == [tuple((operation, share, level or 0) for operation, share, level in pair) for pair in published]


def test_paper_scale_has_the_released_codes_constants():
    assert paper_value("ShearX", 10, 224, 1) == pytest.approx(0.3)
    assert paper_value("Rotate", 5, 224, -1) == pytest.approx(-15)
    assert paper_value("TranslateX", 10, 224, 1) == 100
    assert paper_value("TranslateX", 10, 32, -1) == -14
    assert [paper_value("Color", m, 224, 1) for m in (0, 5, 10)] == pytest.approx([0.1, 1.0, 1.9])
    assert [paper_value("Posterize", m, 224, 1) for m in (0, 5, 10, 15, 28)] == [1, 2, 4, 6, 8]
    assert [paper_value("Solarize", m, 224, 1) for m in (0, 5, 10, 28)] == [0, 128, 256, 256]


@pytest.mark.parametrize("name", ["Posterize", "Solarize"])
def test_paper_posterize_and_solarize_weaken_with_magnitude_and_torchvisions_strengthen(name):
    def change(image):
        return (image.int() - IMAGES.int()).abs().float().mean().item()

    paper = [change(apply(IMAGES, Step(name, paper_value(name, m, 24, 1)))) for m in (3, 6, 9)]
    assert paper == sorted(paper, reverse=True)
    assert paper[0] > paper[-1]
    ours = [change(_ours(name, m)) for m in (9, 18, 30)]
    assert ours == sorted(ours)
    assert ours[0] < ours[-1]


@pytest.mark.parametrize("value", [paper_value, torchvision_value])
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("magnitude", [15, 28, 60])
def test_magnitudes_beyond_the_scale_stay_legal(value, name, magnitude):
    result = value(name, magnitude, 24, -1)
    assert apply(IMAGES, Step(name, result)).shape == IMAGES.shape
    if name in FACTORS:
        assert result >= 0
    if name.startswith("Translate"):
        assert abs(result) <= 24


@pytest.mark.parametrize("name", [*OPERATIONS, "Invert"])
def test_pil_and_tensor_agree(name):
    # Smooth content: rounding of blends may differ by a level or two, the operation may not.
    ramp = torch.arange(256, dtype=torch.uint8).view(16, 16).repeat_interleave(2, 0).repeat_interleave(2, 1)
    image = torch.stack([ramp, ramp.flip(0), ramp.T])
    value = paper_value(name, 4, 32, 1) if name != "Invert" else 0.0
    from_pil = functional.pil_to_tensor(apply(functional.to_pil_image(image), Step(name, value), PAPER_FILL))
    difference = (apply(image, Step(name, value), PAPER_FILL).int() - from_pil.int()).abs()
    assert difference.float().median() <= 2
    assert (difference > 4).float().mean() < 0.12


def test_fill_reaches_the_uncovered_area():
    shifted = apply(IMAGES, Step("TranslateX", 5.0), PAPER_FILL)
    assert (shifted[..., :5] == PAPER_FILL).all()
    assert (apply(Image.new("L", (8, 8), 255), Step("TranslateY", 3.0), 9).crop((0, 0, 8, 3)).getextrema()) == (9, 9)


def test_draws_select_operation_sign_and_policy():
    steps = rand_augment_steps([3.5 / 14, 0.2, 13.5 / 14, 0.9], 2, 10, "paper", 24, 20)
    assert steps == [Step("Rotate", -30.0), Step("TranslateY", 10.0)]
    assert auto_augment_steps([0.0, 0.39, 0.9, 0.61, 0.9], "imagenet", 24, 20) == [Step("Posterize", 4.0)]
    assert auto_augment_steps([0.0, 0.0, 0.0, 0.0, 0.0], "trivial", 24, 20) == [Step("Identity", 0.0)]


def test_unknown_operation_is_named():
    with pytest.raises(ValueError, match="'Blur' is no image operation"):
        apply(IMAGES, Step("Blur", 1.0))
