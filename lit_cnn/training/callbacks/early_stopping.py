"""Early stopping: end a run that no longer gains on the validation images."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping as LightningEarlyStopping


class EarlyStopping(LightningEarlyStopping):
    """Stop after ``patience`` validations without a better ``monitor``; the best epoch is in ``best.ckpt`` anyway.

    Args:
        patience: Validations in a row without improvement that end the run; null never stops.
        min_delta: An improvement counts only if it is larger than this (0.001 is a tenth of a percent point).
        monitor: Metric to maximize; taken from the recipe's ``monitor``.
    """

    def __init__(self, patience: int | None = None, min_delta: float = 0.0, monitor: str = "val/acc1") -> None:
        if patience is not None and patience < 1:
            raise ValueError(f"early_stopping.patience must be at least 1 or null, got {patience}")
        if min_delta < 0:
            raise ValueError(f"early_stopping.min_delta must be at least 0, got {min_delta}")
        self.enabled = patience is not None
        super().__init__(monitor, min_delta, patience or 1, mode="max", check_on_train_epoch_end=True)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self.enabled:
            return
        if self.monitor not in trainer.callback_metrics and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            logged = ", ".join(sorted(name for name in trainer.callback_metrics if name.startswith("val/")))
            raise ValueError(f"early_stopping needs the metric {self.monitor!r} (monitor), but there are only {logged}")
        super().on_train_epoch_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting; the patience is the recipe's."""
        patience = self.patience
        super().load_state_dict(state_dict)
        self.patience = patience
