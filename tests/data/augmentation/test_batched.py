"""A batch gives each image what it would get alone; each operation does what it says."""

import dataclasses

import pytest
import torch
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.batched import Draws, _jitter, augment, cutout, pad_crop, random_erasing
from lit_cnn.data.augmentation.lighting import EIGENVALUES, EIGENVECTORS
from lit_cnn.data.augmentation.plan import Augmentation
from lit_cnn.data.erasing_settings import Cutout, RandomErasing
from lit_cnn.data.settings import (
    ColorJitter,
    Crop,
    Flip,
    RandAugment,
    Shear,
)

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
PLAIN = Augmentation(
    image_size=16,
    crop=Crop("none"),
    flip=Flip(0.0),
    fill=(10, 20, 30),
)
VARIANTS = {
    "pad": {"crop": Crop("pad"), "flip": Flip(0.5, 0.5)},
    "random_resized": {"crop": Crop()},
    "shorter_side": {"crop": Crop("shorter_side", shorter_side=(12, 20)), "image_size": 12},
    "central": {"crop": Crop("shorter_side", shorter_side=(12, 14), central=True), "image_size": 10},
    "lighting": {"color_jitter": ColorJitter(lighting=0.1)},
    "resize": {"crop": Crop("resize"), "image_size": 12},
    "color_jitter": {"color_jitter": ColorJitter(0.4, 0.4, 0.4, 0.1)},
    "shear": {"shear": Shear(20)},
    "imagenet": {"auto_augment": "imagenet"},
    "imagenet_v0": {"auto_augment": "imagenet_v0"},
    "fast": {"auto_augment": "fast_imagenet"},
    "rand_augment_increasing": {"rand_augment": RandAugment(3, 7, "increasing", "released", 0.5, 0.5)},
    "trivial": {"auto_augment": "trivial"},
    "rand_augment": {"rand_augment": RandAugment(2, 9)},
    "rand_augment_torchvision": {"rand_augment": RandAugment(3, 9, "torchvision")},
    "cutout": {"cutout": Cutout(6, 0.7)},
    "random_erasing": {"random_erasing": RandomErasing(0.8)},
}


def _draws(rows, seed=0, epoch=0, repeat=0):
    return Draws(seed, epoch, torch.as_tensor(rows), torch.full((len(rows),), repeat))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_batch_equals_its_images_alone_bit_for_bit(name):
    settings = dataclasses.replace(PLAIN, **VARIANTS[name])
    before = IMAGES.clone()
    whole = augment(IMAGES, settings, _draws(range(8)))
    assert whole.dtype == torch.uint8
    assert whole.shape == (8, 3, settings.image_size, settings.image_size)
    alone = torch.cat([augment(IMAGES[i : i + 1], settings, _draws([i])) for i in range(8)])
    assert torch.equal(whole, alone)
    assert torch.equal(IMAGES, before)
    if name != "resize":
        for other in ({"seed": 1}, {"epoch": 1}, {"repeat": 1}):
            assert not torch.equal(augment(IMAGES, settings, _draws(range(8), **other)), whole), other


@pytest.mark.parametrize("name", ["rand_augment", "random_erasing", "cutout", "pad"])
def test_gray_images_pass(name):
    settings = dataclasses.replace(PLAIN, fill=(10,), **VARIANTS[name])
    assert augment(IMAGES[:, :1], settings, _draws(range(8))).shape == (8, 1, 16, 16)


def test_switched_off_changes_nothing():
    assert torch.equal(augment(IMAGES, PLAIN, _draws(range(8))), IMAGES)


def test_certain_flip_mirrors():
    settings = dataclasses.replace(PLAIN, flip=Flip(1.0, 0.0))
    assert torch.equal(augment(IMAGES, settings, _draws(range(8))), IMAGES.flip(3))


def test_pad_crop_is_a_window_of_the_padded_image_and_visits_every_place():
    images = (torch.arange(16, dtype=torch.uint8) + 1).view(1, 1, 4, 4).expand(400, 1, 4, 4)
    out = pad_crop(images, 1, 4, _draws(range(400)))
    padded = torch.nn.functional.pad(images[:1], [1, 1, 1, 1])
    windows = {tuple(padded[0, 0, i : i + 4, j : j + 4].flatten().tolist()) for i in range(3) for j in range(3)}
    assert {tuple(image.flatten().tolist()) for image in out} == windows


