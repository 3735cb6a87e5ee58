"""A line per epoch: loss, accuracy, rate, images per second, the share of the time spent waiting for data and what
would help, and how long the rest of the run will take."""

import datetime
import time
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lit_cnn.data.batch import SKIPPED, Batch
from lit_cnn.data.loading.doctor import diagnose
from lit_cnn.data.module import ImageData
from lit_cnn.training.announce import announce
from lit_cnn.training.monitor import metric_text
from lit_cnn.training.optimization.layer_rates import learning_rate

SHOWN = (("loss", "train/loss"), ("val/loss", "val/loss"), ("val/acc1", "val/acc1"), ("val/map", "val/map"))
"""Name in the line, name of the metric."""


class Throughput(pl.Callback):
    """Time the training epochs; the figures are logged under ``timing/`` and printed.

    Speed and waiting are of the training since the validation before, so that a validation inside an epoch counts in
    neither.
    """

    def __init__(self) -> None:
        self._started = self._last_batch_ended = self._epoch_started = 0.0
        self._waited = 0.0
        self._images: Tensor | int = 0
        self._skipped: Tensor | int = 0
        self._step = 0
        self._speed = ""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._say(trainer)
        self._epoch_started = time.perf_counter()
        self._restart()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run resumed inside an epoch gets no ``on_train_epoch_start`` for it."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._say(trainer)

    def _restart(self) -> None:
        self._started = self._last_batch_ended = time.perf_counter()
        self._waited, self._images, self._skipped = 0.0, 0, 0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        self._waited += time.perf_counter() - self._last_batch_ended
        self._step = trainer.global_step  # Lightning logs what a step gives under the steps before it
        self._images += (batch.index >= 0).sum()
        self._skipped += (batch.index == SKIPPED).sum()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._last_batch_ended = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._report(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._restart()

    def _report(self, trainer: pl.Trainer) -> None:
        elapsed = self._last_batch_ended - self._started
        if trainer.sanity_checking or isinstance(self._images, int) or elapsed <= 0:
            return
        speed = int(self._images) * trainer.world_size / elapsed
        waiting = self._waited / elapsed
        for logger in trainer.loggers:
            logger.log_metrics(
                {"timing/images_per_second": speed, "timing/data_wait_share": waiting, "epoch": trainer.current_epoch},
                step=self._step,
            )
        skipped = int(trainer.strategy.reduce(torch.as_tensor(self._skipped), reduce_op="sum"))
        data = getattr(trainer, "datamodule", None)
        self._speed = (
            f"{speed:,.0f} images/s, waiting for data {100 * waiting:.0f} % of the time"
            + (f", {skipped} broken images skipped" if skipped else "")
            + (f"; {diagnose(speed, waiting, data.loader_facts)}" if isinstance(data, ImageData) else "")
        )

    def _say(self, trainer: pl.Trainer) -> None:
        """Print what there is of the epoch that has ended; its training metrics are known once the next one starts."""
        if not self._speed:
            return
        seconds = time.perf_counter() - self._epoch_started
        done = trainer.current_epoch  # counted when an epoch has ended
        planned = trainer.max_epochs if trainer.max_epochs not in (None, -1) else None
        values = trainer.callback_metrics
        shown = [f"{name} {metric_text(name, float(values[key]))}" for name, key in SHOWN if key in values]
        rates = [f"rate {learning_rate(optimizer):.3g}" for optimizer in trainer.optimizers[:1]]
        left = [] if planned is None or planned <= done else [f"{_duration(seconds * (planned - done))} to go"]
        head = f"epoch {done}" + (f"/{planned}" if planned else "")
        announce(f"{head}: {', '.join([*shown, *rates, *left, self._speed])}")
        self._speed = ""


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds, such as 0:02:10."""
    return str(datetime.timedelta(seconds=round(seconds)))
