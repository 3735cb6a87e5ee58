"""Checkpoints of a run, and what a signal or a time limit does to it.

``last.ckpt`` is written at the end of every epoch and every ten minutes, its predecessor is kept as ``previous.ckpt``,
and ``best.ckpt`` holds the weights of the validation with the best monitored metric. Each gets a temporary name and is
then renamed, so that a kill while writing, or a full disk, leaves the earlier one whole; ``best.ckpt`` first, for a run
that goes on from the checkpoint before finds its best epoch again, from the one after it does not. It gets its name at
a later step, when the disk has it, which the training does not wait for, and the loggers have written what it covers,
so that no kill leaves a gap in ``metrics.csv``.

The files of the best validations (``checkpoints.keep``) are made and removed around that, see ``top_checkpoints.py``.

SIGINT, SIGTERM and the time limit finish the step, save and stop. A validation may end first, within 20 s; after that
it is given up, and the run goes on from its last checkpoint. The signal by which SLURM announces the end of a job does
the same. Where a validation is due after the step, the state is saved behind it: Lightning does not make up for one
that a checkpoint lacks.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from lit_cnn.lightning_internals import validation_due
from lit_cnn.run_folder.checkpoint import BEST, LAST, PREVIOUS
from lit_cnn.training.callbacks.top_checkpoints import TopCheckpoints, link_or_copy
from lit_cnn.training.checkpoint_io import BACKGROUND, DurableCheckpointIO
from lit_cnn.training.monitor import is_better, is_of_training, is_of_validation
from lit_cnn.training.stopping import RunInterrupted, StopRequest

GRACE_SECONDS = 20.0
"""How long a validation may go on after a signal: schedulers kill 30 s after it."""


class Checkpoints(Checkpoint):
    """Write the checkpoints of one run.

    Args:
        folder: Where they go.
        monitor: Metric that marks the best validation, by its maximum or, of a loss, its minimum.
        record: Built-in types stored in every checkpoint besides those of the Classifier: the recipe.
        every_seconds: Time between checkpoints inside an epoch.
        checkpoint_io: How checkpoints are read and written; by default each is read from its file.
        stop: What asks the run to stop; by default SIGINT and SIGTERM.
        on_best: Called with the trainer after each validation that is the best so far.
        keep: Number of the best validations whose checkpoints are kept.
    """

    def __init__(
        self,
        folder: Path,
        monitor: str,
        record: dict[str, Any],
        every_seconds: float = 600.0,
        checkpoint_io: DurableCheckpointIO | None = None,
        stop: StopRequest | None = None,
        on_best: Callable[[pl.Trainer], None] | None = None,
        keep: int = 0,
    ) -> None:
        self.folder = folder
        self.monitor = monitor
        self.record = record
        self.every_seconds = every_seconds
        self.checkpoint_io = checkpoint_io or DurableCheckpointIO()
        self.best_score: float | None = None
        self._saved_at = time.monotonic()
        self._saved_step = 0
        self._written_step: int | None = None
        self._written_best = False
        self._top = TopCheckpoints(folder, monitor, keep)
        self._kept_as: str | None = None
        self._written_as: str | None = None
        self.stop = stop or StopRequest()
        self._on_best = on_best
        self._best_step = -1
        self._stopping = self._training = False
        self._saves_after_validation = False

    def state_dict(self) -> dict[str, Any]:
        kept = {"kept": [list(entry) for entry in self._top.ranked]} if self._top.keep else {}
        return {"best_score": self.best_score, **kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_score = state_dict["best_score"]
        self._top.ranked = [(score, name) for score, name in state_dict.get("kept", [])]

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint.update(self.record)
        checkpoint["best_score"] = self.best_score

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":
            trainer.strategy.checkpoint_io = self.checkpoint_io

    # When to save -----------------------------------------------------------------------------------------------------

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._saved_at, self._saved_step = time.monotonic(), trainer.global_step
        self.stop.listen()
        self.stop.wait_for_step()
        self._training, self._saves_after_validation = True, False

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.is_last_batch or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return  # the end of the epoch saves after validation
        due = time.monotonic() - self._saved_at > self.every_seconds
        stop = self._agreed_to_stop(trainer)
        if stop or self.stop.pauses(0, trainer.global_step) or self._agreed(trainer, due):
            self._saves_after_validation = validation_due(trainer)
            if not self._saves_after_validation:
                self.save(trainer)
        self._stopping = stop

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not is_of_validation(self.monitor):
            self._compare(trainer)
        self.save(trainer, best=self._best_step == trainer.global_step)
        self._stopping = self._agreed_to_stop(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compare a complete validation with the best so far; inside an epoch the state is saved here if it is the
        best, or if the step before was to be saved."""
        if not self._training:
            return
        best = is_of_validation(self.monitor) and self._compare(trainer)
        if self._saves_after_validation:
            self._saves_after_validation = False
            self.save(trainer, best)
        elif not trainer.is_last_batch:
            self._save_best(trainer, best, self._kept_as)

    def _save_best(self, trainer: pl.Trainer, best: bool, name: str | None) -> None:
        """Write ``best.ckpt``, the file ``name`` of the best validations, both or nothing."""
        if not (best or name):
            return
        partial = self.folder / f".{BEST}.partial"
        self._write(trainer, partial, self.folder / BEST)
        if trainer.is_global_zero:
            if name:
                self._top.store(partial, name)
            if best:
                os.replace(partial, self.folder / BEST)
            partial.unlink(missing_ok=True)
        self._kept_as = None

    def _compare(self, trainer: pl.Trainer) -> bool:
        """Whether the monitored metric is the best so far; ranks it among those that are kept."""
        score, self._kept_as = trainer.callback_metrics.get(self.monitor), None
        if score is None:
            self._require_logged(trainer)
            return False
        self._kept_as = self._top.add(float(score), trainer.current_epoch + 1, trainer.global_step)
        if not is_better(self.monitor, float(score), self.best_score):
            return False
        self.best_score, self._best_step = float(score), trainer.global_step
        if self._on_best is not None:
            self._on_best(trainer)
        return True

    def _require_logged(self, trainer: pl.Trainer) -> None:
        """Refuse to go on without a best checkpoint where validations, or epochs of training, do not have what it is
        chosen by. Other metrics are those of a callback, which may log them later.

        Raises:
            ValueError: Naming the metrics there are.
        """
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        for part, belongs in (("a validation", is_of_validation), ("an epoch's training", is_of_training)):
            if belongs(self.monitor):
                logged = ", ".join(sorted(filter(belongs, trainer.callback_metrics)))
                raise ValueError(f"monitor is {self.monitor}, but {part} of this run has only {logged}")

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop_if_saved(trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._stop_if_saved(trainer)

    def _stop_if_saved(self, trainer: pl.Trainer) -> None:
        """Publish, or stop, one step later than the state was saved: by now the loggers have written the step's row."""
        pauses = self.stop.pauses(trainer.current_epoch, trainer.global_step)
        self._publish(trainer, wait=self._stopping or pauses)
        if self._stopping or (pauses and self.stop.signal):
            raise self.stop.interruption(self._saved_step)
        if pauses:
            raise RunInterrupted(None, self._saved_step, pause=self.stop.pause)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._publish(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._publish(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._publish(trainer)

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """A long validation is given up without saving, for its part results are in no checkpoint."""
        if self._training and self._agreed(trainer, self.stop.waited(GRACE_SECONDS)):
            self._agreed_to_stop(trainer)
            raise self.stop.interruption(self._saved_step)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._training = False
        self.stop.release()

    def _agreed_to_stop(self, trainer: pl.Trainer) -> bool:
        """Whether any rank is to stop; all of them then know whether the job is to be requeued."""
        stop, requeue = self._agreed(trainer, self.stop.asked), self.stop.requeue_signal
        if stop and requeue and self._agreed(trainer, self.stop.signal == requeue):
            self.stop.signal = requeue
        return stop

    @staticmethod
    def _agreed(trainer: pl.Trainer, wish: bool) -> bool:
        """Whether any rank wishes it."""
        return trainer.strategy.reduce_boolean_decision(wish, all=False) if trainer.world_size > 1 else wish

    # How to save ------------------------------------------------------------------------------------------------------

    def save(self, trainer: pl.Trainer, best: bool = False) -> None:
        """Write the state of the run, which the next hook makes ``last.ckpt``, whole or not at all.

        Args:
            trainer: The run.
            best: Whether it is ``best.ckpt`` too.

        Raises:
            ValueError: If the disk is full or the folder read-only; earlier checkpoints stay.
        """
        self._publish(trainer)
        path, partial = self.folder / LAST, self.folder / f".{LAST}.partial"
        self._write(trainer, partial, path, BACKGROUND)
        self._saved_at, self._written_step, self._written_best = time.monotonic(), trainer.global_step, best
        self._written_as, self._kept_as = self._kept_as, None

    def _write(self, trainer: pl.Trainer, partial: Path, path: Path, options: dict[str, Any] | None = None) -> None:
        try:
            trainer.save_checkpoint(partial, weights_only=False, storage_options=options)  # the optimizer's state, too
        except (OSError, RuntimeError) as error:
            raise self._not_written(partial, path, error) from None
        trainer.strategy.barrier("checkpoint")

    def _not_written(self, partial: Path, path: Path, error: Exception) -> ValueError:
        """Remove what there is of a checkpoint, and say what happened."""
        partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        return ValueError(
            f"cannot write the checkpoint {path} ({reason}): make room or make the folder writable, then continue with "
            f"--resume; the state after step {self._saved_step} is kept"
        )

    def _publish(self, trainer: pl.Trainer, wait: bool = True) -> None:
        """Give the checkpoint that was written its names; nothing if it has them, or, without ``wait``, while the disk
        does not have it."""
        if self._written_step is None:
            return
        path, partial = self.folder / LAST, self.folder / f".{LAST}.partial"
        try:
            if not self.checkpoint_io.on_disk(wait):
                return
        except OSError as error:
            self._written_step = None
            raise self._not_written(partial, path, error) from None
        if trainer.is_global_zero:
            if self._written_as:
                self._top.store(partial, self._written_as)
            if self._written_best:
                link_or_copy(partial, self.folder / BEST)
            if path.exists():
                os.replace(path, self.folder / PREVIOUS)
            os.replace(partial, path)
            self._top.prune()
        self._saved_step, self._written_step = self._written_step, None
