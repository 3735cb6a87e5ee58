"""Exponential moving average of the weights (Polyak averaging), on Lightning's own weight averaging.

Validation is run with the averaged weights, and once more with the raw ones, so that both accuracies are known; the
price is a second forward pass per validation batch. The averaged weights stand in the checkpoint's ``state_dict``, the
raw ones in ``current_model_state``.
"""

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from lit_cnn.training.classifier import Classifier, broadcast_buffers
from lit_cnn.training.optimization.loss_scaling import scaler_of


def warmed_up_decay(decay: float, updates: int, warmup: bool) -> float:
    """Decay after ``updates`` updates: with warm-up min(decay, (1 + n) / (10 + n)), TensorFlow's rule."""
    return min(decay, (1 + updates) / (10 + updates)) if warmup else decay


class EMA(WeightAveraging):
    """Average the weights (and batch-norm statistics) after every optimizer step that float16 did not skip.

    Args:
        decay: Share of the average kept at each step, such as 0.9999; 0 turns averaging off.
        warmup: Let the decay grow as (1 + n) / (10 + n) over the first updates, so that short runs are not held back by
            their initial weights.
    """

    def __init__(self, decay: float = 0.0, warmup: bool = True) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"ema.decay must be in [0, 1), got {decay}")
        super().__init__(use_buffers=True, multi_avg_fn=self._average)
        self.decay = decay
        self.warmup = warmup
        self._scale_before = 0.0

    @property
    def active(self) -> bool:
        """Whether the average holds more than the initial weights."""
        return self._average_model is not None and self._latest_update_step > 0

    @torch.no_grad()
    def _average(self, averaged: Sequence[Tensor], current: Sequence[Tensor], updates: Tensor | int) -> None:
        share = 1.0 - warmed_up_decay(self.decay, int(updates), self.warmup)
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(list(averaged), list(current), share)
        else:  # batch norm's counter of batches
            torch._foreach_copy_(list(averaged), list(current))

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit" and self.decay > 0:
            pl_module.configure_model()
            self._average_model = AveragedModel(pl_module, pl_module.device, use_buffers=True, **self._kwargs)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if self._average_model is not None and (scaler := scaler_of(trainer)):
            self._scale_before = scaler.get_scale()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        scaler = scaler_of(trainer)
        skipped = scaler is not None and scaler.get_scale() < self._scale_before
        if self._average_model is not None and not skipped:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Nothing: the average is updated after steps only."""

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.active:
            assert self._average_model is not None
            broadcast_buffers(self._average_model)
            broadcast_buffers(pl_module)
            self._swap_models(pl_module)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the raw weights' predictions: after the swap they stand in the averaged model."""
        if self.active and isinstance(pl_module, Classifier):
            assert self._average_model is not None
            raw = self._average_model.module
            raw.eval()
            with torch.no_grad():
                pl_module.raw_metrics.update(raw(batch.images), batch.targets, batch.index >= 0)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.active:
            self._swap_models(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.active:
            self._copy_average_to_current(pl_module)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._average_model is not None:
            super().on_save_checkpoint(trainer, pl_module, checkpoint)

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._average_model is not None:
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
