"""Cutout and random erasing fill what they say with the mean color, from memory and from files."""

import pytest
import torch

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.erasing import (
    Cutout,
    RandomErasing,
    cutout_batch,
    cutout_transforms,
    random_erasing_batch,
    random_erasing_transforms,
)

PIXELS = torch.randint(0, 256, (3, 24, 24), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _draws(count):
    return Draws(0, 0, torch.arange(count), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (Cutout, {"size": -2}, r"data\.cutout\.size"),
        (Cutout, {"probability": 1.1}, r"data\.cutout\.probability"),
        (RandomErasing, {"probability": 7}, r"data\.random_erasing\.probability"),
        (RandomErasing, {"scale": (0, 1)}, r"data\.random_erasing\.scale"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_cutout_square_is_whole_inside_and_cut_at_the_border():
    images = torch.zeros(500, 3, 16, 16, dtype=torch.uint8)
    out = cutout_batch(images, Cutout(6), (1, 2, 3), _draws(500))
    areas = (out[:, 0] == 1).sum((1, 2))
    assert areas.max() == 36
    assert areas.min() == 9
    assert ((out[:, 2] == 3).sum((1, 2)) == areas).all()
    # Each pixel is covered equally often but for the border: E[area] = (sum over centers) / 256.
    covered = sum(min(c + 3, 16) - max(c - 3, 0) for c in range(16)) / 16
    assert areas.float().mean().item() == pytest.approx(covered**2, rel=0.06)
    some = cutout_batch(images, Cutout(6, 0.3), (1, 2, 3), _draws(500))
    assert (some[:, 0].amax((1, 2)) == 1).float().mean().item() == pytest.approx(0.3, abs=0.06)


def test_random_erasing_areas_lie_in_the_stated_range():
    images = torch.zeros(300, 1, 40, 40, dtype=torch.uint8)
    out = random_erasing_batch(images, RandomErasing(1.0, (0.1, 0.2)), (7,), _draws(300))
    shares = (out == 7).float().mean((1, 2, 3))
    assert shares.min() > 0.08
    assert shares.max() < 0.23


def test_a_file_loses_a_square_or_a_rectangle_to_the_mean():
    fill = (10, 20, 30)
    for transforms in (cutout_transforms(Cutout(8), fill), random_erasing_transforms(RandomErasing(1.0), fill)):
        (transform,) = transforms
        torch.manual_seed(0)
        out = transform(PIXELS)
        changed = (out != PIXELS).any(0)
        assert 11 <= changed.sum() <= 0.34 * 24 * 24
        assert {tuple(pixel.tolist()) for pixel in out[:, changed].T} == {fill}
    torch.manual_seed(0)
    areas = [(cutout_transforms(Cutout(8), fill)[0](PIXELS) != PIXELS).any(0).sum() for _ in range(100)]
    assert min(areas) >= 14
    assert max(areas) == 64


def test_what_is_off_does_nothing():
    assert cutout_transforms(Cutout(), (1,)) == random_erasing_transforms(RandomErasing(), (1,)) == []
    images = PIXELS[None]
    assert cutout_batch(images, Cutout(), (1,), _draws(1)) is images
    assert random_erasing_batch(images, RandomErasing(), (1,), _draws(1)) is images
