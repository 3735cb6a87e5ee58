"""Color jitter is torchvision's, each image by its own factors."""

import pytest
import torch
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.color_jitter import ColorJitter, color_jitter_batch, color_jitter_transforms, jitter
from lit_cnn.data.augmentation.draws import Draws

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _draws(count):
    return Draws(0, 0, torch.arange(count), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (ColorJitter, {"lighting": -0.1}, r"data\.color_jitter\.lighting"),
        (ColorJitter, {"contrast": -1}, r"data\.color_jitter\.contrast"),
        (ColorJitter, {"hue": 0.6}, r"data\.color_jitter\.hue is 0\.6 .*0\.5"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("kind", "adjust"),
    [
        (0, functional.adjust_brightness),
        (1, functional.adjust_contrast),
        (2, functional.adjust_saturation),
        (3, functional.adjust_hue),
    ],
)
def test_jitter_of_each_image_is_torchvisions(kind, adjust, channels):
    factors = torch.tensor([0.0, 0.3, 1.0, 1.7]) if kind < 3 else torch.tensor([-0.4, 0.0, 0.1, 0.5])
    images = IMAGES[:4, :channels]
    expected = torch.stack([adjust(image, factor) for image, factor in zip(images, factors.tolist(), strict=True)])
    difference = (jitter(images, kind, factors).int() - expected.int()).abs()
    assert difference.max() <= 1
    assert (difference > 0).float().mean() < 0.1


def test_saturation_leaves_every_level_of_gray_images():
    """One level in forty became the one below."""
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(50, 1, 1, 1)
    assert torch.equal(color_jitter_batch(images, ColorJitter(saturation=0.9), _draws(50)), images)


def test_brightness_factors_are_uniform_in_the_stated_range():
    images = torch.full((500, 1, 2, 2), 100, dtype=torch.uint8)
    levels = color_jitter_batch(images, ColorJitter(brightness=0.4), _draws(500))[:, 0, 0, 0]
    assert 59 <= levels.min() < 65
    assert 135 < levels.max() <= 140
    assert levels.float().mean().item() == pytest.approx(100, abs=4)


def test_lighting_follows_the_jitter_of_a_file():
    names = [type(step).__name__ for step in color_jitter_transforms(ColorJitter(0.4, lighting=0.1))]
    assert names == ["ColorJitter", "Lighting"]
    assert color_jitter_transforms(ColorJitter()) == []
