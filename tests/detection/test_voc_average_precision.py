"""Pascal VOC's two average precisions on cases that can be worked out by hand."""

import numpy as np
import pytest

from lit_cnn.detection.matching import ClassMatches
from lit_cnn.detection.voc_average_precision import area_under_curve, eleven_point


def of(correct: list[int], objects: int) -> ClassMatches:
    scores = np.linspace(1, 0, len(correct), endpoint=False, dtype=np.float32)
    return ClassMatches(scores, np.array(correct, dtype=bool), objects)


def test_precision_one_up_to_half_the_objects_and_two_thirds_after() -> None:
    matches = of([1, 0, 1, 0], 2)
    assert eleven_point(matches) == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)
    assert area_under_curve(matches) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@pytest.mark.parametrize("tenths", range(1, 11))
def test_a_recall_of_some_tenths_reaches_its_own_point(tenths: int) -> None:
    """0.1 * 3, 0.1 * 6 and 0.1 * 7 are not the floats 0.3, 0.6 and 0.7."""
    matches = of([1] * tenths, 10)
    assert eleven_point(matches) == pytest.approx((tenths + 1) / 11)
    assert area_under_curve(matches) == pytest.approx(tenths / 10)


def test_perfect_detections_give_one_and_none_gives_zero() -> None:
    for figure in (eleven_point, area_under_curve):
        assert figure(of([1, 1, 1], 3)) == 1
        assert figure(of([], 3)) == 0
        assert figure(of([0, 0], 3)) == 0


def test_wrong_detections_below_the_last_correct_one_change_nothing() -> None:
    for figure in (eleven_point, area_under_curve):
        assert figure(of([1, 0, 1], 4)) == figure(of([1, 0, 1, 0, 0, 0], 4))
