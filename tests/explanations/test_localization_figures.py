"""Figures of localization on overlaps that were made by hand."""

from collections.abc import Mapping

import pytest
import torch

from lit_cnn.data.crop_geometry import CropGeometry
from lit_cnn.explanations.localization import THRESHOLDS, LocalizedImage, Overlaps, swept
from lit_cnn.explanations.localization_figures import (
    best_threshold,
    box_figures,
    center_box,
    map_figures,
    true_in_crop,
    whole_image,
)

LOW, HIGH = 0.2, 0.6
"""Thresholds between which the overlaps change."""


def overlaps(below: float, between: float, above: float, best: float | None = None) -> Overlaps:
    """IoU at the thresholds below 0.2, from there on, and from 0.6 on; of the best region as of the largest, or
    ``best``."""
    values = [below if each < LOW else between if each < HIGH else above for each in THRESHOLDS]
    largest = torch.tensor(values, dtype=torch.float64)
    return Overlaps(largest, largest if best is None else torch.full_like(largest, best))


def image(
    predicted: int,
    found: Mapping[int, Overlaps],
    box: tuple[float, ...] = (0, 0, 100, 50),
    geometry: CropGeometry = CropGeometry((50, 100), (50, 100), 0, 0, (50, 100)),
) -> LocalizedImage:
    true = {number: torch.tensor([box], dtype=torch.float64) for number in found}
    return LocalizedImage("x.png", geometry, true, predicted, 0.5, found, {}, {})


def test_figures_by_hand() -> None:
    images = [
        image(0, {0: overlaps(0.9, 0.4, 0.4)}),  # right, and localized below 0.2
        image(1, {0: overlaps(0.9, 0.9, 0.1)}),  # wrong
        image(1, {1: overlaps(0.1, 0.6, 0.6)}),
        image(2, {1: overlaps(0.2, 0.6, 0.2)}),
    ]
    found = map_figures("cam", images, 0.15)
    assert (found.top1, found.gt_known) == (0.25, 0.5)
    assert (found.max_box_acc, found.best_threshold) == (0.75, LOW)
    at_thirty_per_cent, at_half, at_seventy_per_cent = 1.0, 0.75, 0.5
    assert found.max_box_acc_v2 == pytest.approx((at_thirty_per_cent + at_half + at_seventy_per_cent) / 3)
    assert map_figures("cam", images, 0.3).top1 == 0.25
    assert best_threshold(images, THRESHOLDS) == LOW


def test_an_overlap_of_exactly_one_half_counts_in_max_box_acc_alone() -> None:
    found = map_figures("cam", [image(0, {0: overlaps(0.5, 0.5, 0.5)})], 0.15)
    assert (found.top1, found.gt_known, found.max_box_acc) == (0.0, 0.0, 1.0)
    assert found.max_box_acc_v2 == pytest.approx(2 / 3)


def test_version_two_takes_the_best_region() -> None:
    found = map_figures("cam", [image(0, {0: overlaps(0.1, 0.1, 0.1, best=0.6)})], 0.15)
    assert (found.max_box_acc, found.max_box_acc_v2) == (0.0, pytest.approx(2 / 3))


def test_an_image_of_two_classes_counts_for_both_but_once_in_top1() -> None:
    both = image(1, {0: overlaps(0.9, 0.9, 0.9), 1: overlaps(0.1, 0.1, 0.1)})
    found = map_figures("cam", [both, image(0, {0: overlaps(0.9, 0.9, 0.9)})], 0.15)
    assert (found.top1, found.gt_known) == (0.5, pytest.approx(2 / 3))


def test_a_threshold_between_those_that_are_swept_is_one_more() -> None:
    assert len(swept(0.155)) == len(THRESHOLDS) + 1
    assert swept(0.15) == THRESHOLDS


def test_boxes_that_need_no_network() -> None:
    images = [
        image(0, {0: overlaps(0, 0, 0)}, (0, 0, 100, 40)),  # 0.8 of the image, 0.25 / 0.8 of it in the center box
        image(1, {0: overlaps(0, 0, 0)}, (25, 12.5, 75, 37.5)),  # a quarter of it, the center box itself
    ]
    whole = box_figures("whole image", images, whole_image)
    assert (whole.top1, whole.gt_known, whole.max_box_acc) == (0.5, 0.5, 0.5)
    assert whole.max_box_acc_v2 == pytest.approx(0.5)
    assert whole.best_threshold is None
    middle = box_figures("center box", images, center_box((0.5, 0.5)))
    assert (middle.top1, middle.gt_known) == (0.0, 0.5)


def test_what_the_crop_cuts_off_cannot_be_reached() -> None:
    geometry = CropGeometry((50, 100), (50, 100), 0, 25, (50, 50))  # the middle half
    images = [
        image(0, {0: overlaps(0, 0, 0)}, (0, 0, 60, 50), geometry),  # 35 of 60 columns
        image(0, {0: overlaps(0, 0, 0)}, (0, 0, 40, 50), geometry),  # 15 of 40
        image(0, {0: overlaps(0, 0, 0)}, (0, 0, 20, 50), geometry),
    ]
    assert box_figures("crop", images, true_in_crop).gt_known == pytest.approx(1 / 3)
