"""A recipe becomes a run: its folder, its trainer, and what is left when the training ends."""

import atexit
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import yaml
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from lit_cnn.data.levels import levels_warning
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.identity import check_identity, describe_changes
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.reports.curves import draw_curves
from lit_cnn.run_folder.checkpoint import BEST, export_weights, load_checkpoint
from lit_cnn.run_folder.folder import (
    ENVIRONMENT,
    RUN_DIR_VARIABLE,
    create_run_dir,
    describe_environment,
    note_last,
    resumable_checkpoint,
    write_json,
)
from lit_cnn.run_folder.stored_recipe import completed
from lit_cnn.tracking import finish, make_logger, sync_command
from lit_cnn.training.announce import announce
from lit_cnn.training.callbacks.checkpoints import Checkpoints, RunInterrupted
from lit_cnn.training.callbacks.pictures import Pictures
from lit_cnn.training.callbacks.throughput import Throughput
from lit_cnn.training.checkpoint_io import DurableCheckpointIO
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.slurm import job_id, requeue, take_over_requeueing
from lit_cnn.training.trainer import check_strategy, end_launched, limited_waiting, progress_bars, seconds_of


@dataclass(frozen=True)
class Run:
    """What a training left.

    Args:
        folder: The run folder; None for ``trainer.fast_dev_run``, which has none.
        title: What was trained.
        exit_code: 0, or how ``lit-cnn fit`` says why a run was stopped with its state saved.
        epochs: Epochs trained.
        metrics: The last epoch's, by name.
        best_score: The monitored metric of the best epoch; None where no epoch was validated.
        best_epoch: Its number, counted from 1.
        notes: Sentences on how to go on.
    """

    folder: Path | None
    title: str
    exit_code: int = 0
    epochs: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    best_score: float | None = None
    best_epoch: int | None = None
    notes: tuple[str, ...] = ()


def is_main_process() -> bool:
    """Whether this is the process that makes the run folder and prints: rank 0, known before any group is formed."""
    return getattr(rank_zero_only, "rank", 0) == 0


def fit(
    recipe: Recipe,
    *,
    runs: Path = Path("runs"),
    resume: Path | None = None,
    command: Sequence[str] = (),
    watchers: Sequence[pl.Callback] = (),
) -> Run:
    """Train a recipe in a run folder of its own, or continue a run bit-exactly.

    Args:
        recipe: What is trained; of a run that is continued, its stored recipe.
        runs: Where run folders are made.
        resume: Folder of the run to continue.
        command: What ``environment.json`` says the run was started with.
        watchers: Callbacks that observe the run, added to the recipe's own.

    Raises:
        ValueError: If the recipe asks for what is not possible, or ``resume`` is another run.
    """
    if resume is not None:
        _check_same_run(resume, recipe)
    recipe.machine.apply()
    settings = {**recipe.trainer, "callbacks": [*(recipe.trainer["callbacks"] or []), *watchers]}
    if settings.get("gradient_clip_val") is not None:
        raise ValueError("trainer.gradient_clip_val is not used: set model.clipping.kind norm and model.clipping.limit")
    check_strategy(recipe.resolved["trainer"]["strategy"])
    recipe.data.setup("fit")
    if resume is None and is_main_process():
        _warn_of_levels(recipe.data)
    if settings.get("fast_dev_run"):
        return _try_out(recipe, settings)
    folder = _make_run_dir(runs, recipe.name, resume)
    try:
        return _train(folder, recipe, settings, resume is not None, command)
    finally:
        os.environ.pop(RUN_DIR_VARIABLE, None)


def _warn_of_levels(data: ImageData) -> None:
    if problem := levels_warning(data.loaded.train, data.pixel_format, data.loaded.origin):
        announce(f"warning: {problem}")


def _check_same_run(folder: Path, recipe: Recipe) -> None:
    stored = completed(yaml.safe_load((folder / "config.yaml").read_text()))
    check_identity(stored, recipe.resolved)
    if is_main_process() and (changes := describe_changes(stored, recipe.resolved)):
        announce(f"the run stays the same, but on other machine settings: {changes}")


def _make_run_dir(runs: Path, name: str, resumed: Path | None) -> Path:
    """The run's folder: given by the starting process, or made by rank 0 and passed to the processes it launches."""
    if resumed:
        folder = resumed
        if is_main_process() and runs.resolve() in folder.resolve().parents:
            note_last(runs.resolve(), folder.resolve())
    elif RUN_DIR_VARIABLE in os.environ:
        folder = Path(os.environ[RUN_DIR_VARIABLE])
    elif is_main_process():
        folder = create_run_dir(runs, name)
        note_last(runs, folder)
    else:
        folder = runs / name / "unused"  # launched from outside: only rank 0 writes
    os.environ[RUN_DIR_VARIABLE] = str(folder)
    return folder


