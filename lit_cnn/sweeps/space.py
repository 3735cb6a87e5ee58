"""What a sweep tries: recipe keys with their values, and how values are chosen. Knows nothing of Optuna.

A space file is YAML:

    sampler: tpe          # grid (every combination, the default), random or tpe
    trials: 20            # how many, of random and tpe
    seed: 0               # key of the sampler's draws
    metric: val/acc1      # what is compared; the recipe's monitor if left out
    direction: maximize   # or minimize; left out: minimize a loss, maximize others
    value: best           # of the metric over the epochs: best or last
    seeds: 3              # run each point with the seeds 0 to 2 and compare means; left out: once, the recipe's seed
    pruner: {kind: successive_halving, min_epochs: 3, factor: 3}  # train one in three on, to three times as far
    keys:
      model.optimizer.learning_rate: {low: 0.01, high: 1.0, log: true}
      model.optimizer.weight_decay: {choices: [1.0e-4, 5.0e-4]}
      data.rand_augment.layers: {low: 1, high: 3}

Two whole bounds give whole numbers. ``step`` and ``log`` are optional and exclude each other.
"""

import itertools
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

from lit_cnn.sweeps.halving import Pruner
from lit_cnn.training.monitor import direction

Sampler = Literal["grid", "random", "tpe"]
Value = str | int | float | bool | None
"""A value of a key; lists are kept as their YAML text."""
DIGITS = 12
"""Decimals to which multiples of a step are rounded."""


@dataclass(frozen=True)
class Axis:
    """A recipe key and the values to try: ``choices``, or all numbers from ``low`` to ``high``.

    Args:
        key: Dotted recipe key.
        choices: The values, in their order.
        low: Smallest number.
        high: Largest number.
        step: Distance of the numbers tried; anything between the bounds if left out (1 for whole numbers).
        log: Draw evenly in the logarithm.
    """

    key: str
    choices: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether a range is one of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def top(self) -> float:
        """The largest number that is tried: ``high``, or the last multiple of ``step`` below it."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self.key} has choices, not a range")
        if self.step is None:
            return self.high
        return round(self.low + self.step * math.floor((self.high - self.low) / self.step + 1e-9), DIGITS)

    def values(self) -> tuple[Value, ...] | None:
        """All values if they are countable, else None."""
        if self.low is None or self.high is None:
            return self.choices
        step, count = self._step(), self.count()
        return None if step is None else tuple(self.listed(self.low + index * step) for index in range(count or 0))

    def listed(self, value: Value) -> Value:
        """A value that was drawn, as ``values`` has it: a multiple of a step without what a sum's rounding adds."""
        return round(value, DIGITS) if isinstance(value, float) and self._step() is not None else value

    def count(self) -> int | None:
        """How many values there are if they are countable, else None; it enumerates none of them."""
        if self.low is None or self.high is None:
            return len(self.choices)
        step = self._step()
        return None if step is None else round((self.top - self.low) / step) + 1

    def _step(self) -> float | None:
        """Distance of the values of a countable range."""
        return self.step or (1 if self.whole and not self.log else None)

    def probes(self) -> tuple[Value, ...]:
        """Values that a recipe must accept before a sweep starts: each choice, or both bounds."""
        return self.choices or (self.low, self.high)


@dataclass(frozen=True)
class Space:
    """What a sweep tries, and how.

    Args:
        keys: The axes.
        sampler: grid, random or tpe (tree-structured Parzen estimator, Bergstra et al. 2011).
        trials: How many trials; None for a grid, which tries every combination.
        seed: Key of the sampler's draws.
        metric: Name in ``metrics.csv``; empty takes the recipe's monitor.
        direction: Whether large or small values are good; None decides by the metric's name: a loss is minimized.
        value: Which epoch's metric counts.
        seeds: Each point is run with the seeds 0 to ``seeds`` - 1, and points are compared by their means; None runs it
            once, with the recipe's seed.
        pruner: Which points are trained to the end; None trains all of them.
    """

    keys: tuple[Axis, ...]
    sampler: Sampler = "grid"
    trials: int | None = None
    seed: int = 0
    metric: str = ""
    direction: Literal["maximize", "minimize"] | None = None
    value: Literal["best", "last"] = "best"
    seeds: int | None = None
    pruner: Pruner | None = None
    first_seed: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("keys names no recipe key: state at least one, such as model.optimizer.learning_rate")
        if self.seeds is not None and self.seeds < 1:
            raise ValueError(f"seeds is {self.seeds} but must be at least 1: with how many seeds each point is run")
        self._check_sampler()
        if self.metric and not self.metric.startswith(("val/", "train/")):
            raise ValueError(f"metric is {self.metric!r} but must be one that fit logs, such as val/acc1 or val/loss")

    def _check_sampler(self) -> None:
        if self.sampler == "grid":
            if self.trials is not None:
                raise ValueError("a grid tries every combination: leave trials out, or choose sampler: random")
            for axis in self.keys:
                if axis.values() is None:
                    raise ValueError(
                        f"keys.{axis.key} is a range without step, and a grid needs a list: state choices or step, "
                        "or choose sampler: random or tpe"
                    )
        elif self.trials is None or self.trials < 1:
            raise ValueError(f"sampler: {self.sampler} needs trials, how many to run, such as trials: 20")

    def combinations(self) -> list[dict[str, Value]]:
        """Every combination of a grid, the last key varying fastest."""
        values = [axis.values() or () for axis in self.keys]
        return [dict(zip((axis.key for axis in self.keys), row, strict=True)) for row in itertools.product(*values)]

    @property
    def goal(self) -> Literal["maximize", "minimize"]:
        """The stated direction, or that of the metric."""
        if self.direction is not None:
            return self.direction
        return "minimize" if direction(self.metric) == "min" else "maximize"

    @property
    def metric_goal(self) -> Literal["maximize", "minimize"]:
        """The metric itself is what points are compared by."""
        return self.goal

    def identity(self) -> dict[str, Any]:
        """All that must stay while a sweep goes on; the numbers of trials and of seeds may grow."""
        stated = self.as_dict()
        now = {
            **{f"keys.{key}": values for key, values in stated["keys"].items()},
            "order of keys": list(stated["keys"]),
            **{name: stated[name] for name in ("sampler", "seed", "metric", "value")},
            "direction": self.goal,
        }
        if self.seeds is not None:
            now["seeds"] = "0, 1, …"
        return now if self.pruner is None else {**now, "pruner": stated["pruner"]}

    @property
    def size(self) -> int:
        """Number of trials."""
        return self.trials if self.trials is not None else len(self.combinations())

    def as_dict(self) -> dict[str, Any]:
        """The content of a space file, in built-in types, without what is left at its default."""
        plain = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("keys", "pruner")
        }
        if self.pruner is not None:
            plain["pruner"] = {name: value for name, value in asdict(self.pruner).items() if value is not None}
        axes = {}
        for axis in self.keys:
            stated = {name: value for name, value in asdict(axis).items() if name != "key" and value not in ((), None)}
            axes[axis.key] = {
                name: list(value) if name == "choices" else value
                for name, value in stated.items()
                if (name, value) != ("log", False)
            }
        return {**{name: value for name, value in plain.items() if value not in (None, "")}, "keys": axes}
