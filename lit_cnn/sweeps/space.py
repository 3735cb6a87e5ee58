"""What a sweep tries: recipe keys with their values, and how values are chosen. Knows nothing of Optuna.

A space file is YAML:

    sampler: tpe          # grid (every combination, the default), random or tpe
    trials: 20            # how many, of random and tpe
    seed: 0               # key of the sampler's draws
    metric: val/acc1      # what is compared; the recipe's monitor if left out
    direction: maximize   # or minimize; left out: minimize a loss, maximize others
    value: best           # of the metric over the epochs: best or last
    keys:
      model.optimizer.learning_rate: {low: 0.01, high: 1.0, log: true}
      model.optimizer.weight_decay: {choices: [1.0e-4, 5.0e-4]}
      data.rand_augment.layers: {low: 1, high: 3}

Two whole bounds give whole numbers. ``step`` and ``log`` are optional and exclude each other.
"""

import contextlib
import difflib
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from lit_cnn.experiment.files import value_text
from lit_cnn.training.monitor import direction

Sampler = Literal["grid", "random", "tpe"]
Value = str | int | float | bool | None
"""A value of a key; lists are kept as their YAML text."""


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
        return round(self.low + self.step * math.floor((self.high - self.low) / self.step + 1e-9), 12)

    def values(self) -> tuple[Value, ...] | None:
        """All values if they are countable, else None."""
        if self.low is None or self.high is None:
            return self.choices
        step = self.step or (1 if self.whole and not self.log else None)
        if step is None:
            return None
        count = round((self.top - self.low) / step) + 1
        return tuple(round(self.low + index * step, 12) for index in range(count))

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
    """

    keys: tuple[Axis, ...]
    sampler: Sampler = "grid"
    trials: int | None = None
    seed: int = 0
    metric: str = ""
    direction: Literal["maximize", "minimize"] | None = None
    value: Literal["best", "last"] = "best"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("keys names no recipe key: state at least one, such as model.optimizer.learning_rate")
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
        if self.metric and not self.metric.startswith(("val/", "train/")):
            raise ValueError(f"metric is {self.metric!r} but must be one that fit logs, such as val/acc1 or val/loss")

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
    def size(self) -> int:
        """Number of trials."""
        return self.trials if self.trials is not None else len(self.combinations())

    def as_dict(self) -> dict[str, Any]:
        """The content of a space file, in built-in types, without what is left at its default."""
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "keys"}
        axes = {}
        for axis in self.keys:
            stated = {name: value for name, value in asdict(axis).items() if name != "key" and value not in ((), None)}
            axes[axis.key] = {
                name: list(value) if name == "choices" else value
                for name, value in stated.items()
                if (name, value) != ("log", False)
            }
        return {**{name: value for name, value in plain.items() if value not in (None, "")}, "keys": axes}


def parse_space(content: Any, where: str) -> Space:
    """A space from the content of its file.

    Args:
        content: What YAML holds.
        where: Name of the file, for messages.

    Raises:
        ValueError: Naming the file, the key and what was expected.
    """
    try:
        stated = _mapping(content, "a space file")
        _known(stated, [field.name for field in fields(Space)], "the space")
        keys = _mapping(stated.get("keys"), "keys")
        axes = tuple(_axis(str(key), values) for key, values in keys.items())
        rest = {name: value for name, value in stated.items() if name != "keys" and value is not None}
        for name, allowed in (
            ("sampler", get_args(Sampler)),
            ("direction", ("maximize", "minimize")),
            ("value", ("best", "last")),
        ):
            if name in rest and rest[name] not in allowed:
                raise ValueError(f"{name} is {rest[name]!r} but must be one of {', '.join(allowed)}")
        for name, kind in (("trials", int), ("seed", int), ("metric", str)):
            if name in rest and (not isinstance(rest[name], kind) or isinstance(rest[name], bool)):
                raise ValueError(
                    f"{name} is {rest[name]!r} but must be {'a name' if kind is str else 'a whole number'}"
                )
        return Space(axes, **rest)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _axis(key: str, stated: Any) -> Axis:
    where = f"keys.{key}"
    stated = _mapping(stated, where, "{choices: [1, 2]} or {low: 0.1, high: 1.0}")
    _known(stated, [field.name for field in fields(Axis) if field.name != "key"], where)
    if "choices" in stated:
        if len(stated) > 1:
            raise ValueError(f"{where} states both choices and a range: state one of them")
        return Axis(key, choices=_choices(where, stated["choices"]))
    if not {"low", "high"} <= stated.keys():
        raise ValueError(f"{where} needs choices, or low and high")
    numbers = {name: _number(f"{where}.{name}", stated[name]) for name in ("low", "high", "step") if name in stated}
    log = stated.get("log", False)
    if not isinstance(log, bool):
        raise ValueError(f"{where}.log is {log!r} but must be true or false")
    if not numbers["low"] < numbers["high"]:
        raise ValueError(f"{where}.low is {numbers['low']} but must be below high, {numbers['high']}")
    if numbers.get("step", 1) <= 0:
        raise ValueError(f"{where}.step is {numbers['step']} but must be positive")
    if log and (numbers["low"] <= 0 or "step" in numbers):
        raise ValueError(f"{where} with log: true needs a positive low and no step")
    axis = Axis(key, low=numbers["low"], high=numbers["high"], step=numbers.get("step"), log=log)
    if axis.whole and not isinstance(numbers.get("step", 1), int):
        raise ValueError(f"{where}.step is {numbers['step']} between whole bounds: write them as {axis.low}.0")
    return axis


def _choices(where: str, stated: Any) -> tuple[Value, ...]:
    if not isinstance(stated, list) or not stated:
        raise ValueError(f"{where}.choices is {stated!r} but must be a list of values such as [1, 2]")
    if any(isinstance(value, dict) for value in stated):
        raise ValueError(f"{where}.choices holds a mapping: name the key below it, such as {key_below(where, stated)}")
    choices = tuple(value_text(value) if isinstance(value, list) else value for value in stated)
    if len({value_text(value) for value in choices}) < len(choices):
        raise ValueError(f"{where}.choices names a value twice: {stated}")
    return choices


def key_below(where: str, stated: Iterable[Any]) -> str:
    """The dotted key that a mapping among choices means."""
    inner = next(value for value in stated if isinstance(value, dict))
    return f"{where}.{next(iter(inner), 'name')}"


def _number(where: str, value: Any) -> int | float:
    if isinstance(value, str):  # YAML 1.1 reads 1e-4 as text
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{where} is {value!r} but must be a number")
    return value


def _mapping(content: Any, what: str, example: str = "") -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise ValueError(f"{what} must be a mapping such as {example or '{KEY: {choices: [1, 2]}}'}, not {content!r}")
    return content


def _known(stated: Mapping[str, Any], names: list[str], what: str) -> None:
    for name in stated:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}."
            raise ValueError(f"{what} has no key {str(name)!r}; {hint}")
