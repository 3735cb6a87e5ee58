"""Ensembles of members whose votes are known."""

import pytest
import torch

from lit_cnn.evaluation.ensemble import ensemble_scores

LABELS = torch.tensor([0, 0, 1, 1])
SURE = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55], [0.55, 0.45]])  # three right, one narrowly wrong
OTHER = torch.tensor([[0.6, 0.4], [0.4, 0.6], [0.2, 0.8], [0.2, 0.8]])  # three right, another narrowly wrong


def test_members_repair_each_others_mistakes() -> None:
    scores = ensemble_scores([SURE, OTHER], LABELS)
    assert [member["acc1"] for member in scores.members] == [0.75, 0.75]
    assert scores.mean["acc1"] == 0.75
    assert scores.ensemble["acc1"] == 1
    assert scores.gain_over_mean == scores.gain_over_best == 0.25
    for low, high in (scores.gain_over_mean_interval, scores.gain_over_best_interval):
        assert low < 0.25 < high


def test_the_best_member_is_named() -> None:
    wrong = 1 - torch.eye(2)[LABELS]
    scores = ensemble_scores([wrong * 0.6 + (1 - wrong) * 0.4, SURE, SURE], LABELS)
    assert scores.best == 1
    assert scores.gain_over_best == pytest.approx(scores.ensemble["acc1"] - 0.75)
    assert scores.gain_over_mean == pytest.approx(scores.ensemble["acc1"] - 0.5)


def test_equal_members_gain_nothing() -> None:
    scores = ensemble_scores([SURE, SURE, SURE], LABELS)
    assert scores.gain_over_mean == scores.gain_over_best == 0
    assert scores.gain_over_mean_interval == (0, 0)
