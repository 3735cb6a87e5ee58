"""The trainer of a run, with all that watches it, and the batch that it can train on."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from lit_cnn.experiment.extending import Extension
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.experiment.starting import Start
from lit_cnn.experiment.task import Task
from lit_cnn.training.announce import announce
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.callbacks.final_validation import FinalValidation
from lit_cnn.training.callbacks.pictures import Pictures
from lit_cnn.training.callbacks.run_pictures import RunPictures
from lit_cnn.training.callbacks.throughput import Throughput
from lit_cnn.training.checkpoint_io import DurableCheckpointIO
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings, scaled_learning_rate
from lit_cnn.training.stopping import StopRequest
from lit_cnn.training.trainer import (
    check_keys,
    check_strategy,
    limited_waiting,
    loggers_of,
    make_trainer,
    profiler_of,
    progress_bars,
)

TRIED_OUT = 8
"""Images of the one batch that ``trainer.fast_dev_run`` trains on, at most."""


def open_data(recipe: Recipe, settings: dict[str, Any]) -> None:
    """Refuse a trainer that a run cannot have, load the data, and announce what they turned out to be.

    Raises:
        ValueError: Naming the key of the trainer, or what is wrong with the data.
    """
    check_keys(settings)
    check_strategy(recipe.resolved["trainer"]["strategy"])
    recipe.data.setup("fit")
    for line in [*recipe.notices, *recipe.data.summary.lines()]:
        announce(line)


def try_out(recipe: Recipe, settings: dict[str, Any]) -> None:
    """Run ``trainer.fast_dev_run``, with no more than ``TRIED_OUT`` images in the batch."""
    trainer = make_trainer({**settings, "callbacks": [*settings["callbacks"], *recipe.callbacks]})
    limit_batch(recipe.data, parts_of(trainer), min(TRIED_OUT, recipe.data.train_size), "for fast_dev_run")
    trainer.fit(recipe.model, recipe.data)
    announce("fast_dev_run finished: one training and one validation batch ran")


def parts_of(trainer: pl.Trainer) -> int:
    """Into how many parts the trainer divides a batch: one for each process and accumulated step."""
    return trainer.world_size * trainer.accumulate_grad_batches


def limit_to_images(data: Any, parts: int = 1) -> None:
    """Make a batch of more images than the training set has one of at most all of them, and say so."""
    limit_batch(data, parts, data.train_size, "since the training set has no more images")


def limit_batch(data: Any, parts: int, most: int, reason: str) -> None:
    """Make a batch of more than ``most`` images the largest one below that divides into ``parts``."""
    fitting = max(most // parts, 1) * parts
    if data.drop_last and data.batch_size > max(most, parts):
        announce(f"data.batch_size is {fitting} instead of {data.batch_size}, {reason}")
        data.batch_size = fitting


def settle_batch(recipe: Recipe, parts: int) -> None:
    """Limit the batch to the images there are, and say what is unusual of it, and its learning rate."""
    limit_to_images(recipe.data, parts)
    announce_unequal_parts(recipe.data, parts)
    announce_rate(recipe.model.optimizer_settings, recipe.data.batch_size)


def announce_rate(settings: OptimizerSettings, batch: int) -> None:
    """Say the learning rate of this batch where the recipe states it for another one."""
    if settings.base_batch_size not in (None, batch):
        rate = scaled_learning_rate(settings, batch)
        announce(
            f"learning rate: {rate:g} for batches of {batch}, from {settings.learning_rate:g} for "
            f"{settings.base_batch_size} (model.optimizer.base_batch_size)"
        )


def announce_unequal_parts(data: Any, parts: int) -> None:
    """Say so where the parts of a batch are unequal although their number divides it, since pairs of images stay
    together (see ``data/loading/sampling.py``)."""
    if parts > 1 and data.batch_size % (2 * parts) == parts:
        announce(
            f"data.batch_size {data.batch_size} becomes unequal parts on {parts} devices x accumulated batches, since "
            f"images stay together in pairs for mixing; a multiple of {2 * parts} gives each as many"
        )


def pictures_of(task: Task) -> type[RunPictures]:
    """What draws the pictures of a run."""
    if task == "detection":
        from lit_cnn.detection.pictures import DetectionPictures  # torchvision's detectors

        return DetectionPictures
    return Pictures


def run_trainer(
    settings: dict[str, Any],
    recipe: Recipe,
    folder: Path,
    title: str,
    start: Start,
    metrics_file: MetricsFile,
    wandb_logger: Any,
    stop: StopRequest,
) -> pl.Trainer:
    """The recipe's trainer with all that watches a run, writing into ``folder``."""
    record, pictures = {"recipe": recipe.resolved}, pictures_of(recipe.task)(folder, wandb_logger, title)
    callbacks = [
        *settings["callbacks"],
        *progress_bars(settings),
        *recipe.callbacks,
        *([Extension()] if start.extends else []),
        Throughput(),
        pictures,
        FinalValidation(),
        Checkpoints(
            folder / "checkpoints",
            recipe.monitor,
            record,
            every_seconds=60.0 * recipe.checkpoint_minutes,
            checkpoint_io=DurableCheckpointIO(start.hand_over()),
            stop=stop,
            on_best=pictures.draw_validation,
            keep=recipe.checkpoints.keep,
        ),
    ]
    loggers = [metrics_file, *([wandb_logger] if wandb_logger else []), *loggers_of(settings)]
    own = {"default_root_dir": folder, "logger": loggers, "profiler": profiler_of(settings, folder)}
    with limited_waiting(recipe.process_timeout_minutes):
        return make_trainer({**settings, **own, "callbacks": callbacks})
