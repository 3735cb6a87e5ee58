"""Which detections are correct, and the confusion with background."""

import numpy as np
import pytest
from found_boxes import detections, image, nothing, random_set, split

from lit_cnn.detection.matching import CORRECT, IGNORED, WRONG, confusion_with_background, match_classes, outcomes

LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (200.0, 0.0, 300.0, 100.0)
NEAR_LEFT = (0.0, 0.0, 100.0, 60.0)
FAR = (400.0, 300.0, 450.0, 350.0)


def test_the_best_score_has_the_object_and_a_second_box_on_it_is_wrong() -> None:
    found = detections([LEFT, NEAR_LEFT, RIGHT, FAR], [0.9, 0.8, 0.7, 0.6], [0, 0, 0, 0])
    assert outcomes(image([LEFT, RIGHT], [0, 0]), found).detections.tolist() == [CORRECT, WRONG, CORRECT, WRONG]


def test_a_box_of_another_class_is_wrong() -> None:
    assert outcomes(image([LEFT], [0]), detections([LEFT], [0.9], [1])).detections.tolist() == [WRONG]


@pytest.mark.parametrize(("bottom", "outcome"), [(50.0, CORRECT), (49.9, WRONG)])
def test_half_an_overlap_is_enough(bottom: float, outcome: int) -> None:
    found = detections([(0.0, 0.0, 100.0, bottom)], [0.9], [0])
    assert outcomes(image([LEFT], [0]), found).detections.tolist() == [outcome]


def test_difficult_objects_and_crowds_take_any_number_of_boxes_out_of_the_count() -> None:
    found = detections([LEFT, NEAR_LEFT, RIGHT], [0.9, 0.8, 0.7], [0, 0, 0])
    for marks in ({"difficult": [0]}, {"crowd": [0]}):
        marked = image([LEFT, RIGHT], [0, 0], **marks)
        assert outcomes(marked, found).detections.tolist() == [IGNORED, IGNORED, CORRECT]
        (matches, _) = match_classes(split([marked]), {0: found})
        assert (matches.objects, matches.correct.tolist()) == (1, [True])


def test_what_lies_in_a_crowd_of_its_class_is_neither_correct_nor_wrong() -> None:
    """A crowd is a region of many objects, so the share of the detection in it is what counts, as for COCO."""
    crowded = image([LEFT, (0.0, 0.0, 400.0, 400.0)], [0, 0], crowd=[1])
    inside, across, out = (100.0, 100.0, 150.0, 150.0), (375.0, 0.0, 425.0, 50.0), (376.0, 0.0, 426.0, 50.0)
    found = detections([inside, across, LEFT, NEAR_LEFT, out, inside], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [0] * 5 + [1])
    outcome = outcomes(crowded, found)
    assert outcome.detections.tolist() == [IGNORED, IGNORED, CORRECT, IGNORED, WRONG, WRONG]
    assert outcome.found.tolist() == [True, False]
    assert confusion_with_background(split([crowded]), {0: found}).tolist() == [[1, 0, 0], [0, 0, 0], [1, 1, 0]]


def test_detections_of_all_images_are_sorted_by_score() -> None:
    images = split([image([LEFT], [0]), image([], []), image([RIGHT], [1])])
    found = {
        0: detections([FAR, LEFT], [0.5, 0.2], [0, 0]), 1: detections([FAR], [0.9], [0]),
        2: detections([RIGHT], [0.3], [1]),
    }  # fmt: skip
    first, second = match_classes(images, found)
    np.testing.assert_allclose(first.scores, [0.9, 0.5, 0.2])
    assert first.correct.tolist() == [False, False, True]
    np.testing.assert_allclose(first.precision, [0, 0, 1 / 3])
    np.testing.assert_allclose(first.recall, [0, 0, 1])
    np.testing.assert_allclose(first.f1, [0, 0, 0.5])
    assert (second.objects, second.correct.tolist()) == (1, [True])


def test_images_without_truth_and_without_detections_count() -> None:
    images = split([image([], []), image([LEFT], [0])])
    first, second = match_classes(images, {0: nothing(), 1: nothing()})
    assert (first.objects, len(first.scores), second.objects) == (1, 0, 0)
    assert first.recall.shape == first.f1.shape == (0,)


def test_confusion_has_the_background_last() -> None:
    truth = split([image([LEFT, RIGHT, FAR], [0, 1, 1])])
    found = detections([LEFT, RIGHT, (0.0, 300.0, 50.0, 350.0)], [0.9, 0.8, 0.7], [0, 0, 1])
    assert confusion_with_background(truth, {0: found}).tolist() == [[1, 0, 0], [1, 0, 1], [0, 1, 0]]


def test_a_wrong_class_of_a_higher_score_does_not_take_an_object_from_the_right_one() -> None:
    truth = split([image([LEFT], [1])])
    found = detections([LEFT, NEAR_LEFT], [0.9, 0.3], [0, 1])
    assert confusion_with_background(truth, {0: found}).tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_confusion_leaves_out_what_overlaps_difficult_objects_and_crowds() -> None:
    truth = split([image([LEFT, RIGHT], [0, 1], difficult=[0], crowd=[1])])
    found = detections([LEFT, LEFT, RIGHT], [0.9, 0.8, 0.7], [0, 1, 1])
    assert confusion_with_background(truth, {0: found}).sum() == 0


def test_confusion_counts_each_object_once_and_each_detection_at_most_once() -> None:
    truth, found = random_set(20)
    counts = confusion_with_background(truth, dict(enumerate(found)))
    objects = [~(each.difficult | each.crowd) for each in truth.images]
    assert counts[:-1].sum() == sum(each.sum() for each in objects)
    assert counts[:, :-1].sum() <= sum(len(each.scores) for each in found)
    assert np.trace(counts) > 0
