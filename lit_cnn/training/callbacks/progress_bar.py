"""The bar of a run in a terminal: the running loss, and no version of a logger."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import RichProgressBar
from torch import Tensor

EVERY = 10
"""Batches between two looks at the loss, which make an accelerator wait."""


class RunBar(RichProgressBar):
    """Show the mean loss of the epoch's batches so far next to the metrics of the last validation."""

    def __init__(self, refresh_rate: int = 4) -> None:
        super().__init__(refresh_rate=refresh_rate)
        self._total: Tensor | float = 0.0
        self._batches = 0
        self._loss: float | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._total, self._batches, self._loss = 0.0, 0, None
        super().on_train_epoch_start(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._total, self._batches = self._total + outputs["loss"].detach(), self._batches + 1
        if self._batches % EVERY == 1:
            self._loss = float(self._total) / self._batches
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """What the bar shows."""
        shown = super().get_metrics(trainer, pl_module)
        running: dict[str, Any] = {} if self._loss is None else {"loss": self._loss}
        return running | {name: value for name, value in shown.items() if name != "v_num"}
