"""A recipe becomes a run: its folder, its trainer, and what is left when the training ends."""

import atexit
import json
import os
import shlex
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import yaml
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from lit_cnn.data.levels import levels_warning
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.changes import Change, labels, one_line
from lit_cnn.experiment.identity import check_identity, describe_changes
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.pretrained.importing import checkpoint_of
from lit_cnn.reports.curves import draw_curves
from lit_cnn.run_folder.checkpoint import BEST, export_weights, load_checkpoint
from lit_cnn.run_folder.folder import (
    DATA_SET,
    ENVIRONMENT,
    RUN_DIR_VARIABLE,
    create_run_dir,
    describe_environment,
    note_last,
    resumable_checkpoint,
    write_json,
)
from lit_cnn.run_folder.lock import locked
from lit_cnn.run_folder.stored_recipe import completed
from lit_cnn.tracking import finish, make_logger, sync_command
from lit_cnn.training.announce import announce
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.callbacks.final_validation import FinalValidation
from lit_cnn.training.callbacks.pictures import Pictures
from lit_cnn.training.callbacks.throughput import Throughput
from lit_cnn.training.checkpoint_io import DurableCheckpointIO
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.slurm import job_id, requeue, take_over_requeueing
from lit_cnn.training.stopping import Pause, RunInterrupted, StopRequest
from lit_cnn.training.trainer import (
    check_keys,
    check_strategy,
    end_launched,
    limited_waiting,
    loggers_of,
    make_trainer,
    profiler_of,
    progress_bars,
    seconds_of,
)

TRIED_OUT = 8
"""Images of the one batch that ``trainer.fast_dev_run`` trains on, at most."""


@dataclass(frozen=True)
class Run:
    """What a training left.

    Args:
        folder: The run folder; None for ``trainer.fast_dev_run``, which has none.
        title: What was trained.
        exit_code: 0, or how ``lit-cnn fit`` says why a run was stopped with its state saved.
        epochs: Epochs trained.
        metrics: The last epoch's, by name.
        monitor: The metric by which the best validation is chosen.
        best_score: Its value there; None where nothing was validated.
        best_epoch: Its number, counted from 1.
        notes: What differs from the recipe, and how to go on.
    """

    folder: Path | None
    title: str
    exit_code: int = 0
    epochs: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    monitor: str = ""
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
    pause: Pause | None = None,
) -> Run:
    """Train a recipe in a run folder of its own, or continue a run bit-exactly.

    Args:
        recipe: What is trained; of a run that is continued, its stored recipe.
        runs: Where run folders are made.
        resume: Folder of the run to continue.
        command: What ``environment.json`` says the run was started with.
        watchers: Callbacks that observe the run, added to the recipe's own.
        pause: Where the run stops with its state saved, to be continued; its schedule is that of the whole run.

    Raises:
        ValueError: If the recipe asks for what is not possible, or ``resume`` is another run.
    """
    if resume is not None:
        _check_same_run(resume, recipe)
    elif recipe.model.initial.checkpoint is not None:
        local = str(checkpoint_of(recipe.model.initial.checkpoint, announce))
        recipe.model.initial = replace(recipe.model.initial, checkpoint=local)
    recipe.machine.apply()
    settings = {**recipe.trainer, "callbacks": [*(recipe.trainer["callbacks"] or []), *watchers]}
    stop = StopRequest(seconds_of(settings.pop("max_time", None)), take_over_requeueing(settings), pause)
    stop.listen()
    try:
        return _fit(recipe, settings, stop, runs, resume, command)
    except RunInterrupted as interruption:  # before training began
        announce(str(interruption))
        return Run(None, recipe.about.title, interruption.exit_code)
    finally:
        stop.release()


def _fit(
    recipe: Recipe,
    settings: dict[str, Any],
    stop: StopRequest,
    runs: Path,
    resume: Path | None,
    command: Sequence[str],
) -> Run:
    check_keys(settings)
    check_strategy(recipe.resolved["trainer"]["strategy"])
    recipe.data.setup("fit")
    for line in [*recipe.notices, *recipe.data.summary.lines()]:
        announce(line)
    if resume is None and is_main_process():
        _warn_of_levels(recipe.data)
    if settings.get("fast_dev_run"):
        return _try_out(recipe, settings)
    folder = _make_run_dir(runs, recipe.name, resume)
    try:
        with locked(folder) if is_main_process() else nullcontext():
            return _train(folder, recipe, settings, stop, resume is not None, command)
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
    """Run ``trainer.fast_dev_run``, with no more than ``TRIED_OUT`` images in the batch."""
    trainer = make_trainer({**settings, "callbacks": [*settings["callbacks"], *recipe.callbacks]})
    _limit_batch(recipe.data, trainer, min(TRIED_OUT, recipe.data.train_size), "for fast_dev_run")
    trainer.fit(recipe.model, recipe.data)
    announce("fast_dev_run finished: one training and one validation batch ran")
    return Run(None, recipe.about.title)


