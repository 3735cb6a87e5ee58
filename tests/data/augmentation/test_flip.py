"""Flips mirror the stated share of the images, from memory and from files."""

import pytest
import torch

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.flip import Flip, alternate, flip_batch, flip_transforms

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _draws(count, epoch=0):
    return Draws(0, epoch, torch.arange(count), torch.zeros(count, dtype=torch.int64))


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


def test_an_alternating_flip_shows_the_other_side_in_the_next_epoch_from_memory_and_from_files():
    flip, count = Flip(0.3, alternating=True), 2000
    images = IMAGES[:1].expand(count, -1, -1, -1)
    mirrored = [(flip_batch(images, flip, _draws(count, epoch)) != images).flatten(1).any(1) for epoch in range(4)]
    assert mirrored[0].float().mean().item() == pytest.approx(0.3, abs=0.04)
    assert torch.equal(mirrored[1], ~mirrored[0])
    assert torch.equal(mirrored[2], mirrored[0])
    assert torch.equal(mirrored[3], mirrored[1])
    for epoch in range(2):
        alone = [alternate(images[row], flip, 0, epoch, row, 0) for row in range(50)]
        assert torch.equal(torch.stack(alone), flip_batch(images, flip, _draws(count, epoch))[:50])


def test_top_and_bottom_do_not_alternate():
    flip = Flip(0.0, 0.5, alternating=True)
    odd = flip_batch(IMAGES.flip(3), flip, _draws(8, 1))
    assert torch.equal(odd, flip_batch(IMAGES, Flip(0.0, 0.5), _draws(8, 1)))
    assert len(flip_transforms(flip)) == 1
