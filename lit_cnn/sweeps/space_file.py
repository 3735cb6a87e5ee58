"""Reading a space file: each mistake is one sentence that names the file, the key and what was expected."""

import contextlib
import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, get_args

from lit_cnn.experiment.files import value_text
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.space import Axis, Sampler, Space, Value

MEANT = {
    "values": "choices",
    "value": "choices",
    "min": "low",
    "max": "high",
    "q": "step",
    "distribution": "log",
    "parameters": "keys",
    "method": "sampler",
    "run_cap": "trials",
    "goal": "direction",
    "early_terminate": "pruner",
}
"""Words of W&B's sweeps -> ours."""


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
        _check_values(rest)
        if "pruner" in rest:
            rest["pruner"] = _pruner(rest["pruner"])
        return Space(axes, **rest)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _check_values(stated: Mapping[str, Any]) -> None:
    for name, allowed in (
        ("sampler", get_args(Sampler)),
        ("direction", ("maximize", "minimize")),
        ("value", ("best", "last")),
    ):
        if name in stated and stated[name] not in allowed:
            raise ValueError(f"{name} is {stated[name]!r} but must be one of {', '.join(allowed)}")
    for name in ("trials", "seed", "seeds"):
        if name in stated:
            _whole(name, stated[name])
    if not isinstance(stated.get("metric", ""), str):
        raise ValueError(f"metric is {stated['metric']!r} but must be a name")


def _pruner(stated: Any) -> Pruner:
    stated = _mapping(stated, "pruner", "{kind: successive_halving, min_epochs: 3, factor: 3}")
    _known(stated, [field.name for field in fields(Pruner)], "pruner")
    if stated.get("kind") != "successive_halving":
        raise ValueError(f"pruner.kind is {stated.get('kind')!r} but must be successive_halving")
    for name in ("min_epochs", "min_steps", "factor"):
        if stated.get(name) is not None:
            _whole(f"pruner.{name}", stated[name])
    return Pruner(**{name: value for name, value in stated.items() if value is not None})


def _whole(where: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{where} is {value!r} but must be a whole number")


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
            meant = [MEANT[name]] if MEANT.get(name) in names else []
            near = meant or difflib.get_close_matches(str(name), names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
            raise ValueError(f"{what} has no key {str(name)!r}; {hint}")
