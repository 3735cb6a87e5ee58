"""A learning-rate range test: the rate grows from step to step, and the loss shows where training is fast
(Smith 2015, arXiv:1506.01186, section 3.3). Lightning's tuner runs it."""

import io
import math
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from lightning.pytorch.tuner import Tuner
from torch.optim.optimizer import register_optimizer_step_pre_hook

from lit_cnn.experiment.initial_weights import fetch_weights
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.experiment.run_trainer import limit_to_images, open_data, parts_of
from lit_cnn.training.optimization.schedules import ScheduleSettings
from lit_cnn.training.trainer import make_trainer

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100
SPREAD = 2.5
"""Steps by which the means of the losses spread; the running mean of Lightning lags by 50 steps."""
MARGIN = 2.0
"""The suggestion is at most this part of the rate at the minimum, from where on the loss grows."""
LIGHTNINGS = 0.98
"""Share of the running mean that Lightning's callback keeps from one step to the next."""


@dataclass(frozen=True)
class RateRange:
    """What the losses of a range test say.

    Args:
        rates: Learning rate of each step.
        losses: Its training loss.
        smoothed: Means of the losses around each step.
        suggestion: The rate at which the mean loss falls fastest over the logarithm of the rate, up to half the rate of
            its minimum; None where it does not fall.
        key_value: What ``model.optimizer.learning_rate`` is for that rate, as the recipe may state it for another
            batch.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float | None
    key_value: float | None


def find_rate(recipe: Recipe, lowest: float = LOWEST, highest: float = HIGHEST, steps: int = STEPS) -> RateRange:
    """Train for some steps at growing rates, without a run folder; the recipe's schedule and averages play no part.

    Layers with rates of their own (``layer_decay``, ``head_factor``) keep their ratios. Layers that are frozen for some
    first epochs are trained, those that are for the whole run are not.

    Args:
        recipe: What is trained, built for this: its schedule becomes constant.
        lowest: First rate.
        highest: Last rate, unless the loss has grown to four times its minimum before.
        steps: Optimizer steps.

    Raises:
        ValueError: As ``fit`` does.
    """
    fetch_weights(recipe.model)
    recipe.machine.apply()
    settings = {key: value for key, value in recipe.trainer.items() if key not in ("max_time", "logger", "profiler")}
    open_data(recipe, settings)
    if recipe.model.initial.freeze_epochs != "all":
        recipe.model.initial = replace(recipe.model.initial, freeze_epochs=0)
    recipe.model.schedule_settings = ScheduleSettings("constant")
    with tempfile.TemporaryDirectory() as folder:
        own = {"default_root_dir": folder, "logger": False, "enable_progress_bar": False, "max_epochs": -1}
        trainer = make_trainer({**settings, **own, "max_steps": steps, "callbacks": [recipe.stochastic_depth]})
        limit_to_images(recipe.data, parts_of(trainer))
        hook = register_optimizer_step_pre_hook(_keep_ratios)
        bar: Any = nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO())
        try:
            with bar:
                found = Tuner(trainer).lr_find(
                    recipe.model,
                    datamodule=recipe.data,
                    min_lr=lowest,
                    max_lr=highest,
                    num_training=steps,
                    update_attr=False,
                )
        finally:
            hook.remove()
    assert found is not None
    losses = unsmoothed(found.results["loss"])
    optimizer = recipe.model.optimizer_settings
    scale = (optimizer.base_batch_size or recipe.data.batch_size) / recipe.data.batch_size
    return range_of(found.results["lr"], losses, scale)


def _keep_ratios(optimizer: torch.optim.Optimizer, *_: object) -> None:
    """Lightning gives all layers one rate before every step."""
    for group in optimizer.param_groups:
        group["lr"] *= group.get("rate_factor", 1.0)


def unsmoothed(losses: Sequence[float]) -> list[float]:
    """The losses of which Lightning's callback keeps a running mean, whose start it corrects for one step more."""
    steps = np.arange(len(losses))
    means = np.asarray(losses) * (1 - LIGHTNINGS ** (steps + 2))
    before = np.concatenate([[0.0], means[:-1]])
    return [float(value) for value in (means - LIGHTNINGS * before) / (1 - LIGHTNINGS)]


def range_of(rates: Sequence[float], losses: Sequence[float], scale: float) -> RateRange:
    """The suggestion for losses at growing rates.

    Args:
        rates: (n,) of each step.
        losses: (n,) of each step; those from the first that is not finite on are left out.
        scale: What makes of a rate the value of the recipe's key.
    """
    finite = next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    kept, smoothed = np.asarray(rates[:finite]), weighted_means(losses[:finite])
    rate = None
    if finite > 2:
        slopes = np.gradient(smoothed, np.log(kept))
        before = kept <= kept[int(np.argmin(smoothed))] / MARGIN
        place = int(np.argmin(np.where(before, slopes, 0.0)))
        rate = float(kept[place]) if slopes[place] < 0 and before[place] else None
    key_value = None if rate is None else rate * scale
    return RateRange(kept.tolist(), list(losses[:finite]), smoothed.tolist(), rate, key_value)


def weighted_means(losses: Sequence[float]) -> np.ndarray:
    """(n,) means of the losses around each step, with weights of a normal distribution of ``SPREAD`` steps."""
    steps = np.arange(len(losses))
    weights = np.exp(-0.5 * ((steps[:, None] - steps[None, :]) / SPREAD) ** 2)
    return weights @ np.asarray(losses) / weights.sum(1)
