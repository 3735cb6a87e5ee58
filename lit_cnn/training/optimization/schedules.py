"""The learning rate of each optimizer step, as a multiple of the peak rate.

Steps are counted from 0, so the updates of a run are ``0 … total_steps - 1``. Warm-up starts at ``warmup_start_factor``
on update 0 and is exactly 1 on update ``round(warmup_epochs · steps_per_epoch)``. Cosine (Loshchilov and Hutter 2017,
arXiv:1608.03983) and polynomial decay then reach ``final_factor`` exactly on the last update, ``total_steps - 1``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

_NAMES = ("cosine", "step", "exponential", "polynomial", "constant", "plateau")


@dataclass(frozen=True)
class ScheduleSettings:
    """How the learning rate changes over a run.

    Args:
        name: cosine, step, exponential, polynomial (linear with power 1), constant, or plateau, which multiplies by
            step_factor when the validation accuracy (val/acc1) no longer improves.
        warmup_epochs: Epochs in which the rate rises linearly to its peak.
        warmup_start_factor: Multiple of the peak rate used by the first update of a warm-up.
        step_epochs: Epochs, counted from the start of the run, at which a step schedule multiplies by step_factor.
        step_factor: Factor of each step.
        decay_rate: Factor of an exponential schedule per decay_epochs.
        decay_epochs: Epochs, counted from the end of warm-up, in which an exponential schedule falls by decay_rate.
        staircase: Let an exponential schedule fall at once every decay_epochs instead of a little each update.
        power: Exponent of a polynomial schedule.
        final_factor: Multiple of the peak rate used by the last update of a cosine or polynomial schedule.
        plateau_patience: Validations in a row without a new best that lower the rate of a plateau schedule.
        plateau_drops: How often a plateau schedule lowers the rate at most.
    """

    name: Literal["cosine", "step", "exponential", "polynomial", "constant", "plateau"] = "cosine"
    warmup_epochs: float = 0.0
    warmup_start_factor: float = 0.0
    step_epochs: tuple[float, ...] = (30, 60, 80)
    step_factor: float = 0.1
    decay_rate: float = 0.97
    decay_epochs: float = 2.4
    staircase: bool = True
    power: float = 1.0
    final_factor: float = 0.0
    plateau_patience: int = 5
    plateau_drops: int = 3

    @property
    def endless(self) -> bool:
        """Whether the rate does not depend on where the run ends."""
        return self.name in ("constant", "plateau", "step", "exponential")

    def __post_init__(self) -> None:
        if self.name not in _NAMES:
            raise ValueError(f"schedule.name must be one of {', '.join(_NAMES)}, got {self.name!r}")
        _check("warmup_epochs", self.warmup_epochs, self.warmup_epochs >= 0, "at least 0")
        _check("warmup_start_factor", self.warmup_start_factor, 0 <= self.warmup_start_factor <= 1, "in [0, 1]")
        _check("step_factor", self.step_factor, self.step_factor > 0, "above 0")
        _check("decay_rate", self.decay_rate, 0 < self.decay_rate <= 1, "in (0, 1]")
        _check("decay_epochs", self.decay_epochs, self.decay_epochs > 0, "above 0")
        _check("power", self.power, self.power > 0, "above 0")
        _check("final_factor", self.final_factor, 0 <= self.final_factor <= 1, "in [0, 1]")
        _check("plateau_patience", self.plateau_patience, self.plateau_patience >= 1, "at least 1")
        _check("plateau_drops", self.plateau_drops, self.plateau_drops >= 0, "at least 0")
        if self.name == "step":
            late = all(epoch >= self.warmup_epochs for epoch in self.step_epochs)
            _check("step_epochs", list(self.step_epochs), late, f"after the {self.warmup_epochs:g} epochs of warm-up")


def _check(key: str, value: object, valid: bool, rule: str) -> None:
    if not valid:
        raise ValueError(f"schedule.{key} must be {rule}, got {value}")


def warmup_steps(settings: ScheduleSettings, steps_per_epoch: int) -> int:
    """The first update that uses the peak rate."""
    return round(settings.warmup_epochs * steps_per_epoch)


def factor(settings: ScheduleSettings, step: int, *, total_steps: int, steps_per_epoch: int) -> float:
    """The multiple of the peak rate that update ``step`` uses; from ``total_steps`` on, that of the last update.

    Args:
        settings: The schedule.
        step: Optimizer step, counted from 0 over the whole run.
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
    """
    warmup, last = warmup_steps(settings, steps_per_epoch), total_steps - 1
    step = min(step, last)
    if step < warmup:
        return settings.warmup_start_factor + (1 - settings.warmup_start_factor) * step / warmup
    if settings.name == "step":
        passed = sum(step >= round(epoch * steps_per_epoch) for epoch in settings.step_epochs)
        return settings.step_factor**passed
    if settings.name == "exponential":
        periods = (step - warmup) / (settings.decay_epochs * steps_per_epoch)
        return settings.decay_rate ** (math.floor(periods + 1e-9) if settings.staircase else periods)
    if settings.name in ("constant", "plateau") or step == warmup:
        return 1.0
    remaining = (last - step) / (last - warmup)
    shape = (1 - math.cos(math.pi * remaining)) / 2 if settings.name == "cosine" else remaining**settings.power
    return settings.final_factor + (1 - settings.final_factor) * shape


def make_scheduler(
    optimizer: Optimizer, settings: ScheduleSettings, total_steps: int, steps_per_epoch: int
) -> LRScheduler:
    """A scheduler to be stepped after every update; its state holds built-in types only.

    For a plateau schedule it is a ``PlateauLR``, which also needs the validation accuracy.

    Raises:
        ValueError: If the run has no update, or if warm-up is longer than the run.
    """
    if total_steps < 1 or steps_per_epoch < 1:
        raise ValueError(f"a run needs at least one update, got {total_steps} of {steps_per_epoch} per epoch")
    if warmup_steps(settings, steps_per_epoch) > total_steps:
        raise ValueError(
            f"schedule.warmup_epochs is {settings.warmup_epochs:g}, longer than the run of "
            f"{total_steps / steps_per_epoch:g} epochs: shorten the warm-up or train longer"
        )
    multiple = partial(factor, settings, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
    if settings.name == "plateau":
        return PlateauLR(optimizer, multiple, settings)
    return LambdaLR(optimizer, multiple)  # of a partial, LambdaLR saves an empty dictionary


def rates(scheduler: LambdaLR) -> list[float | Tensor]:
    """The rate of each parameter group at the step at which a scheduler of ``make_scheduler`` stands."""
    multiples = [multiple(scheduler.last_epoch) for multiple in scheduler.lr_lambdas]
    dropped = scheduler.step_factor**scheduler.drops if isinstance(scheduler, PlateauLR) else 1.0
    return [base * multiple * dropped for base, multiple in zip(scheduler.base_lrs, multiples, strict=True)]


class PlateauLR(LambdaLR):
    """Warm-up, then a rate that falls when a score stops growing.

    Unlike torch's ``ReduceLROnPlateau`` it also counts updates, and a new rate holds at once, so that a checkpoint
    written after the validation already has it.

    Args:
        optimizer: Whose rate it sets.
        multiple: Factor of each update while nothing has fallen: the warm-up.
        settings: Patience, factor and number of the drops.
    """

    def __init__(self, optimizer: Optimizer, multiple: Callable[[int], float], settings: ScheduleSettings) -> None:
        self.patience, self.limit = settings.plateau_patience, settings.plateau_drops
        self.step_factor = settings.step_factor
        self.best, self.waited, self.drops = -math.inf, 0, 0
        super().__init__(optimizer, multiple)

    def get_lr(self) -> list[float | Tensor]:
        return rates(self)

    def observe(self, score: float) -> None:
        """Count a validation; lower the rate if the last ``patience`` ones brought no new best."""
        if score > self.best:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited >= self.patience and self.drops < self.limit:
            self.drops, self.waited = self.drops + 1, 0
            for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
                group["lr"] = rate
