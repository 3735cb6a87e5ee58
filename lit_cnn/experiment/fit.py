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

from lit_cnn.data.levels import levels_warning
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.changes import Change, labels, one_line
from lit_cnn.experiment.extending import (
    extended_checkpoint,
    extension_record,
    finished_sentence,
    progress_of,
)
from lit_cnn.experiment.initial_weights import fetch_weights
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.experiment.run_trainer import open_data, parts_of, run_trainer, settle_batch, try_out
from lit_cnn.experiment.starting import (
    Start,
    check_same_run,
    find_start,
    goes_on,
    is_main_process,
    make_run_dir,
    require_untrained,
)
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.run_folder.checkpoint import BEST, export_weights, load_checkpoint
from lit_cnn.run_folder.folder import DATA_SET, ENVIRONMENT, RUN_DIR_VARIABLE, describe_environment, write_json
from lit_cnn.run_folder.lock import locked
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.tracking import finish, make_logger, sync_command
from lit_cnn.training.announce import announce
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.slurm import job_id, requeue, take_over_requeueing
from lit_cnn.training.stopping import Pause, RunInterrupted, StopRequest
from lit_cnn.training.trainer import end_launched, seconds_of


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


def fit(
    recipe: Recipe,
    *,
    runs: str | Path = "runs",
    resume: str | Path | None = None,
    extend: str | Path | None = None,
    command: Sequence[str] = (),
    watchers: Sequence[pl.Callback] = (),
    pause: Pause | None = None,
) -> Run:
    """Train a recipe in a run folder of its own, continue a run bit-exactly, or extend a finished one by a new run.

    Args:
        recipe: What is trained, loaded for this run; of a run that is continued, its stored recipe.
        runs: Where run folders are made.
        resume: Folder of the run to continue.
        extend: Folder of the finished run whose weights, optimizer state, averages, epochs and steps the new one takes
            over; its recipe is that one's with a longer ``trainer.max_epochs``, and may train on at other rates.
        command: What ``environment.json`` says the run was started with.
        watchers: Callbacks that observe the run, added to the recipe's own.
        pause: Where the run stops with its state saved, to be continued; its schedule is that of the whole run.

    Raises:
        ValueError: If the recipe asks for what is not possible or has been trained before, ``resume`` is another run,
            or ``extend`` has not finished or does not fit.
    """
    if resume is not None and extend is not None:
        raise ValueError(
            "a run is either continued (--resume) or extended by a new one (--extend): leave one of them out"
        )
    runs, resume, extend = Path(runs).expanduser(), _ending_in_names(resume), _ending_in_names(extend)
    require_untrained(recipe, resume)
    if resume is not None:
        check_same_run(resume, recipe.resolved)
    else:
        recipe.check_monitor(watchers)
    if extend is None and (resume is None or not goes_on(resume)):
        fetch_weights(recipe.model)
    source = None if extend is None else extended_checkpoint(extend, recipe.resolved)
    recipe.machine.apply()
    settings = {**recipe.trainer, "callbacks": [*(recipe.trainer["callbacks"] or []), *watchers]}
    stop = StopRequest(seconds_of(settings.pop("max_time", None)), take_over_requeueing(settings), pause)
    stop.listen()
    try:
        return _fit(recipe, settings, stop, runs, resume, source, command)
    except RunInterrupted as interruption:  # before training began
        announce(str(interruption))
        return Run(None, recipe.about.title, interruption.exit_code)
    finally:
        stop.release()


def _ending_in_names(stated: str | Path | None) -> Path | None:
    """A run's folder by a path that ends in the recipe's name and the run's own, as ``.`` and ``../1`` do not."""
    if stated is None:
        return None
    folder = Path(stated).expanduser()
    return folder.resolve() if {folder.name, folder.parent.name} & {"", ".."} else folder


def _fit(
    recipe: Recipe,
    settings: dict[str, Any],
    stop: StopRequest,
    runs: Path,
    resume: Path | None,
    source: Path | None,
    command: Sequence[str],
) -> Run:
    open_data(recipe, settings)
    if resume is None and is_main_process():
        _warn_of_levels(recipe.data)
    if settings.get("fast_dev_run"):
        try_out(recipe, settings)
        return Run(None, recipe.about.title)
    made_here = resume is None and RUN_DIR_VARIABLE not in os.environ
    folder = make_run_dir(runs, recipe.name if source is None else source.parents[2].name, resume)
    try:
        with locked(folder) if is_main_process() else nullcontext():
            start = find_start(folder, recipe, resume is not None, source)
            if finished := start.finished():
                return _finished_before(folder, recipe, finished)
            return _train(folder, recipe, settings, stop, start, resume is not None, made_here, command)
    finally:
        os.environ.pop(RUN_DIR_VARIABLE, None)


def _warn_of_levels(data: Any) -> None:
    if isinstance(data, ImageData) and (
        problem := levels_warning(data.loaded.train, data.pixel_format, data.loaded.origin)
    ):
        announce(f"warning: {problem}")


