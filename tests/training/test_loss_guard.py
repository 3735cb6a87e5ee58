from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import pytest
import torch
from digits_run import fit
from torch import Tensor, nn

from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.callbacks.loss_guard import LossGuard, first_failure, unweighted
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings


class Poison(pl.Callback):
    """Put a nan into one weight before a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == self.step:
            with torch.no_grad():
                pl_module.net.head.classifier.weight[0, 0] = float("nan")


class Weighted(NamedTuple):
    images: Tensor
    weight: Tensor


def test_a_nan_stops_the_run_and_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    weight = r"the weight net\.head\.classifier\.weight is not finite"
    expected = rf"not finite in step 13 at learning rate .*{weight}.*the last good checkpoint is .*last\.ckpt"
    with pytest.raises(ValueError, match=expected):
        fit(tmp_path, callbacks=(Poison(13), LossGuard()))
    checkpoint = load_checkpoint(tmp_path / LAST)
    assert checkpoint["global_step"] == 11
    assert all(torch.isfinite(value).all() for value in checkpoint["state_dict"].values())


@pytest.mark.slow
def test_a_diverging_run_stops_at_the_limit(tmp_path: Path) -> None:
    model = {"optimizer": OptimizerSettings(learning_rate=1000.0, base_batch_size=None)}
    with pytest.raises(ValueError, match=r"above loss_guard\.max_loss 10 in step"):
        fit(tmp_path, model=model, callbacks=(LossGuard(10.0),))


def test_a_healthy_run_is_left_alone(tmp_path: Path) -> None:
    trainer, _ = fit(tmp_path, epochs=1, callbacks=(LossGuard(100.0),))
    assert trainer.global_step == 11


@pytest.mark.slow
def test_the_limit_is_for_the_mean_loss_and_not_for_a_micro_batch_s_share_of_the_step(tmp_path: Path) -> None:
    """One image is left over for four accumulated micro-batches, so its loss counts four times."""
    data = {"batch_size": 1436, "drop_last": False}  # 1,437 training images
    trainer, _ = fit(tmp_path, epochs=1, data=data, callbacks=(LossGuard(8.0),), accumulate_grad_batches=4)
    assert trainer.global_step == 2
    batch = (torch.zeros(1), torch.tensor(4.0))
    assert unweighted(torch.tensor(9.0), Weighted(*batch)) == 2.25
    assert unweighted(torch.tensor(9.0), Weighted(batch[0], torch.tensor(0.0))) == 9.0
    assert unweighted(torch.tensor(9.0), list(batch)) == 9.0


def test_the_first_layer_is_named() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    with torch.no_grad():
        network[1].weight.fill_(3e38)
        network[0].bias.fill_(3e38)
    assert first_failure(network, torch.ones(1, 2)) == "the first layer that is not finite is 1 (Linear)"
    assert first_failure(network, torch.full((1, 2), torch.nan)) == "the images of the batch are not finite"
    assert first_failure(nn.Linear(2, 2), torch.ones(1, 2)) is None


def test_a_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"loss_guard\.max_loss must be above 0"):
        LossGuard(0.0)
