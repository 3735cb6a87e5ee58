"""Checkpoints of a run, and what a signal does to it.

``last.ckpt`` is written at the end of every epoch and every ten minutes, its predecessor is kept as ``previous.ckpt``,
and ``best.ckpt`` is the epoch with the best monitored metric. Each is written beside its name and then renamed, so
that a kill while writing leaves the earlier one whole. SIGINT and SIGTERM finish the step, save and stop.
"""

import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from lit_cnn.training.runs import BEST, FORMAT, LAST, PREVIOUS


class RunInterrupted(Exception):
    """A signal stopped the run after its state was saved.

    Args:
        signal_number: The signal.
        step: Optimizer steps done.
    """

    def __init__(self, signal_number: int, step: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name} after step {step}; the state is saved")
        self.signal_number = signal_number


class Checkpoints(Checkpoint):
    """Write the checkpoints of one run.

    Args:
        folder: Where they go.
        monitor: Metric whose maximum marks the best epoch.
        record: Built-in types stored in every checkpoint: recipe, classes, preprocessing.
        every_seconds: Time between checkpoints inside an epoch.
    """

    def __init__(self, folder: Path, monitor: str, record: dict[str, Any], every_seconds: float = 600.0) -> None:
        self.folder = folder
        self.monitor = monitor
        self.record = record
        self.every_seconds = every_seconds
        self.best_score: float | None = None
        self._saved_at = time.monotonic()
        self._signal: int | None = None
        self._stopping = False
        self._previous_handlers: dict[int, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"best_score": self.best_score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_score = state_dict["best_score"]

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["format"] = FORMAT
        checkpoint.update(self.record)
        checkpoint["best_score"] = self.best_score

    # When to save -----------------------------------------------------------------------------------------------------

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._saved_at = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous_handlers[number] = signal.signal(number, self._note_signal)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signal = number

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        progress = trainer.fit_loop.epoch_loop.batch_progress
        if progress.is_last_batch or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return  # the end of the epoch saves after validation
        due = time.monotonic() - self._saved_at > self.every_seconds
        stop = self._agreed(trainer, self._signal is not None)
        if stop or self._agreed(trainer, due):
            self.save(trainer, LAST)
        self._stopping = stop

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        score = trainer.callback_metrics.get(self.monitor)
        if score is not None and (self.best_score is None or float(score) > self.best_score):
            self.best_score = float(score)
            self.save(trainer, BEST)
        self.save(trainer, LAST)
        self._stopping = self._agreed(trainer, self._signal is not None)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop_if_saved(trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._stop_if_saved(trainer)

    def _stop_if_saved(self, trainer: pl.Trainer) -> None:
        """Stop one step later than the state was saved: only then have the loggers written the step's row."""
        if self._stopping:
            raise RunInterrupted(self._signal or signal.SIGTERM, trainer.global_step)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        self._previous_handlers = {}

    @staticmethod
    def _agreed(trainer: pl.Trainer, wish: bool) -> bool:
        """Whether any rank wishes it."""
        return trainer.strategy.reduce_boolean_decision(wish, all=False) if trainer.world_size > 1 else wish

    # How to save ------------------------------------------------------------------------------------------------------

    def save(self, trainer: pl.Trainer, name: str) -> None:
        """Write the state of the run as ``folder/name``, whole or not at all."""
        path, partial = self.folder / name, self.folder / f".{name}.partial"
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero:
            if name == LAST and path.exists():
                os.replace(path, self.folder / PREVIOUS)
            os.replace(partial, path)
        trainer.strategy.barrier("checkpoint")
        self._saved_at = time.monotonic()
