"""Early stopping: end a run that no longer gains on the validation images."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping as LightningEarlyStopping

from lit_cnn.training.monitor import direction, is_of_validation


class EarlyStopping(LightningEarlyStopping):
    """Stop after ``patience`` validations without a better ``monitor``; the best epoch is in ``best.ckpt`` anyway.

    A value that is not finite counts as one that is not better. Lightning's class ends the run at the first of them.

    Args:
        patience: Validations in a row without improvement that end the run; null never stops.
        min_delta: An improvement counts only if it is larger than this (0.001 is a tenth of a percent point).
        monitor: Metric to maximize or, of a loss, to minimize; taken from the recipe's ``monitor``.
    """

    def __init__(self, patience: int | None = None, min_delta: float = 0.0, monitor: str = "val/acc1") -> None:
        if patience is not None and patience < 1:
            raise ValueError(f"early_stopping.patience must be at least 1 or null, got {patience}")
        if min_delta < 0:
            raise ValueError(f"early_stopping.min_delta must be at least 0, got {min_delta}")
        self.enabled = patience is not None
        at_epoch_end = not is_of_validation(monitor)
        super().__init__(
            monitor,
            min_delta,
            patience or 1,
            mode=direction(monitor),
            check_finite=False,
            check_on_train_epoch_end=at_epoch_end,
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.enabled:
            if not is_of_validation(self.monitor):
                self._require_metric(trainer)
            super().on_train_epoch_end(trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.enabled and not trainer.sanity_checking:
            if is_of_validation(self.monitor):
                self._require_metric(trainer)
            super().on_validation_end(trainer, pl_module)

    def _require_metric(self, trainer: pl.Trainer) -> None:
        if self.monitor not in trainer.callback_metrics and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            logged = ", ".join(sorted(name for name in trainer.callback_metrics if name.startswith("val/")))
            raise ValueError(f"early_stopping needs the metric {self.monitor!r} (monitor), but there are only {logged}")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting; the patience is the recipe's."""
        patience = self.patience
        super().load_state_dict(state_dict)
        self.patience = patience
