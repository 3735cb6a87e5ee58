"""Extending: a new run that begins where a finished one ended, with its weights, optimizer state and averages.

Everything that the new run needs is put into its own folder first: ``start.ckpt`` is the finished run's last
checkpoint, ``best.ckpt`` and ``metrics.csv`` go on from the finished run's, and ``extends.json`` says where they come
from. So a kill before the new run's first checkpoint loses nothing, and the finished run may be deleted.
"""

import json
import math
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
from torch.optim.lr_scheduler import LambdaLR

from lit_cnn.experiment.identity import check_extension
from lit_cnn.experiment.parser import stored_values
from lit_cnn.run_folder.checkpoint import BEST, LAST, PREVIOUS, load_checkpoint
from lit_cnn.run_folder.folder import Resumable, write_json
from lit_cnn.training.announce import announce
from lit_cnn.training.callbacks.top_checkpoints import link_or_copy
from lit_cnn.training.optimization.schedules import rates

START = "start.ckpt"
ORIGIN = "extends.json"
"""File of a run folder that says which run it extends, and from which epoch and step on."""
KEPT_OF_SCHEDULER = ("last_epoch", "_step_count", "lr_lambdas", "best", "waited", "drops")
"""What a scheduler has counted; all else of its state are settings, which the new recipe states."""
LIGHTNINGS_EPOCHS = 1000
"""Where neither max_epochs nor max_steps is stated."""


class Progress(NamedTuple):
    """How far the run of a checkpoint is.

    Args:
        epochs: Epochs ended.
        steps: Optimizer steps done.
        stopped_early: Whether early stopping has ended it.
    """

    epochs: int
    steps: int
    stopped_early: bool


def progress_of(checkpoint: Mapping[str, Any]) -> Progress:
    """How far the run of a checkpoint of ``lit-cnn fit`` is."""
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    states = [state for name, state in checkpoint["callbacks"].items() if name.startswith("EarlyStopping")]
    patience = checkpoint["recipe"].get("early_stopping", {}).get("patience")
    stopped = patience is not None and any(state["wait_count"] >= patience for state in states)
    return Progress(epochs, checkpoint["global_step"], stopped)


def planned(trainer: Mapping[str, Any]) -> tuple[float, float]:
    """Epochs and steps after which a recipe's ``trainer`` section ends the run; infinite where it sets no limit."""
    epochs, steps = trainer.get("max_epochs"), trainer.get("max_steps", -1)
    limited = steps not in (None, -1)
    if epochs is None:
        epochs = -1 if limited else LIGHTNINGS_EPOCHS
    return math.inf if epochs == -1 else epochs, steps if limited else math.inf


def is_finished(checkpoint: Mapping[str, Any]) -> bool:
    """Whether the run of a checkpoint has ended as its recipe says."""
    done, (epochs, steps) = progress_of(checkpoint), planned(checkpoint["recipe"]["trainer"])
    return done.stopped_early or done.epochs >= epochs or done.steps >= steps


def finished_sentence(folder: Path, checkpoint: Mapping[str, Any]) -> str:
    """That a run has nothing left to train, and how it is extended."""
    done = progress_of(checkpoint)
    how = "early stopping ended it after" if done.stopped_early else "it has trained its"
    return (
        f"the run {folder} is finished: {how} {done.epochs} epochs; train it longer with: "
        f"lit-cnn fit --extend {shlex.quote(str(folder))} --trainer.max_epochs N"
    )