@pytest.mark.parametrize("central", [False, True])
def test_shorter_side_crop_is_a_window_of_the_resized_image_of_any_length(central):
    """A ramp along the wide side tells length and place: its slope is the resize, its first value the window's left."""
    ramp = torch.arange(40, dtype=torch.uint8).mul(6).expand(300, 1, 20, 40)
    crop = Crop("shorter_side", shorter_side=(20, 21), central=central)
    settings = dataclasses.replace(PLAIN, crop=crop, image_size=18, fill=(0,))
    seen = {tuple(image[0, 0].tolist()) for image in augment(ramp, settings, _draws(range(300)))}
    expected = set()
    for length in (20, 21):
        resized = functional.resize(ramp[:1], [length])
        if central:
            resized = functional.center_crop(resized, [length, length])
        row = resized[0, 0, 0]
        expected |= {tuple(row[left : left + 18].tolist()) for left in range(len(row) - 17)}
    assert seen == expected


def test_lighting_adds_one_colour_of_the_stated_spread_to_each_image():
    images = torch.full((2000, 3, 2, 2), 128, dtype=torch.uint8)
    out = augment(
        images, dataclasses.replace(PLAIN, color_jitter=ColorJitter(lighting=0.1), image_size=2), _draws(range(2000))
    )
    added = out.double() - 128
    assert (added == added[:, :, :1, :1]).all()
    values, vectors = EIGENVALUES.double(), EIGENVECTORS.double()
    expected = 25.5**2 * vectors @ values.square().diag() @ vectors.T
    torch.testing.assert_close(torch.cov(added[:, :, 0, 0].T), expected, atol=1.5, rtol=0.08)
    torch.testing.assert_close(added.mean((0, 2, 3)), torch.zeros(3, dtype=torch.double), atol=0.3, rtol=0)


def test_cutout_square_is_whole_inside_and_cut_at_the_border():
    images = torch.zeros(500, 3, 16, 16, dtype=torch.uint8)
    out = cutout(images, Cutout(6), (1, 2, 3), _draws(range(500)))
    areas = (out[:, 0] == 1).sum((1, 2))
    assert areas.max() == 36
    assert areas.min() == 9
    assert ((out[:, 2] == 3).sum((1, 2)) == areas).all()
    # Each pixel is covered equally often but for the border: E[area] = (sum over centres) / 256.
    covered = sum(min(c + 3, 16) - max(c - 3, 0) for c in range(16)) / 16
    assert areas.float().mean().item() == pytest.approx(covered**2, rel=0.06)
    some = cutout(images, Cutout(6, 0.3), (1, 2, 3), _draws(range(500)))
    assert (some[:, 0].amax((1, 2)) == 1).float().mean().item() == pytest.approx(0.3, abs=0.06)


def test_random_erasing_areas_lie_in_the_stated_range():
    images = torch.zeros(300, 1, 40, 40, dtype=torch.uint8)
    out = random_erasing(images, RandomErasing(1.0, (0.1, 0.2)), (7,), _draws(range(300)))
    shares = (out == 7).float().mean((1, 2, 3))
    assert shares.min() > 0.08
    assert shares.max() < 0.23


def test_full_area_crop_is_the_image():
    settings = dataclasses.replace(PLAIN, crop=Crop("random_resized", (1.0, 1.0), (1.0, 1.0)))
    assert torch.equal(augment(IMAGES, settings, _draws(range(8))), IMAGES)


def test_wrong_size_under_no_crop_is_refused():
    with pytest.raises(ValueError, match="needs images of 32x32 pixels"):
        augment(IMAGES, dataclasses.replace(PLAIN, image_size=32), _draws(range(8)))


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
    difference = (_jitter(images, kind, factors).int() - expected.int()).abs()
    assert difference.max() <= 1
    assert (difference > 0).float().mean() < 0.1
