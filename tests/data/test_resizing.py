"""Windows of resized images: torchvision's own of ordinary ones; equal to them, but without the whole, of thin ones."""

import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.resizing import ResizedImages

LEVELS = {"bilinear": 1, "bicubic": 2, "nearest": 0}
"""By how much Pillow's filter may differ from torch's on noise; nearest is computed as torch does."""


def noise(*shape):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def whole(images, sides, interpolation):
    return functional.resize(images, list(sides), interpolation=InterpolationMode(interpolation), antialias=True)


@pytest.mark.parametrize("interpolation", LEVELS)
@pytest.mark.parametrize("side", [8, 24, 33])
def test_an_ordinary_image_is_resized_by_torchvision_bit_for_bit(interpolation, side):
    images = noise(2, 3, 30, 47)
    resized = ResizedImages.covering(images, (side, side), interpolation)
    expected = functional.resize(images, [side], interpolation=InterpolationMode(interpolation), antialias=True)
    assert not resized.in_parts
    assert torch.equal(resized.whole, expected)
    assert torch.equal(resized.center(side, side), functional.center_crop(expected, [side, side]))
    for place in ((-2, 3), (side - 4, -5), (1, 2)):
        assert torch.equal(resized.window(*place, 9, 7), functional.crop(expected, *place, 9, 7))


def test_what_lies_outside_is_black():
    for shape in ((30, 47), (2, 300)):
        resized = ResizedImages.covering(noise(3, *shape) | 1, (20, 20), "bilinear")
        assert (resized.window(-50, 0, 9, 9) == 0).all()
        assert (resized.window(0, resized.sides[1], 9, 9) == 0).all()
        edge = resized.window(-5, -6, 9, 9)
        assert (edge[:, :5] == 0).all()
        assert (edge[:, :, :6] == 0).all()
        assert (edge[:, 5:, 6:] > 0).all()


@pytest.mark.parametrize("interpolation", LEVELS)
@pytest.mark.parametrize(
    ("shape", "box"),
    [((1, 90), (16, 16)), ((90, 1), (16, 16)), ((2, 300), (20, 12)), ((300, 3), (9, 14)), ((40, 3000), (8, 10))],
)
def test_windows_of_a_thin_image_equal_those_of_the_whole(interpolation, shape, box):
    images = noise(2, 3, *shape)
    resized = ResizedImages.covering(images, box, interpolation)
    assert resized.in_parts
    expected = whole(images, resized.sides, interpolation)
    (height, width), (high, wide) = resized.sides, box
    places = [(0, 0), (height - high, width - wide), ((height - high) // 2, (width - wide) // 2), (-3, -2), (1, -wide)]
    places += [(height - high + 3, width - wide + 2), (height // 3, width // 3)]
    for place in places:
        difference = resized.window(*place, *box).int() - functional.crop(expected, *place, *box).int()
        assert difference.abs().max() <= LEVELS[interpolation], place


def test_a_window_far_along_a_long_image_is_at_its_place():
    """A step in brightness at 3/4 of 200,000 pixels stands at 3/4 of 25.6 million: the grid is exact there."""
    image = torch.zeros(1, 1, 200_000, dtype=torch.uint8)
    image[..., 150_000:] = 200
    resized = ResizedImages.covering(image, (128, 128), "bilinear")
    window = resized.window(0, 19_200_000 - 64, 128, 128)
    assert window[0, 0, :64].max() <= 100 <= window[0, 0, 64:].min()
    assert window[0, 0, 0] == 0 or window[0, 0, 127] == 200 or (window[0, 0].diff() >= 0).all()


def test_a_thin_image_is_never_resized_whole(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the whole was asked for")

    monkeypatch.setattr(functional, "resize", refuse)
    assert ResizedImages.covering(noise(3, 1, 65_000), (256, 256), "bicubic").center(224, 224).shape == (3, 224, 224)


def test_images_of_a_batch_are_cut_each_at_its_own_place():
    images = noise(3, 1, 2, 300)
    resized = ResizedImages.covering(images, (8, 8), "bilinear")
    for row, left in enumerate((0, 500, 1192)):
        assert torch.equal(resized.image(row).window(0, left, 8, 8), resized.window(0, left, 8, 8)[row])
