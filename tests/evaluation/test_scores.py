"""Figures against scikit-learn's and against cases counted by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from lit_cnn.evaluation import scores as metrics
from lit_cnn.training.metrics import EvaluationMetrics

NAMES = ["cat", "dog", "emu", "fox"]


@pytest.fixture
def outcome() -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(0)
    probabilities = torch.rand((200, 4), generator=draws, dtype=torch.float64)
    labels = torch.randint(0, 3, (200,), generator=draws)  # no fox
    return probabilities / probabilities.sum(1, keepdim=True), labels


def test_top_1_and_top_k_are_counted() -> None:
    probabilities = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]])
    assert metrics.hits(probabilities, torch.tensor([0, 2])).tolist() == [True, False]
    assert metrics.hits(probabilities, torch.tensor([2, 2]), 2).tolist() == [False, True]
    assert metrics.accuracies(probabilities, torch.tensor([0, 2])) == {"acc1": 0.5, "acc3": 1.0}


def test_equal_classes_come_in_their_order_and_a_hit_is_a_right_prediction() -> None:
    logits = torch.randint(0, 4, (2000, 10), generator=torch.Generator().manual_seed(0)).float()
    labels = torch.arange(2000) % 10
    order = logits.argsort(dim=1, descending=True, stable=True)
    assert torch.equal(metrics.hits(logits, labels), logits.argmax(1) == labels)
    for k in (2, 5):
        assert torch.equal(metrics.hits(logits, labels, k), (order[:, :k] == labels[:, None]).any(1))
    found = EvaluationMetrics(10)
    found.update(logits, labels)
    assert {name: float(found.compute()[name]) for name in ("acc1", "acc5")} == metrics.accuracies(logits, labels)
    assert metrics.hits(torch.tensor([[torch.nan, 0.0], [torch.nan] * 2]), torch.tensor([0, 0])).tolist() == [False] * 2


def test_losses_agree_with_scikit_learn_and_the_definition(outcome: tuple) -> None:
    probabilities, labels = outcome
    assert metrics.log_loss(probabilities, labels) == pytest.approx(
        log_loss(labels.numpy(), probabilities.numpy(), labels=range(4))
    )
    assert metrics.brier_score(torch.tensor([[0.8, 0.2], [0.5, 0.5]]), torch.tensor([0, 1])) == pytest.approx(
        (0.08 + 0.5) / 2
    )
    assert metrics.brier_score(torch.tensor([[0.0, 1.0]]), torch.tensor([0])) == 2
    assert math.isfinite(metrics.log_loss(torch.tensor([[0.0, 1.0]]), torch.tensor([0])))


def test_classes_agree_with_scikit_learn(outcome: tuple) -> None:
    probabilities, labels = outcome
    predicted = probabilities.argmax(1)
    expected = precision_recall_fscore_support(labels, predicted, labels=range(4), zero_division=np.nan)
    rows = {row.name: row for row in metrics.class_scores(probabilities, labels, NAMES)}
    assert metrics.confusion_matrix(predicted, labels, 4).tolist() == confusion_matrix(labels, predicted).tolist()
    for k, name in enumerate(NAMES):
        figures = (rows[name].precision, rows[name].recall, rows[name].f1, rows[name].images)
        assert figures == pytest.approx(tuple(part[k] for part in expected), nan_ok=True)
    by_sklearn = balanced_accuracy_score(labels[labels < 3], predicted[labels < 3].clamp(max=2))
    assert metrics.balanced_accuracy(list(rows.values())) <= by_sklearn  # foxes among the predictions are wrong
    assert metrics.balanced_accuracy(list(rows.values())) == pytest.approx(np.nanmean(expected[1][:3]))


def test_the_worst_class_stands_first_and_one_without_images_last() -> None:
    probabilities = torch.eye(4)[[0, 1, 1, 1, 2, 0]]
    rows = metrics.class_scores(probabilities, torch.tensor([0, 0, 0, 1, 2, 2]), NAMES)
    assert [row.name for row in rows] == ["cat", "emu", "dog", "fox"]
    assert (rows[0].confused_with, rows[0].confused) == ("dog", 2)
    assert rows[2].confused_with is None
    assert math.isnan(rows[3].recall)


def test_the_interval_is_the_bootstraps() -> None:
    """Against resampling the images themselves, within the noise of 10,000 resamples."""
    differences = torch.tensor([1.0] * 12 + [-1.0] * 5 + [0.0] * 83)
    low, high = metrics.bootstrap_interval(differences, "test")
    draws = np.random.default_rng(1).choice(differences.numpy(), (10_000, 100)).mean(1)
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.011)
    assert low < 0.07 < high


@pytest.mark.slow
def test_the_interval_follows_from_its_key() -> None:
    differences = torch.linspace(-1, 1, 301)
    assert metrics.bootstrap_interval(differences, "a", 0) == metrics.bootstrap_interval(differences, "a", 0)
    assert metrics.bootstrap_interval(differences, "a", 0) != metrics.bootstrap_interval(differences, "a", 1)
    assert metrics.bootstrap_interval(torch.zeros(5), "a") == (0, 0)


@pytest.mark.parametrize("total", [1, 2, 10, 200])
def test_a_shares_interval_solves_wilsons_equation(total: int) -> None:
    z = 1.959964
    for right in range(0, total + 1, max(total // 10, 1)):
        low, high = metrics.wilson_interval(right, total)
        assert 0 <= low < right / total or (right == 0 and low == 0)
        assert right / total < high <= 1 or (right == total and high == 1)
        for end in (low, high):
            if 0 < end < 1:  # the share is z standard errors, of the end's own, away
                assert abs(right / total - end) == pytest.approx(z * math.sqrt(end * (1 - end) / total))


def test_no_images_have_no_interval() -> None:
    with pytest.raises(ValueError, match="0 to n right images of n, got 0 of 0"):
        metrics.wilson_interval(0, 0)
    with pytest.raises(ValueError, match="got 3 of 2"):
        metrics.wilson_interval(3, 2)
