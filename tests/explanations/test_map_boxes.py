"""Boxes around regions of maps that were made by hand."""

import numpy as np
import pytest

from lit_cnn.explanations.map_boxes import region_boxes


def drawn(*lines: str) -> np.ndarray:
    """A map of digits."""
    return np.array([[float(letter) for letter in line] for line in lines])


def test_the_largest_region_counts_and_not_the_highest() -> None:
    regions = region_boxes(drawn("0000009", "0550000", "0550000", "0000000"), 0.15)
    assert regions.boxes.tolist() == [[6, 0, 7, 1], [1, 1, 3, 3]]
    assert regions.largest == 1


def test_of_equally_large_regions_the_first_from_the_top_counts() -> None:
    regions = region_boxes(drawn("00000", "55000", "00055"), 0.5)
    assert regions.boxes.tolist() == [[0, 1, 2, 2], [3, 2, 5, 3]]
    assert regions.largest == 0


def test_positions_that_touch_at_a_corner_are_one_region() -> None:
    regions = region_boxes(drawn("100", "010", "000"), 0.5)
    assert regions.boxes.tolist() == [[0, 0, 2, 2]]


def test_the_box_is_tight_around_a_region_of_any_form() -> None:
    regions = region_boxes(drawn("0000", "0100", "0111", "0000"), 1.0)
    assert regions.boxes.tolist() == [[1, 1, 4, 3]]


@pytest.mark.parametrize("levels", [np.zeros((3, 4)), np.full((3, 4), -2.0)])
@pytest.mark.parametrize("threshold", [0.0, 0.15, 1.0])
def test_a_map_that_is_nowhere_above_zero_has_no_region(levels: np.ndarray, threshold: float) -> None:
    regions = region_boxes(levels, threshold)
    assert regions.boxes.shape == (0, 4)
    assert regions.largest is None


def test_a_level_at_the_threshold_belongs_to_the_region() -> None:
    levels = drawn("01248")
    for threshold, left in ((0.25, 2), (0.25001, 3), (0.5, 3), (1.0, 4)):
        assert region_boxes(levels, threshold).boxes.tolist() == [[left, 0, 5, 1]]


def test_at_a_threshold_of_zero_all_that_is_above_zero_is_left() -> None:
    assert region_boxes(np.array([[-1.0, 0.0, 0.001, 5.0]]), 0.0).boxes.tolist() == [[2, 0, 4, 1]]
