"""If one of these fails after an upgrade of torchvision, its class is to be written in torchvision_internals.py."""

import math

import pytest
import torch

from lit_cnn.detection.torchvision_internals import (
    BoxCoder,
    BoxLinearCoder,
    Matcher,
    SSDMatcher,
    concat_box_prediction_layers,
)

ANCHOR = torch.tensor([[0.0, 0, 20, 40]])
BOX = torch.tensor([[5.0, 10, 35, 50]])


def test_a_box_is_coded_by_its_center_and_the_logarithms_of_its_sides() -> None:
    coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
    coded = coder.encode_single(BOX, ANCHOR)
    assert coded[0].tolist() == pytest.approx([10 / 20, 10 / 40, math.log(30 / 20), 0.0])
    assert coder.decode_single(coded, ANCHOR)[0].tolist() == pytest.approx(BOX[0].tolist())


def test_a_box_is_coded_by_its_sides_distances_in_sizes_of_the_anchor() -> None:
    coder = BoxLinearCoder(normalize_by_size=True)
    coded = coder.encode(ANCHOR, BOX)
    assert coded[0].tolist() == pytest.approx([5 / 20, 10 / 40, 25 / 20, 30 / 40])
    assert coder.decode(coded, ANCHOR)[0].tolist() == pytest.approx(BOX[0].tolist())


def test_an_anchor_is_matched_ignored_or_background() -> None:
    overlaps = torch.tensor([[0.6, 0.45, 0.1, 0.0], [0.0, 0.0, 0.2, 0.3]])
    assert Matcher(0.5, 0.4, allow_low_quality_matches=True)(overlaps).tolist() == [0, -2, -1, 1]


def test_every_box_has_the_default_box_that_it_overlaps_most() -> None:
    overlaps = torch.tensor([[0.6, 0.45, 0.1, 0.0], [0.0, 0.0, 0.2, 0.3]])
    assert SSDMatcher(0.5)(overlaps).tolist() == [0, -1, -1, 1]


def test_outputs_of_all_levels_stand_image_by_image_position_by_position() -> None:
    fine, coarse = torch.arange(2 * 3 * 4.0).view(2, 3, 2, 2), 100 + torch.arange(2 * 3.0).view(2, 3, 1, 1)
    boxes = [x.repeat_interleave(4, 1) for x in (fine, coarse)]
    logits, coded = concat_box_prediction_layers([fine, coarse], boxes)
    assert logits.view(2, -1)[0].tolist() == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 100, 101, 102]
    assert torch.equal(coded, logits.expand(-1, 4))
