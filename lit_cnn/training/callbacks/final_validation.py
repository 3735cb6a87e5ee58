"""A run ends with a validation of its last weights, wherever in an epoch or between two validations it ends."""

from typing import Any

import lightning.pytorch as pl


class FinalValidation(pl.Callback):
    """Validate after the last step of ``max_steps`` or ``max_epochs``.

    Lightning validates every ``val_check_interval`` and ``check_val_every_n_epoch``, neither of which need meet the
    end. That the trainer should stop is its way of asking for a validation at any step; since it then logs that step
    too, it is asked only where no validation is due.
    """

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        steps_done = trainer.max_steps != -1 and trainer.global_step >= trainer.max_steps
        last_epoch = trainer.max_epochs is not None and trainer.current_epoch + 1 == trainer.max_epochs
        if (steps_done or (last_epoch and trainer.is_last_batch)) and not _is_due(trainer, batch_idx):
            if trainer.check_val_every_n_epoch is not None:
                trainer.check_val_every_n_epoch = 1
            trainer.should_stop = True


def _is_due(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Whether Lightning validates after this batch on its own, by the number of batches of an epoch."""
    epochs, batches = trainer.check_val_every_n_epoch, trainer.val_check_batch
    by_number = epochs is not None and (trainer.current_epoch + 1) % epochs == 0
    return by_number and isinstance(batches, int) and batches > 0 and (batch_idx + 1) % batches == 0
