"""Magnitudes mean what the docstrings say; torchvision's and timm's tables agree where they are followed."""

import pytest
import torch
from timm.data import auto_augment as timm_augment
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.magnitudes import (
    FACTORS,
    fast_value,
    imagenet_v0_value,
    increasing_value,
    paper_value,
    torchvision_value,
    trivial_value,
)
from lit_cnn.data.augmentation.operations import OPERATIONS, RELEASED_OPERATIONS, Step, apply

IMAGES = torch.randint(0, 256, (3, 3, 24, 20), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
SIGNED = ("ShearX", "ShearY", "Rotate", *FACTORS)


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


@pytest.mark.parametrize("value", [paper_value, torchvision_value, increasing_value])
@pytest.mark.parametrize("name", ["Identity", *RELEASED_OPERATIONS])
@pytest.mark.parametrize("magnitude", [15, 28, 60])
def test_magnitudes_beyond_the_scale_stay_legal(value, name, magnitude):
    result = value(name, magnitude, 24, -1)
    assert apply(IMAGES, Step(name, result)).shape == IMAGES.shape
    if name in FACTORS:
        assert result >= 0
    if name.startswith("Translate"):
        assert abs(result) <= 24


@pytest.mark.parametrize("magnitude", [0, 3.3, 7, 10, 14])
@pytest.mark.parametrize("name", [*SIGNED, "Posterize", "Solarize", "SolarizeAdd"])
def test_increasing_scale_is_timms(name, magnitude, monkeypatch):
    """timm caps the magnitude at 10 before it looks up the level."""
    key = name if name in timm_augment.LEVEL_TO_ARG and name in ("ShearX", "ShearY", "Rotate", "SolarizeAdd") else ""
    level = timm_augment.LEVEL_TO_ARG[key or f"{name}Increasing"]
    for sign, draw in ((1, 0.0), (-1, 1.0)):
        monkeypatch.setattr(timm_augment.random, "random", lambda draw=draw: draw)
        assert increasing_value(name, magnitude, 24, sign) == pytest.approx(level(min(magnitude, 10), {})[0])


def test_increasing_translation_is_a_share_of_the_side():
    assert [increasing_value("TranslateX", m, 200, -1) for m in (0, 5, 10, 20)] == [0, -45, -90, -90]


@pytest.mark.parametrize("name", ["Posterize", "Solarize", "Contrast", "Brightness"])
def test_increasing_scale_strengthens(name):
    def change(magnitude):
        image = apply(IMAGES, Step(name, increasing_value(name, magnitude, 24, -1)))
        return (image.int() - IMAGES.int()).abs().float().mean().item()

    changes = [change(magnitude) for magnitude in (3, 6, 9)]
    assert changes == sorted(changes)
    assert changes[0] < changes[-1]


def test_released_operations_have_the_released_codes_constants():
    assert [paper_value("SolarizeAdd", m, 224, 1) for m in (0, 5, 10)] == [0, 55, 110]
    assert [paper_value("Cutout", m, 224, 1) for m in (0, 5, 10)] == [0, 40, 80]
    assert paper_value("Cutout", 10, 32, 1) == 10


def test_imagenet_v0_moves_by_pixels_and_may_blacken():
    assert [imagenet_v0_value("TranslateY", m, 600, -1) for m in (2, 9)] == [-50, -225]
    assert imagenet_v0_value("TranslateY", 9, 32, 1) == 32
    assert [imagenet_v0_value("Posterize", m, 224, 1) for m in (2, 6)] == [0, 2]
    assert not apply(IMAGES, Step("Posterize", 0.0)).any()
    assert not functional.pil_to_tensor(apply(functional.to_pil_image(IMAGES[0]), Step("Posterize", 0.0))).any()


def test_fast_levels_span_the_authors_ranges():
    assert [fast_value("ShearX", level, 32, 1) for level in (0, 0.5, 1)] == pytest.approx([-0.3, 0, 0.3])
    assert [fast_value("Rotate", level, 32, -1) for level in (0, 0.5, 1)] == pytest.approx([30, 0, -30])
    assert [fast_value("TranslateX", level, 100, 1) for level in (0, 0.5, 1)] == [-45, 0, 45]
    assert [fast_value("Color", level, 32, 1) for level in (0, 1)] == pytest.approx([0.1, 1.9])
    assert [fast_value("Posterize", level, 32, 1) for level in (0, 0.3, 0.99)] == [4, 5, 7]
    assert [fast_value("Solarize", level, 32, 1) for level in (0, 0.5, 1)] == [0, 128, 256]
    assert [fast_value("Cutout", level, 100, 1) for level in (0.5, 1)] == [11, 21]
