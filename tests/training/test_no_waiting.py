"""A training step queues its work and waits for nothing: no value is read back, no copy to the device is waited for.

Logging, every ``log_every_n_steps`` steps, and the loss guard's look, every ``loss_guard.EVERY``, may wait.
"""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from dataless_device import DatalessStrategy, EndAfter, StopTraining, Uploads
from digits_run import make_data, make_model

from lit_cnn.data.augmentation.mixing import Mixing
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.callbacks.loss_guard import LossGuard
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule
from lit_cnn.training.callbacks.throughput import Throughput
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.sam import SamSettings

PLAIN: dict[str, Any] = {"base_batch_size": None, "weight_decay": 1e-4}
CHANGES: dict[str, dict[str, Any]] = {
    "sgd, adaptive clipping": {"clipping": ClippingSettings("adaptive")},
    "adamw, norm clipping": {
        "optimizer": OptimizerSettings("adamw", **PLAIN),
        "clipping": ClippingSettings("norm"),
    },
    "rmsprop, sam": {"optimizer": OptimizerSettings("rmsprop", **PLAIN), "sam": SamSettings(0.05)},
    "lamb, filter limit, binary cross-entropy": {
        "optimizer": OptimizerSettings("lamb", filter_rms=0.1, **PLAIN),
        "loss": LossSettings("binary_cross_entropy", target_threshold=0.2),
    },
    "muon": {"optimizer": OptimizerSettings("muon", **PLAIN)},
}


class Looks(LossGuard):
    """Notes the steps in which the guard would read its verdict back."""

    def __init__(self) -> None:
        super().__init__(max_loss=100.0)
        self.steps: list[int] = []

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.steps.append(trainer.global_step)


def train(folder: Path, callbacks: list[pl.Callback], mixing: Mixing, changes: dict[str, Any], **trainer: Any) -> None:
    """Fit cifar_resnet20 with dropout and stochastic depth to the digits, with all that watches a run."""
    run = pl.Trainer(
        max_epochs=1,
        logger=MetricsFile(folder),
        callbacks=[EMA(0.9), StochasticDepthSchedule(1.0), Throughput(), *callbacks],
        num_sanity_val_steps=0,
        log_every_n_steps=11,  # the last step of the epoch
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=folder,
        **trainer,
    )
    run.fit(make_model(**changes), make_data(mixing=mixing))


def waiting_lines(folder: Path, mixing: Mixing, changes: dict[str, Any]) -> list[str]:
    """Lines of steps 1 and 2 that a GPU would be waited for at an upload; reading a value back raises."""
    uploads, looks = Uploads(), Looks()
    with uploads, pytest.raises(StopTraining):
        train(folder, [looks, EndAfter(uploads, 3)], mixing, changes, strategy=DatalessStrategy())
    assert looks.steps == [0]
    return uploads.waiting


def test_a_step_waits_for_no_device(tmp_path: Path) -> None:
    assert waiting_lines(tmp_path, Mixing(per_image=True), CHANGES["sgd, adaptive clipping"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_nor_does_it_with_other_settings(changes: dict[str, Any], per_image: bool, tmp_path: Path) -> None:
    assert waiting_lines(tmp_path, Mixing(per_image=per_image), changes) == []


def test_what_waits_is_noticed() -> None:
    uploads, there = Uploads(), torch.zeros(3, device="meta")
    with uploads:
        torch.tensor([1.0], device="meta")
        torch.ones(3).to("meta")
        there.copy_(torch.ones(3))
        torch.ones(3).to("meta", non_blocking=True)
        torch.full((3,), 2.0, device="meta")
    assert len(uploads.waiting) == 3
    assert all("test_no_waiting.py" in line for line in uploads.waiting)
    for read in (
        lambda: there.sum().item(),
        there.cpu,
        lambda: there[there > 0],
        there.nonzero,
        lambda: bool(there[0]),
    ):
        with pytest.raises((RuntimeError, NotImplementedError)):
            read()


class Strict(pl.Callback):
    """From the third step on, torch raises where the GPU is waited for."""

    watched = 0
    """Steps in which it would have."""

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.watched += torch.cuda.get_sync_debug_mode() == 2
        torch.cuda.set_sync_debug_mode("error" if 2 <= batch_idx < trainer.num_training_batches - 2 else "default")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, whose waits torch reports")
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_torch_finds_no_wait_in_a_step_on_a_gpu(precision: Any, changes: dict[str, Any], tmp_path: Path) -> None:
    strict = Strict()
    try:
        train(
            tmp_path, [LossGuard(100.0), strict], Mixing(per_image=True), changes,
            accelerator="gpu", devices=1, precision=precision, limit_val_batches=0,
        )  # fmt: skip
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert strict.watched > 0
