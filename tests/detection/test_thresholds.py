"""The thresholds of score and overlap that are chosen on validation images."""

import numpy as np
import pytest
import torch
from found_boxes import detections, image, nothing, random_set, split

from lit_cnn.detection.matching import ClassMatches, match_classes
from lit_cnn.detection.thresholds import UNCHOSEN, Thresholds, best_score, choose_thresholds, suppressed

LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (200.0, 0.0, 300.0, 100.0)
HALF_LEFT = (0.0, 0.0, 100.0, 55.0)


def matches(scores: list[float], correct: list[int], objects: int) -> ClassMatches:
    return ClassMatches(np.array(scores, dtype=np.float32), np.array(correct, dtype=bool), objects)


def test_the_best_score_lies_between_the_last_kept_and_the_first_dropped() -> None:
    assert best_score(matches([0.75, 0.5, 0.25], [1, 1, 0], 2)) == 0.375
    assert best_score(matches([0.75, 0.5, 0.25], [1, 1, 1], 3)) == 0.25


def test_equal_scores_are_kept_or_dropped_together() -> None:
    assert best_score(matches([0.75, 0.5, 0.5, 0.25], [1, 1, 0, 0], 2)) == 0.375
    assert best_score(matches([0.75, 0.5, 0.5, 0.5], [1, 1, 0, 0], 2)) == 0.625


def test_a_class_of_which_nothing_is_right_has_a_stated_threshold() -> None:
    assert best_score(matches([0.9], [0], 1)) == best_score(matches([], [], 3)) == UNCHOSEN


def test_no_score_has_a_higher_f1() -> None:
    truth, found = random_set(20)
    for each in match_classes(truth, dict(enumerate(found))):
        kept = each.scores >= best_score(each)
        reached = 2 * each.correct[kept].sum() / (kept.sum() + each.objects)
        assert reached == pytest.approx(each.f1.max())


def test_overlap_is_chosen_where_double_boxes_cost_most() -> None:
    truth = split([image([LEFT, RIGHT], [0, 0])], classes=1)
    doubled = detections([LEFT, HALF_LEFT, RIGHT], [0.9, 0.8, 0.7], [0, 0, 0])
    assert choose_thresholds(truth, {0: doubled}, "val", (0.6, 0.5)).nms == 0.5
    close = split([image([LEFT, HALF_LEFT], [0, 0])], classes=1)
    pair = detections([LEFT, HALF_LEFT], [0.9, 0.8], [0, 0])
    chosen = choose_thresholds(close, {0: pair}, "val, 1 image", (0.5, 0.6))
    assert (chosen.nms, chosen.chosen_on) == (0.6, "val, 1 image")


def test_applied_thresholds_leave_what_is_shown_in_order() -> None:
    found = detections([LEFT, HALF_LEFT, RIGHT, HALF_LEFT], [0.9, 0.8, 0.4, 0.3], [0, 0, 1, 1])
    shown = Thresholds((0.5, 0.35), 0.5, "val").apply(found)
    assert shown.labels.tolist() == [0, 1]
    torch.testing.assert_close(shown.scores, torch.tensor([0.9, 0.4]))
    assert Thresholds((0.5, 0.35), 0.6, "val").apply(found).scores.tolist() == pytest.approx([0.9, 0.8, 0.4])
    assert len(Thresholds((0.5, 0.5), 0.5, "val").apply(nothing()).scores) == 0


def test_boxes_of_different_classes_do_not_suppress_each_other() -> None:
    assert len(suppressed(detections([LEFT, LEFT], [0.9, 0.8], [0, 1]), 0.1).scores) == 2


def test_thresholds_survive_a_checkpoint() -> None:
    chosen = Thresholds((0.25, 0.5), 0.45, "val, 87 images")
    assert chosen.as_dict() == {"score": [0.25, 0.5], "nms": 0.45, "chosen_on": "val, 87 images"}
    assert Thresholds.from_dict(chosen.as_dict()) == chosen


def test_without_any_image_the_first_overlap_and_the_stated_score_are_taken() -> None:
    assert choose_thresholds(split([]), {}, "val") == Thresholds((UNCHOSEN, UNCHOSEN), 0.3, "val")
