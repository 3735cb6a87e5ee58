"""Scores under corruptions of a network that knows colors."""

import pytest
import torch
from colors import color_network, labelled, noise, preprocessing

from lit_cnn.evaluation.corruptions import CORRUPTIONS, CorruptedViews
from lit_cnn.evaluation.robustness import (
    CorruptionScores,
    corruption_scores,
    default_kinds,
    heat_map_rows,
    scores_report,
)


def test_scores_count_each_corruption_apart() -> None:
    """The network names the strongest color, which less contrast keeps and impulse noise on near-gray does not."""
    images = labelled((100 + noise(60) // 16).to(torch.uint8))
    views = CorruptedViews(preprocessing(), ("contrast", "impulse_noise"), (1, 5))
    scores = corruption_scores(color_network(), images, views, batch_size=16)
    assert scores.clean == 1
    assert scores.accuracy.shape == (2, 2)
    assert scores.accuracy[0, 0] > 0.9
    assert scores.accuracy[1, 1] < scores.accuracy[0, 0]
    assert scores.mean_error == pytest.approx(1 - scores.accuracy.mean().item())
    assert scores.added_error == pytest.approx(scores.mean_error)


def test_a_row_is_a_corruption_with_the_clean_accuracy_first_and_then_by_severity() -> None:
    scores = CorruptionScores(0.9, torch.tensor([[0.75, 0.5], [0.25, 0.125]]), 8)
    rows = heat_map_rows(scores, ("fog", "motion_blur"))
    assert rows == {"fog": [0.9, 0.75, 0.5], "motion blur": [0.9, 0.25, 0.125]}


def test_corruptions_are_of_one_or_three_channels() -> None:
    with pytest.raises(ValueError, match="made for gray and RGB images, but the network takes 4 channels"):
        default_kinds(4)


def test_gray_images_have_no_saturation_to_change() -> None:
    assert set(CORRUPTIONS) - set(default_kinds(1)) == {"saturate"}
    assert default_kinds(3) == tuple(CORRUPTIONS)


def test_the_report_names_kinds_and_severities() -> None:
    scores = CorruptionScores(0.75, torch.tensor([[0.75, 0.5], [0.25, 0.0]], dtype=torch.float64), 8)
    report = scores_report(scores, CorruptedViews(preprocessing(), ("fog", "contrast"), (1, 5), seed=3))
    assert report["accuracy"] == {"fog": {"1": 0.75, "5": 0.5}, "contrast": {"1": 0.25, "5": 0.0}}
    assert (report["images"], report["seed"], report["clean"]) == (8, 3, 0.75)
    assert (report["mean_corruption_error"], report["added_error"]) == (0.625, 0.375)