def extended_checkpoint(folder: Path, wanted: dict[str, Any]) -> Path:
    """The checkpoint of the finished run ``folder`` with which a run of the recipe ``wanted`` begins.

    Raises:
        ValueError: If the run is not finished, has no checkpoint, differs in what it is, or ``wanted`` is not longer.
    """
    path = folder / "checkpoints" / LAST
    if not path.is_file():
        left = folder / "checkpoints" / PREVIOUS
        advice = "continue it with --resume first" if left.is_file() else "it has no checkpoint"
        raise ValueError(f"the run {folder} cannot be extended: {advice}")
    checkpoint = load_checkpoint(path)
    check_extension(folder, stored_values(folder), wanted)
    done, (epochs, steps) = progress_of(checkpoint), planned(wanted["trainer"])
    if not is_finished(checkpoint):
        raise ValueError(
            f"the run {folder} is not finished, it stands after step {done.steps}: continue it with "
            f"lit-cnn fit --resume {shlex.quote(str(folder))}"
        )
    for key, count, limit in (("max_epochs", done.epochs, epochs), ("max_steps", done.steps, steps)):
        if limit <= count:
            raise ValueError(
                f"the run {folder} has trained {count} {key.removeprefix('max_')} and trainer.{key} is {limit:g}: set "
                f"--trainer.{key} above {count} to extend it"
            )
    return path


def adopt(source: Path, folder: Path, monitor: str) -> None:
    """Put what a run begins with into its new ``folder``."""
    extended, checkpoints, checkpoint = source.parents[1], folder / "checkpoints", load_checkpoint(source)
    checkpoints.mkdir(parents=True, exist_ok=True)
    link_or_copy(source, checkpoints / START)
    best = source.with_name(BEST)
    if best.is_file() and checkpoint["recipe"]["monitor"] == monitor:
        link_or_copy(best, checkpoints / BEST)
    if (extended / "metrics.csv").is_file():
        shutil.copyfile(extended / "metrics.csv", folder / "metrics.csv")
    done = progress_of(checkpoint)
    write_json(folder / ORIGIN, {"run": str(extended.resolve()), "epochs": done.epochs, "steps": done.steps})
    announce(f"extending {extended} by the new run {folder}")


def extension_record(folder: Path) -> dict[str, Any]:
    """What is recorded of the run that ``folder`` extends; empty where it extends none."""
    origin = folder / ORIGIN
    return {"extends": json.loads(origin.read_text())} if origin.is_file() else {}


def start_of(path: Path, monitor: str) -> Resumable:
    """What an extending run begins with, as long as it has written no checkpoint: ``start.ckpt`` at ``path``.

    Counts of early stopping and of ``checkpoints.keep`` begin again, and so does the best score where another metric
    marks it.
    """
    checkpoint = load_checkpoint(path)
    counted = [{key: state[key] for key in KEPT_OF_SCHEDULER if key in state} for state in checkpoint["lr_schedulers"]]
    callbacks = {name: state for name, state in checkpoint["callbacks"].items() if not name.startswith("EarlyStopping")}
    best = callbacks["Checkpoints"]["best_score"] if checkpoint["recipe"]["monitor"] == monitor else None
    callbacks["Checkpoints"] = {"best_score": best}
    return Resumable(path, {**checkpoint, "lr_schedulers": counted, "callbacks": callbacks})


class Extension(pl.Callback):
    """Let the optimizer of an extending run have its own recipe's settings, and the schedule's rate at its step.

    Restoring an optimizer's state brings the settings of the run that wrote it too; only the state is wanted.
    """

    def __init__(self) -> None:
        self._settings: list[dict[str, Any]] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the settings before the checkpoint's state is restored."""
        (optimizer,) = trainer.optimizers
        self._settings = [{key: group[key] for key in group if key != "params"} for group in optimizer.param_groups]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        (optimizer,), (config,) = trainer.optimizers, trainer.lr_scheduler_configs
        assert isinstance(config.scheduler, LambdaLR)
        for group, settings, rate in zip(optimizer.param_groups, self._settings, rates(config.scheduler), strict=True):
            group.update({**settings, "lr": rate})
        announce(
            f"weights, optimizer state and averages are carried over; the schedule is this run's recipe's, after "
            f"{trainer.current_epoch} epochs and {trainer.global_step} steps: learning rate {rate:g}"
        )
