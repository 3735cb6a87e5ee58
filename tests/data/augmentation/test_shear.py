"""Shear moves rows sideways by up to the stated angle and fills with the mean."""

import math

import pytest
import torch
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.shear import Shear, shear_batch, shear_transforms


def _draws(count):
    return Draws(0, 0, torch.arange(count), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (Shear, {"degrees": 90}, r"data\.shear\.degrees"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_rows_move_sideways_within_the_angle_and_both_ways():
    """One bright column: in the outermost rows it stands up to tan(20 degrees) * 20 px to the left or the right."""
    images = torch.zeros(200, 1, 41, 41, dtype=torch.uint8)
    images[..., 20] = 200
    out = shear_batch(images, Shear(20), (7,), _draws(200)).float()
    top = out[:, 0, 0, 8:33].argmax(1) - 12
    middle = out[:, 0, 20, 8:33].argmax(1) - 12
    assert (middle == 0).all()
    assert top.abs().max() <= math.ceil(math.tan(math.radians(20)) * 20)
    assert top.min() < -4
    assert top.max() > 4
    assert (out == 7).any()


def test_a_file_is_sheared_too():
    picture = functional.to_pil_image(torch.full((3, 41, 41), 200, dtype=torch.uint8))
    (transform,) = shear_transforms(Shear(20), (1, 2, 3))
    torch.manual_seed(0)  # an angle near 0 would show no fill
    out = functional.pil_to_tensor(transform(picture))
    assert {tuple(pixel.tolist()) for pixel in out.flatten(1).T} >= {(200, 200, 200), (1, 2, 3)}
    assert shear_transforms(Shear(0), (1, 2, 3)) == []
