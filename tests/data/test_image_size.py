"""Height and width of a stated size, the size that covers a box, and what is extreme."""

import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from lit_cnn.data import image_size
from lit_cnn.data.image_size import (
    as_stated,
    center,
    covering,
    extreme_aspect,
    in_words,
    label,
    name_extreme_aspect,
    sides_of,
    with_shorter_side,
)

SIDE = st.integers(1, 3000)
SIDES = st.tuples(SIDE, SIDE)


def test_one_number_is_a_square_and_two_are_height_and_width():
    assert sides_of(7) == (7, 7)
    assert sides_of((7, 9)) == (7, 9)
    assert [as_stated((7, 7)), as_stated((7, 9))] == [7, (7, 9)]
    assert [label(7), label((7, 7)), label((7, 9)), in_words((7, 7))] == ["7", "7", "9x7", "7x7"]


@given(SIDES, SIDES)
def test_the_covering_size_keeps_the_aspect_ratio_and_touches_the_box(image, box):
    height, width = covering(image, box)
    assert height >= box[0]
    assert width >= box[1]
    assert height == box[0] or width == box[1]
    scale = max(box[0] / image[0], box[1] / image[1])
    assert height == pytest.approx(image[0] * scale, abs=1)
    assert width == pytest.approx(image[1] * scale, abs=1)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 50))
def test_for_a_square_it_is_torchvisions_resize_of_the_shorter_side(height, width, side):
    image = torch.empty(1, height, width, dtype=torch.uint8, device="meta")
    assert covering((height, width), (side, side)) == functional.resize(image, [side]).shape[1:]


@given(SIDES, SIDE)
def test_a_size_of_another_shorter_side_has_it_and_the_same_aspect_ratio(size, shorter):
    scaled = with_shorter_side(size, shorter)
    assert min(scaled) == shorter
    assert max(scaled) == pytest.approx(max(size) * shorter / min(size), abs=0.5)
    assert (size[0] < size[1]) <= (scaled[0] <= scaled[1])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9), st.integers(0, 9))
def test_the_center_is_torchvisions(height, width, more, further):
    image = torch.arange((height + more) * (width + further)).view(1, height + more, width + further)
    top, left = center((height + more, width + further), (height, width))
    expected = functional.center_crop(image, [height, width])
    assert torch.equal(image[:, top : top + height, left : left + width], expected)


def test_extreme_is_more_than_fifty_to_one():
    assert [extreme_aspect(50, 1), extreme_aspect(51, 1), extreme_aspect(2, 101), extreme_aspect(300, 200)] == [
        *(False, True),
        *(True, False),
    ]


def test_the_first_extreme_file_is_named_and_no_other(monkeypatch):
    monkeypatch.setattr(image_size, "_named", [])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for width, name in ((40, "usual.png"), (20_000, "line.png"), (30_000, "other.png")):
            name_extreme_aspect(width, 1, name)
    (only,) = caught
    assert "the image line.png has 20000x1 pixels" in str(only.message)
    assert "so the network sees little of it; remove or cut it" in str(only.message)  # crops and canvases both
