import numpy as np

from lit_cnn.choosing.probe import cross_validated


def test_classes_that_a_line_parts_are_told_apart_on_images_that_were_not_fitted() -> None:
    draws = np.random.default_rng(0)
    labels = np.arange(60) % 3
    features = draws.normal(0, 0.1, (60, 4)) + np.eye(3, 4)[labels]
    assert cross_validated(features, labels, np.arange(60) // 3 % 5).all()


def test_features_without_meaning_are_right_as_often_as_chance() -> None:
    draws = np.random.default_rng(0)
    right = cross_validated(draws.normal(0, 1, (300, 4)), draws.integers(0, 3, 300), np.arange(300) % 5)
    assert 0.2 < right.mean() < 0.47


def test_a_part_whose_complement_has_one_class_answers_nothing() -> None:
    assert not cross_validated(np.ones((4, 2)), np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])).any()
