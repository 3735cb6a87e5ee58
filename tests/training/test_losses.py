import math

import pytest
import torch
from torch.nn import functional as F

from lit_cnn.training.losses import (
    LossSettings,
    balanced_weights,
    classification_loss,
    loss_of_heads,
    row_losses,
)

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]])
TARGETS = torch.tensor([0, 1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_minus_the_mean_log_probability_of_the_smoothed_target(smoothing: float) -> None:
    target = F.one_hot(TARGETS, 3) * (1 - smoothing) + smoothing / 3
    expected = -(target * LOGITS.log_softmax(1)).sum(1).mean()
    loss = classification_loss(LOGITS, TARGETS, None, LossSettings(label_smoothing=smoothing))
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_binary_cross_entropy_averages_over_classes(smoothing: float) -> None:
    total = 0.0
    for row, target in zip(LOGITS.tolist(), TARGETS.tolist(), strict=True):
        for k, logit in enumerate(row):
            y = (k == target) * (1 - smoothing) + smoothing / 3
            p = 1 / (1 + math.exp(-logit))
            total -= (y * math.log(p) + (1 - y) * math.log(1 - p)) / 6
    loss = classification_loss(LOGITS, TARGETS, None, LossSettings("binary_cross_entropy", smoothing))
    assert loss.item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_one_hot_targets_equal_class_indices(name: str) -> None:
    settings = LossSettings(name, 0.1)
    soft = F.one_hot(TARGETS, 3).float()
    torch.testing.assert_close(row_losses(LOGITS, soft, settings), row_losses(LOGITS, TARGETS, settings))


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("soft", [False, True])
def test_invalid_rows_have_no_influence_even_with_nan_logits_and_impossible_targets(name: str, soft: bool) -> None:
    settings = LossSettings(name)
    targets = F.one_hot(TARGETS, 3).float() if soft else TARGETS
    padding = torch.full((1, 3), math.nan) if soft else torch.tensor([-1])
    logits = torch.cat([LOGITS, torch.full((1, 3), math.nan)]).requires_grad_()
    valid = torch.tensor([True, True, False])
    loss = classification_loss(logits, torch.cat([targets, padding]), valid, settings)
    loss.backward()
    torch.testing.assert_close(loss.detach(), classification_loss(LOGITS, targets, None, settings))
    assert torch.equal(logits.grad[2], torch.zeros(3))
    assert logits.grad[:2].abs().min() > 0


@pytest.mark.parametrize("rows", [0, 2])
@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_no_valid_row_gives_zero_with_zero_gradients(name: str, rows: int) -> None:
    logits = LOGITS[:rows].clone().requires_grad_()
    loss = classification_loss(logits, TARGETS[:rows], torch.zeros(rows, dtype=torch.bool), LossSettings(name))
    loss.backward()
    assert loss.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros(rows, 3))


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_half_precision_logits_are_computed_in_float32_under_autocast(name: str) -> None:
    half = LOGITS.bfloat16()
    soft = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.1, 0.9]])
    with torch.autocast("cpu", torch.bfloat16):
        loss = classification_loss(half, soft, None, LossSettings(name))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, classification_loss(half.float(), soft, None, LossSettings(name)), rtol=0, atol=0)


@pytest.mark.parametrize(("name", "smoothing", "message"), [("hinge", 0.0, "loss.name"), ("cross_entropy", 1.0, "1.0")])
def test_wrong_settings_are_named(name: str, smoothing: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LossSettings(name, smoothing)


def test_auxiliary_heads_are_weighted() -> None:
    logits, auxiliary, targets = torch.randn(4, 3), torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    settings = LossSettings(auxiliary_weight=0.4)
    main = classification_loss(logits, targets, None, settings)
    expected = main + 0.4 * classification_loss(auxiliary, targets, None, settings)
    assert torch.allclose(loss_of_heads((logits, auxiliary), targets, None, settings), expected)
    assert torch.equal(loss_of_heads(logits, targets, None, settings), main)


def test_a_target_threshold_takes_every_class_of_a_mixture_as_present() -> None:
    settings = LossSettings("binary_cross_entropy", target_threshold=0.2)
    mixed = torch.tensor([[0.7, 0.3, 0.0], [0.9, 0.0, 0.1]])
    expected = row_losses(
        LOGITS, torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), LossSettings("binary_cross_entropy")
    )
    torch.testing.assert_close(row_losses(LOGITS, mixed, settings), expected)


def test_a_target_threshold_needs_binary_cross_entropy() -> None:
    with pytest.raises(ValueError, match="needs loss\\.name"):
        LossSettings(target_threshold=0.2)


def test_balanced_weights_let_every_class_weigh_alike() -> None:
    weights = balanced_weights(torch.tensor([6, 3, 1]))
    torch.testing.assert_close(weights * torch.tensor([6.0, 3.0, 1.0]), torch.full((3,), 10 / 3))


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_class_weights_are_factors_of_the_rows_and_mixtures_weigh_as_their_parts(name: str) -> None:
    settings, weights = LossSettings(name, 0.1), torch.tensor([0.5, 2.0, 4.0])
    plain = row_losses(LOGITS, TARGETS, settings)
    torch.testing.assert_close(row_losses(LOGITS, TARGETS, settings, weights), plain * torch.tensor([0.5, 2.0]))
    mixed = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.5, 0.5]])
    expected = row_losses(LOGITS, mixed, settings) * torch.tensor([1.625, 3.0])
    torch.testing.assert_close(row_losses(LOGITS, mixed, settings, weights), expected)
    padded = torch.cat([TARGETS, torch.tensor([-1])])
    valid = torch.tensor([True, True, False])
    loss = classification_loss(torch.cat([LOGITS, LOGITS[:1]]), padded, valid, settings, weights)
    torch.testing.assert_close(loss, (plain * torch.tensor([0.5, 2.0])).mean())


def test_a_class_without_images_cannot_be_balanced() -> None:
    with pytest.raises(ValueError, match="1 of 3 classes have no training image"):
        balanced_weights(torch.tensor([2, 0, 5]))
