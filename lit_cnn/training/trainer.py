"""What lit-cnn asks of Lightning's Trainer beyond the ``trainer`` section: its strategy, waiting, time and bar."""

import datetime
import logging
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import AdvancedProfiler, Profiler, SimpleProfiler
from lightning.pytorch.strategies import DDPStrategy, StrategyRegistry
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from lit_cnn.lightning_internals import launched_processes
from lit_cnn.training.callbacks.progress_bar import RunBar


def quieten_lightning() -> None:
    """Silence Lightning's tips and the warnings that do not concern a user of recipes."""
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*LeafSpec.*",
        ".*find_unused_parameters.*",
        ".*lr_scheduler.step.*",
        ".*is smaller than the logging interval.*",
        ".*Checkpoint directory.*",
        ".*sync_dist=True.*",
        ".*tensorboardX.*",
    ):
        warnings.filterwarnings("ignore", message=message)


def check_strategy(strategy: Any) -> None:
    """Refuse strategies that split the weights.

    Raises:
        ValueError: Naming what needs whole weights.
    """
    name = str(strategy.get("class_path") if isinstance(strategy, dict) else strategy)
    if any(word in name.lower() for word in ("fsdp", "deepspeed", "modelparallel", "model_parallel")):
        raise ValueError(
            f"trainer.strategy {name} shards the weights over the devices, but the EMA and Checkpoints callbacks need "
            "them unsharded; use ddp; trainer.precision auto and more trainer.accumulate_grad_batches save memory"
        )


UNUSED = {
    "gradient_clip_val": "set model.clipping.kind norm and model.clipping.limit",
    "gradient_clip_algorithm": "set model.clipping.kind",
    "default_root_dir": "runs are written below --runs",
}
"""Keys of the trainer that a run sets itself -> what to state in their place."""


def check_keys(settings: Mapping[str, Any]) -> None:
    """Refuse keys of ``trainer`` that would not do what they say.

    Raises:
        ValueError: Naming the key and what to state in its place.
    """
    for key, advice in UNUSED.items():
        if settings.get(key) is not None:
            raise ValueError(f"trainer.{key} is not used: {advice}")
    if settings.get("enable_checkpointing") is False:
        raise ValueError(
            "trainer.enable_checkpointing cannot be false, since a run goes on from its checkpoints: set "
            "checkpoint_minutes for fewer of them"
        )
    check_numbers(settings)


COUNTS = {"accumulate_grad_batches": 1, "max_epochs": -1, "max_steps": -1}
"""Keys of the trainer that are counts of at least 1 -> the least number that has a meaning; -1 is without an end."""


def check_numbers(settings: Mapping[str, Any]) -> None:
    """Refuse keys of ``trainer`` with which nothing would be trained.

    Raises:
        ValueError: Naming the key, and what was expected.
    """
    for key, least in COUNTS.items():
        value = settings.get(key)
        if value is not None and (value == 0 or value < least):
            raise ValueError(f"trainer.{key} is {value} but must be at least 1")
    limit = settings.get("limit_train_batches")
    if limit is not None and limit <= 0:
        raise ValueError(
            f"trainer.limit_train_batches is {limit} but must be above 0, such as 10 batches or the share 0.5"
        )


def loggers_of(settings: Mapping[str, Any]) -> list[Logger]:
    """The loggers that a recipe adds to the run's own."""
    given = settings.get("logger")
    return [given] if isinstance(given, Logger) else [] if given in (None, True, False) else list(given)


def profiler_of(settings: Mapping[str, Any], folder: Path) -> Profiler | str | None:
    """The trainer's profiler; one given by name writes its table into the run folder instead of Lightning's log."""
    given = settings.get("profiler")
    named: dict[str, Callable[..., Profiler]] = {"simple": SimpleProfiler, "advanced": AdvancedProfiler}
    return named[given](dirpath=folder, filename="profile") if given in named else given


def make_trainer(settings: Mapping[str, Any]) -> pl.Trainer:
    """Lightning's Trainer.

    Raises:
        ValueError: If it refuses a key, with its reason.
    """
    try:
        return pl.Trainer(**settings)
    except MisconfigurationException as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"the keys below trainer do not work here: {reason}") from None


DDP_DEFAULTS = {"gradient_as_bucket_view": True}
"""Arguments of DistributedDataParallel whose defaults are ours: gradients lie where they are reduced, not twice."""


@contextmanager
def limited_waiting(minutes: float) -> Iterator[None]:
    """Let trainers built within fail in a process that waits longer than ``minutes`` for another, and have the defaults
    of ``DDP_DEFAULTS``.

    It holds for the strategies that Lightning makes by name or chooses itself; one given as an object keeps its own
    arguments.

    Raises:
        ValueError: If there is no time at all.
    """
    if not minutes > 0:
        raise ValueError(f"process_timeout_minutes must be above 0, got {minutes:g}")
    before = dict(StrategyRegistry)
    for name, entry in before.items():
        make = entry["strategy"]
        if isinstance(make, type) and issubclass(make, DDPStrategy):
            parameters = {**DDP_DEFAULTS, **entry["init_params"], "timeout": datetime.timedelta(minutes=minutes)}
            StrategyRegistry.register(name, make, entry["description"], override=True, **parameters)
    try:
        yield
    finally:
        StrategyRegistry.update(before)


def end_launched(trainer: pl.Trainer) -> None:
    """Kill the processes that this one launched and that do not end by themselves, such as one that hangs."""
    for process in launched_processes(trainer):
        try:
            process.wait(timeout=3.0)  # it may be printing its own reason
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


UNITS = ("days", "hours", "minutes", "seconds")
"""Of ``trainer.max_time``."""


def seconds_of(max_time: Any) -> float | None:
    """Seconds of ``trainer.max_time``: DD:HH:MM:SS, or a mapping of days, hours, minutes and seconds.

    Lightning's own timer would end the epoch early and count it as done; ours stops between steps.
    """
    if max_time is None:
        return None
    if isinstance(max_time, datetime.timedelta):
        return max_time.total_seconds()
    if isinstance(max_time, str):
        parts = max_time.split(":")
        if len(parts) != 4 or not all(part.isdigit() for part in parts):
            raise ValueError(f"trainer.max_time must be written as DD:HH:MM:SS, got {max_time!r}")
        max_time = dict(zip(UNITS, map(int, parts), strict=True))
    for unit, value in max_time.items():
        if unit not in UNITS or not isinstance(value, int | float):
            raise ValueError(f"trainer.max_time must have numbers of {', '.join(UNITS)}, got {unit}: {value}")
    return datetime.timedelta(**max_time).total_seconds()


def progress_bars(settings: dict[str, Any]) -> list[pl.Callback]:
    """A progress bar drawn four times a second, unless the trainer has one or is to have none.

    Lightning's own is drawn up to 100 times a second by a thread that takes its time from the training steps.
    """
    given = any(isinstance(callback, ProgressBar) for callback in settings["callbacks"])
    return [] if given or settings.get("enable_progress_bar") is False else [RunBar()]
