"""Scores under corruptions of a network that knows colours."""

import pytest
import torch
from colours import colour_network, labelled, noise, preprocessing

from lit_cnn.evaluation.corruptions import CorruptedViews
from lit_cnn.evaluation.robustness import corruption_scores


def test_scores_count_each_corruption_apart() -> None:
    """The network names the strongest colour, which less contrast keeps and impulse noise on near-gray does not."""
    images = labelled((100 + noise(60) // 16).to(torch.uint8))
    views = CorruptedViews(preprocessing(), ("contrast", "impulse_noise"), (1, 5))
    scores = corruption_scores(colour_network(), images, views, batch_size=16)
    assert scores.clean == 1
    assert scores.accuracy.shape == (2, 2)
    assert scores.accuracy[0, 0] > 0.9
    assert scores.accuracy[1, 1] < scores.accuracy[0, 0]
    assert scores.mean_error == pytest.approx(1 - scores.accuracy.mean().item())
    assert scores.added_error == pytest.approx(scores.mean_error)
