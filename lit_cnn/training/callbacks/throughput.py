"""A line per epoch: images per second, the share of the time spent waiting for data, and what would help."""

import time
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lit_cnn.data.batch import SKIPPED, Batch
from lit_cnn.data.loading.doctor import diagnose
from lit_cnn.data.module import ImageData
from lit_cnn.training.announce import announce


class Throughput(pl.Callback):
    """Time the training epochs; the figures are logged under ``timing/`` and printed."""

    def __init__(self) -> None:
        self._epoch_started = self._last_batch_ended = 0.0
        self._waited = 0.0
        self._images = 0
        self._skipped: Tensor | int = 0
        self._step = 0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch_started = self._last_batch_ended = time.perf_counter()
        self._waited, self._images, self._skipped = 0.0, 0, 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run resumed inside an epoch gets no ``on_train_epoch_start`` for it."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        self._waited += time.perf_counter() - self._last_batch_ended
        self._step = trainer.global_step  # Lightning logs what a step gives under the steps before it
        self._images += len(batch.index)
        self._skipped += (batch.index == SKIPPED).sum()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._last_batch_ended = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._report(trainer, pl_module)

    def _report(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        elapsed = self._last_batch_ended - self._epoch_started
        if trainer.sanity_checking or self._images == 0 or elapsed <= 0:
            return
        speed = self._images * trainer.world_size / elapsed
        waiting = self._waited / elapsed
        for logger in trainer.loggers:
            logger.log_metrics(
                {"timing/images_per_second": speed, "timing/data_wait_share": waiting, "epoch": trainer.current_epoch},
                step=self._step,
            )
        skipped = int(trainer.strategy.reduce(torch.as_tensor(self._skipped), reduce_op="sum"))
        data = getattr(trainer, "datamodule", None)
        advice = f"; {diagnose(speed, waiting, data.loader_facts)}" if isinstance(data, ImageData) else ""
        announce(
            f"epoch {trainer.current_epoch}: {speed:,.0f} images/s, waiting for data {waiting:.0%} of the time"
            + (f", {skipped} broken images skipped" if skipped else "")
            + advice
        )
        self._images = 0