def _limit_batch(data: ImageData, trainer: pl.Trainer, most: int, reason: str) -> None:
    """Make a batch of more than ``most`` images the largest one below that divides into the trainer's parts."""
    parts = trainer.world_size * trainer.accumulate_grad_batches
    fitting = max(most // parts, 1) * parts
    if data.drop_last and data.batch_size > max(most, parts):
        announce(f"data.batch_size is {fitting} instead of {data.batch_size}, {reason}")
        data.batch_size = fitting


def _make_trainer(
    settings: dict[str, Any],
    recipe: Recipe,
    folder: Path,
    checkpoint_io: DurableCheckpointIO,
    metrics_file: MetricsFile,
    wandb_logger: Any,
    stop: StopRequest,
) -> pl.Trainer:
    """The recipe's trainer with all that watches a run, writing into ``folder``."""
    record, pictures = {"recipe": recipe.resolved}, Pictures(folder, wandb_logger)
    callbacks = [
        *settings["callbacks"],
        *progress_bars(settings),
        *recipe.callbacks,
        Throughput(),
        pictures,
        FinalValidation(),
        Checkpoints(
            folder / "checkpoints",
            recipe.monitor,
            record,
            every_seconds=60.0 * recipe.checkpoint_minutes,
            checkpoint_io=checkpoint_io,
            stop=stop,
            on_best=pictures.draw_validation,
        ),
    ]
    loggers = [metrics_file, *([wandb_logger] if wandb_logger else []), *loggers_of(settings)]
    own = {"default_root_dir": folder, "logger": loggers, "profiler": profiler_of(settings, folder)}
    with limited_waiting(recipe.process_timeout_minutes):
        return make_trainer({**settings, **own, "callbacks": callbacks})


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


def _train(
    folder: Path, recipe: Recipe, settings: dict[str, Any], stop: StopRequest, resuming: bool, command: Sequence[str]
) -> Run:
    metrics_file = MetricsFile(folder)
    checkpoint_path, checkpoint_io = _continue(folder, metrics_file) if resuming else (None, DurableCheckpointIO())
    summary = recipe.data.summary.as_dict()
    if checkpoint_path is None and is_main_process():
        (folder / "config.yaml").write_text(yaml.safe_dump(recipe.resolved, sort_keys=False))
        write_json(folder / ENVIRONMENT, {**describe_environment(command, job_id()), "changed": recipe.changed})
        write_json(folder / DATA_SET, summary)
    changed = _changed(folder)
    title = recipe.about.title or folder.parent.name
    name = f"{folder.parent.name}/{folder.name}"
    config = {**recipe.resolved, "data_set": summary}
    tracking = replace(recipe.tracking, tags=[*recipe.tracking.tags, *labels(changed)])
    wandb_logger = make_logger(tracking, folder, folder.name, name, config, resuming)
    trainer = None
    try:
        trainer = _make_trainer(settings, recipe, folder, checkpoint_io, metrics_file, wandb_logger, stop)
        _limit_batch(recipe.data, trainer, recipe.data.train_size, "since the training set has no more images")
        trainer.fit(recipe.model, recipe.data, ckpt_path=checkpoint_path, weights_only=True)
    except BaseException as error:
        finish(0 if isinstance(error, RunInterrupted) and error.paused else 1)
        if not resuming and is_main_process() and (trainer is None or trainer.global_step == 0):
            shutil.rmtree(folder, ignore_errors=True)  # such as of a wrong key: there is nothing to continue
        if trainer is not None and isinstance(error, RunInterrupted) and error.began:
            return _interrupted_run(trainer, folder, title, error)
        if trainer is not None:
            atexit.register(end_launched, trainer)  # once the reason is printed
        raise
    if not trainer.is_global_zero:
        return Run(folder, title, epochs=trainer.current_epoch)
    metrics_file.save()
    run = finished_run(trainer, folder, title, recipe.monitor)
    finish(0)
    sync = sync_command(folder) if wandb_logger else None
    notes = [f"changed: {one_line(changed)}"] if changed else []
    notes += [f"W&B recorded offline; upload with: {sync}"] if sync else []
    return replace(run, notes=tuple(notes))


def _changed(folder: Path) -> dict[str, Change]:
    """The keys that the run changed of its recipe when it was started; none in folders of older versions."""
    file = folder / ENVIRONMENT  # other ranks than 0 may be here before it is written, and need it for nothing
    stored = json.loads(file.read_text()) if file.is_file() and is_main_process() else {}
    return {key: Change(*values) for key, values in stored.get("changed", {}).items()}


def _interrupted_run(trainer: pl.Trainer, folder: Path, title: str, stop: RunInterrupted) -> Run:
    announce(f"{stop}. Continue with: lit-cnn fit --resume {shlex.quote(str(folder))}")
    if stop.requeue and trainer.is_global_zero:
        announce(requeue())
    return Run(folder, title, stop.exit_code, trainer.current_epoch)


def finished_run(trainer: pl.Trainer, folder: Path, title: str, monitor: str) -> Run:
    """The figures of a training that has ended; draws its curves and writes the best epoch's weights alone."""
    draw_curves(folder / "metrics.csv", folder / "curves.png", title)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    best = folder / "checkpoints" / BEST
    if not best.is_file():
        return Run(folder, title, epochs=trainer.current_epoch, metrics=metrics)
    checkpoint = load_checkpoint(best)
    export_weights(checkpoint, folder / "checkpoints" / "weights.safetensors")
    score, epoch = checkpoint["best_score"], checkpoint["epoch"] + 1
    return Run(folder, title, 0, trainer.current_epoch, metrics, monitor, score, epoch)
