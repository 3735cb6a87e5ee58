"""Flips mirror the stated share of the images, from memory and from files."""

import pytest
import torch

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.flip import Flip, flip_batch, flip_transforms

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _draws(count):
    return Draws(0, 0, torch.arange(count), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (Flip, {"horizontal": 2}, r"data\.flip\.horizontal is 2 .*probability"),
        (Flip, {"vertical": -0.1}, r"data\.flip\.vertical"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("flip", "dim"), [(Flip(1.0, 0.0), 2), (Flip(0.0, 1.0), 1)])
def test_a_certain_flip_mirrors(flip, dim):
    assert torch.equal(flip_batch(IMAGES, flip, _draws(8)), IMAGES.flip(dim + 1))
    (transform,) = flip_transforms(flip)
    assert torch.equal(transform(IMAGES[0]), IMAGES[0].flip(dim))


def test_the_two_directions_are_drawn_independently():
    images = IMAGES[:1].expand(2000, -1, -1, -1)
    out = flip_batch(images, Flip(0.5, 0.3), _draws(2000))
    kinds = [images, images.flip(3), images.flip(2), images.flip(2, 3)]
    shares = [(out == kind).flatten(1).all(1).float().mean().item() for kind in kinds]
    assert shares == pytest.approx([0.35, 0.35, 0.15, 0.15], abs=0.04)
    assert flip_transforms(Flip(0.0, 0.0)) == []