def _train(
    folder: Path,
    recipe: Recipe,
    settings: dict[str, Any],
    stop: StopRequest,
    start: Start,
    resuming: bool,
    made_here: bool,
    command: Sequence[str],
) -> Run:
    metrics_file, title = MetricsFile(folder), _title(folder, recipe)
    if start.path is not None:
        metrics_file.truncate_after(start.step - 1)
    if start.is_new and is_main_process():
        write_text(folder / "config.yaml", yaml.safe_dump(recipe.resolved, sort_keys=False))
        write_json(folder / ENVIRONMENT, _environment(folder, recipe, command, resuming))
        write_json(folder / DATA_SET, recipe.data.summary.as_dict())
    elif not start.is_new:
        announce(f"continuing {folder}")
    changed = _changed(folder)
    wandb_logger = _make_logger(folder, recipe, changed, resuming)
    trainer = None
    try:
        trainer = run_trainer(settings, recipe, folder, title, start, metrics_file, wandb_logger, stop)
        settle_batch(recipe, parts_of(trainer))
        recipe.trained_by = folder
        trainer.fit(recipe.model, recipe.data, ckpt_path=start.path, weights_only=True)
    except BaseException as error:
        finish(0 if isinstance(error, RunInterrupted) and error.paused else 1)
        if trainer is None or trainer.global_step in (0, start.step):
            recipe.trained_by = None
            if made_here and is_main_process():
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


def _environment(folder: Path, recipe: Recipe, command: Sequence[str], resuming: bool) -> dict[str, Any]:
    """Where a run begins, with what, and what it changes of its recipe: both as they were said at its first start, if
    it is started again since that left no checkpoint."""
    file = folder / ENVIRONMENT
    before = json.loads(file.read_text()) if resuming and file.is_file() else {}
    said = {key: before[key] for key in ("command", "changed") if key in before}
    return {**describe_environment(command, job_id()), "changed": recipe.changed, **said}


def _changed(folder: Path) -> dict[str, Change]:
    """The keys that the run changed of its recipe when it was started; none in folders of older versions."""
    file = folder / ENVIRONMENT  # other ranks than 0 may be here before it is written, and need it for nothing
    stored = json.loads(file.read_text()) if file.is_file() and is_main_process() else {}
    return {key: Change(*values) for key, values in stored.get("changed", {}).items()}


def _title(folder: Path, recipe: Recipe) -> str:
    return recipe.about.title or folder.parent.name


def _make_logger(folder: Path, recipe: Recipe, changed: dict[str, Change], resuming: bool) -> Any:
    name = f"{folder.parent.name}/{folder.name}"
    config = {**recipe.resolved, "data_set": recipe.data.summary.as_dict(), **extension_record(folder)}
    tracking = replace(recipe.tracking, tags=[*recipe.tracking.tags, *labels(changed)])
    return make_logger(tracking, folder, folder.name, name, config, resuming)


def _interrupted_run(trainer: pl.Trainer, folder: Path, title: str, stop: RunInterrupted) -> Run:
    announce(f"{stop}. Continue with: lit-cnn fit --resume {shlex.quote(str(folder))}")
    if trainer.is_global_zero and not stop.paused:
        _write_best_weights(folder)
    if stop.requeue and trainer.is_global_zero:
        announce(requeue())
    return Run(folder, title, stop.exit_code, trainer.current_epoch)


def _finished_before(folder: Path, recipe: Recipe, checkpoint: dict[str, Any]) -> Run:
    """A resumed run that has nothing left to train: what it left, completed where a kill came after its last step."""
    announce(finished_sentence(folder, checkpoint))
    title, epochs = _title(folder, recipe), progress_of(checkpoint).epochs
    if not is_main_process():
        return Run(folder, title, epochs=epochs)
    metrics = {name: value for row in read_metrics(folder / "metrics.csv") for name, value in row.items()}
    return _described(folder, title, recipe.monitor, epochs, metrics)


def finished_run(trainer: pl.Trainer, folder: Path, title: str, monitor: str) -> Run:
    """The figures of a training that has ended; draws its curves and writes the best epoch's weights alone."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    return _described(folder, title, monitor, trainer.current_epoch, metrics)


def _complete_curves(folder: Path, title: str) -> None:
    """Draw the curves unless they were since the last metrics were written."""
    metrics, curves = folder / "metrics.csv", folder / "curves.png"
    if not curves.is_file() or curves.stat().st_mtime_ns < metrics.stat().st_mtime_ns:
        from lit_cnn.reports.curves import draw_curves  # Matplotlib

        draw_curves(metrics, curves, title)


def _described(folder: Path, title: str, monitor: str, epochs: int, metrics: dict[str, float]) -> Run:
    _complete_curves(folder, title)
    best = _write_best_weights(folder)
    if best is None:
        return Run(folder, title, epochs=epochs, metrics=metrics)
    return Run(folder, title, 0, epochs, metrics, monitor, best["best_score"], best["epoch"] + 1)


def _write_best_weights(folder: Path) -> dict[str, Any] | None:
    """Write the best epoch's weights alone, as safetensors; returns its checkpoint, or None if there is none yet."""
    best = folder / "checkpoints" / BEST
    if not best.is_file():
        return None
    checkpoint = load_checkpoint(best, mapped=True)  # which leaves the optimizer's state unread
    export_weights(checkpoint, folder / "checkpoints" / "weights.safetensors")
    return checkpoint