def _try_out(recipe: Recipe, settings: dict[str, Any]) -> Run:
    """Run ``trainer.fast_dev_run``, with no more images in the batch than the training set has."""
    data = recipe.data
    trainer = pl.Trainer(**{**settings, "callbacks": [*settings["callbacks"], *recipe.callbacks]})
    parts = trainer.world_size * trainer.accumulate_grad_batches
    most = data.train_size // parts * parts
    if data.batch_size > most > 0:
        announce(f"fast_dev_run: data.batch_size is {most} instead of {data.batch_size}, to fit the training set")
        data.batch_size = most
    trainer.fit(recipe.model, data)
    announce("fast_dev_run finished: one training and one validation batch ran")
    return Run(None, recipe.about.title)


def _make_trainer(
    settings: dict[str, Any],
    recipe: Recipe,
    folder: Path,
    checkpoint_io: DurableCheckpointIO,
    metrics_file: MetricsFile,
    wandb_logger: Any,
) -> pl.Trainer:
    """The recipe's trainer with all that watches a run, writing into ``folder``."""
    record = {"recipe": recipe.resolved}
    max_seconds = seconds_of(settings.pop("max_time", None))
    minutes, requeue_signal = recipe.checkpoint_minutes, take_over_requeueing(settings)
    callbacks = [
        *settings["callbacks"],
        *progress_bars(settings),
        *recipe.callbacks,
        Throughput(),
        Pictures(folder, wandb_logger),
        Checkpoints(
            folder / "checkpoints",
            recipe.monitor,
            record,
            every_seconds=60.0 * minutes,
            max_seconds=max_seconds,
            checkpoint_io=checkpoint_io,
            requeue_signal=requeue_signal,
        ),
    ]
    loggers = [metrics_file, *([wandb_logger] if wandb_logger else [])]
    with limited_waiting(recipe.process_timeout_minutes):
        return pl.Trainer(**{**settings, "default_root_dir": folder, "logger": loggers, "callbacks": callbacks})


def _continue(folder: Path, metrics_file: MetricsFile) -> tuple[Path | None, DurableCheckpointIO]:
    """The checkpoint that continues the run, if there is one, and what hands it to Lightning: it is read once."""
    found, problem = resumable_checkpoint(folder)
    if problem:
        announce(problem)
    if found is None:
        return None, DurableCheckpointIO()
    metrics_file.truncate_after(found.checkpoint["global_step"] - 1)
    announce(f"continuing {folder}")
    return found.path, DurableCheckpointIO(found)


def _train(folder: Path, recipe: Recipe, settings: dict[str, Any], resuming: bool, command: Sequence[str]) -> Run:
    metrics_file = MetricsFile(folder)
    checkpoint_path, checkpoint_io = _continue(folder, metrics_file) if resuming else (None, DurableCheckpointIO())
    if checkpoint_path is None and is_main_process():
        (folder / "config.yaml").write_text(yaml.safe_dump(recipe.resolved, sort_keys=False))
        write_json(folder / ENVIRONMENT, describe_environment(command, job_id()))
    title = recipe.about.title or folder.parent.name
    name = f"{folder.parent.name}/{folder.name}"
    wandb_logger = make_logger(recipe.tracking, folder, folder.name, name, recipe.resolved, resuming)
    trainer = _make_trainer(settings, recipe, folder, checkpoint_io, metrics_file, wandb_logger)
    try:
        trainer.fit(recipe.model, recipe.data, ckpt_path=checkpoint_path, weights_only=True)
    except RunInterrupted as stop:
        announce(f"{stop}. Continue with: lit-cnn fit --resume {shlex.quote(str(folder))}")
        finish(1)
        if stop.requeue and trainer.is_global_zero:
            announce(requeue())
        return Run(folder, title, stop.exit_code, trainer.current_epoch)
    except Exception:
        atexit.register(end_launched, trainer)  # once the reason is printed
        raise
    if not trainer.is_global_zero:
        return Run(folder, title, epochs=trainer.current_epoch)
    metrics_file.save()
    run = finished_run(trainer, folder, title)
    finish(0)
    sync = sync_command(folder) if wandb_logger else None
    notes = (f"W&B recorded offline; upload with: {sync}",) if sync else ()
    return replace(run, notes=notes)


def finished_run(trainer: pl.Trainer, folder: Path, title: str) -> Run:
    """The figures of a training that has ended; draws its curves and writes the best epoch's weights alone."""
    draw_curves(folder / "metrics.csv", folder / "curves.png", title)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    best = folder / "checkpoints" / BEST
    if not best.is_file():
        return Run(folder, title, epochs=trainer.current_epoch, metrics=metrics)
    checkpoint = load_checkpoint(best)
    export_weights(checkpoint, folder / "checkpoints" / "weights.safetensors")
    score, epoch = checkpoint["best_score"], checkpoint["epoch"] + 1
    return Run(folder, title, 0, trainer.current_epoch, metrics, score, epoch)
