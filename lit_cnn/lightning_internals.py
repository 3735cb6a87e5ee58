"""What is asked of Lightning that it does not document: an upgrade of Lightning is adapted to here.

Each function has a test that says what to change when Lightning has moved what it reads.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import lightning.pytorch as pl


class LoopPosition(NamedTuple):
    """Position of a trainer in its epochs.

    Args:
        epochs_begun: Epochs begun.
        epochs_counted: Epochs whose batches and validation have ended.
        batches_done: Micro-batches of the present epoch that have been trained on.
        is_last_batch: Whether the latest micro-batch is the epoch's last.
    """

    epochs_begun: int
    epochs_counted: int
    batches_done: int
    is_last_batch: bool


def loop_position(trainer: pl.Trainer) -> LoopPosition:
    """Where ``trainer`` stands, also right after it has read a checkpoint, before the first batch.

    Lightning's public ``current_epoch`` cannot say whether an epoch is begun, and nothing public counts its batches.
    """
    epochs: Any = trainer.fit_loop.epoch_progress.current
    batches: Any = trainer.fit_loop.epoch_loop.batch_progress
    return LoopPosition(epochs.ready, epochs.processed, batches.current.processed, batches.is_last_batch)


def validation_due(trainer: pl.Trainer) -> bool:
    """Whether Lightning validates after the present micro-batch, asked in ``on_train_batch_end``.

    The settings that decide it are public; how ``should_stop``, the position and the loader's length count is not.
    """
    loop: Any = trainer.fit_loop
    return bool(loop.epoch_loop._should_check_val_fx(loop._data_fetcher))


def open_training_loader(trainer: pl.Trainer) -> None:
    """Let ``trainer.num_training_batches`` be known before the first epoch."""
    trainer.fit_loop.setup_data()


def overfits_batches(trainer: pl.Trainer) -> bool:
    """Whether the trainer was made with ``overfit_batches``; set as an attribute that the class does not declare."""
    return bool(getattr(trainer, "overfit_batches", 0))


def launched_processes(trainer: pl.Trainer) -> Sequence[Any]:
    """The other processes of the run that this one has started, as ``subprocess.Popen`` or like it; often none."""
    launcher: Any = trainer.strategy.launcher
    return getattr(launcher, "procs", [])


def trainer_of(module: pl.LightningModule) -> pl.Trainer | None:
    """The trainer that runs ``module``; None for a module used without one, whose ``trainer`` raises."""
    try:
        return module.trainer
    except RuntimeError:
        return None


def allow_unused_parameters(trainer: pl.Trainer) -> None:
    """Let DDP go on where some parameters get no gradient in a step, as while layers are frozen; without DDP nothing.

    Public is only the strategy's name, under which a recipe would have to state it (ddp_find_unused_parameters_true).
    """
    arguments = getattr(trainer.strategy, "_ddp_kwargs", None)
    if arguments is not None:
        arguments["find_unused_parameters"] = True
