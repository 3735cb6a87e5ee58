"""The typed space: what it accepts, what it says about mistakes, and what it lists."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lit_cnn.experiment.files import argument
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.space_file import parse_space

FOLDER = Path(__file__).parents[2] / "recipes" / "sweeps"
GRID: dict[str, Any] = {"keys": {"a.b": {"choices": [1, 2]}, "c": {"low": 1, "high": 3}}}


def test_a_grid_lists_every_combination_once_the_last_key_fastest() -> None:
    space = parse_space(GRID, "space.yaml")
    assert [tuple(row.values()) for row in space.combinations()] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert space.size == 6
    assert space.sampler == "grid"


def test_ranges() -> None:
    assert Axis("k", low=1, high=8, step=3).values() == (1, 4, 7)
    assert Axis("k", low=0.1, high=0.35, step=0.1).values() == (0.1, 0.2, 0.3)
    assert Axis("k", low=0.1, high=0.35, step=0.1).top == 0.3
    assert Axis("k", low=0.1, high=1.0).values() is None
    assert Axis("k", low=1, high=1000, log=True).values() is None
    assert Axis("k", low=1, high=3).probes() == (1, 3)
    assert [Axis("k", low=1, high=top, step=3).count() for top in (3, 4, 8)] == [1, 2, 3]
    assert Axis("k", low=0, high=2**32 - 1).count() == 2**32
    assert Axis("k", choices=(1, 2)).count() == 2
    assert Axis("k", low=0.1, high=1.0).count() is None


@pytest.mark.parametrize(
    "stated",
    [
        GRID,
        {"sampler": "tpe", "trials": 3, "seed": 4, "keys": {"lr": {"low": 0.1, "high": 1.0, "log": True}}},
        {"keys": {"lr": {"low": 0.1, "high": 0.3, "step": 0.1}}, "metric": "val/loss", "direction": "minimize"},
        {**GRID, "seeds": 3, "pruner": {"kind": "successive_halving", "min_epochs": 3}},
        {**GRID, "pruner": {"kind": "successive_halving", "min_steps": 100, "factor": 4}},
    ],
)
def test_a_space_survives_its_file(stated: dict[str, Any]) -> None:
    space = parse_space(stated, "space.yaml")
    assert parse_space(yaml.safe_load(yaml.safe_dump(space.as_dict())), "again") == space


@pytest.mark.parametrize(
    ("value", "text"), [(1e-05, "1.0e-05"), (None, "null"), (True, "true"), ("none", "none"), (3, "3")]
)
def test_a_value_reaches_the_parser_as_what_it_is(value: Any, text: str) -> None:
    assert argument("a.b", value) == f"--a.b={text}"
    if not isinstance(value, str):
        assert yaml.safe_load(text) == value


def test_yaml_reads_1e4_as_text_and_a_list_is_one_choice() -> None:
    space = parse_space(yaml.safe_load("{sampler: random, trials: 2, keys: {a: {low: 1e-4, high: 1e-1}}}"), "s")
    assert (space.keys[0].low, space.keys[0].high) == (1e-4, 1e-1)
    lists = parse_space({"keys": {"a": {"choices": [[0.9, 0.999], [0.9, 0.99]]}}}, "s").keys[0]
    assert [argument("a", value) for value in lists.choices] == ["--a=[0.9, 0.999]", "--a=[0.9, 0.99]"]


def changed(**changes: Any) -> dict[str, Any]:
    return {**GRID, **changes}


def axis(**stated: Any) -> dict[str, Any]:
    return {"sampler": "random", "trials": 2, "keys": {"k": stated}}


MISTAKES = {
    "not a mapping": ([1], "a space file must be a mapping"),
    "unknown key": (changed(smapler="grid"), "the space has no key 'smapler'; did you mean 'sampler'?"),
    "unknown key of an axis": (axis(choises=[1]), "keys.k has no key 'choises'; did you mean 'choices'?"),
    "no keys": ({"keys": {}}, "keys names no recipe key"),
    "unknown sampler": (changed(sampler="bayes"), "sampler is 'bayes' but must be one of grid, random, tpe"),
    "grid with trials": (changed(trials=3), "a grid tries every combination"),
    "grid over a range": ({"keys": {"k": {"low": 0.1, "high": 0.2}}}, "keys.k is a range without step"),
    "sampler without trials": (changed(sampler="tpe"), "sampler: tpe needs trials"),
    "trials of another type": (changed(sampler="tpe", trials="many"), "trials is 'many' but must be a whole number"),
    "unlogged metric": (changed(metric="accuracy"), "metric is 'accuracy' but must be one that fit logs"),
    "both kinds": (axis(choices=[1], low=0), "keys.k states both choices and a range"),
    "half a range": (axis(low=0), "keys.k needs choices, or low and high"),
    "reversed range": (axis(low=2, high=1), "keys.k.low is 2 but must be below high, 1"),
    "log from zero": (axis(low=0.0, high=1.0, log=True), "needs a positive low and no step"),
    "fractional step": (axis(low=1, high=3, step=0.5), "keys.k.step is 0.5 between whole bounds"),
    "no number": (axis(low="small", high=1), "keys.k.low is 'small' but must be a number"),
    "empty choices": (axis(choices=[]), "keys.k.choices is \\[\\] but must be a list"),
    "doubled choice": (axis(choices=[1, 1]), "keys.k.choices names a value twice"),
    "no seeds": (changed(seeds=0), "seeds is 0 but must be at least 1"),
    "seeds as a list": (changed(seeds=[0, 1]), "seeds is \\[0, 1\\] but must be a whole number"),
    "a pruner's name": (changed(pruner="median"), "pruner must be a mapping such as {kind: successive_halving"),
    "another pruner": (changed(pruner={"kind": "median"}), "pruner.kind is 'median' but must be successive_halving"),
    "a pruner without kind": (changed(pruner={"min_epochs": 1}), "pruner.kind is None but must be successive_halving"),
    "a pruner without rungs": (changed(pruner={"kind": "successive_halving"}), "pruner needs the first rung"),
    "a pruner's unknown key": (
        changed(pruner={"kind": "successive_halving", "min_epoch": 1}),
        "pruner has no key 'min_epoch'; did you mean 'min_epochs'",
    ),
    "rungs of another type": (
        changed(pruner={"kind": "successive_halving", "min_epochs": 1.5}),
        "pruner.min_epochs is 1.5 but must be a whole number",
    ),
    "W&B's values": (axis(values=[1]), "keys.k has no key 'values'; did you mean 'choices'"),
    "W&B's min": (axis(min=1, max=2), "keys.k has no key 'min'; did you mean 'low'"),
    "W&B's method": ({"method": "bayes"}, "the space has no key 'method'; did you mean 'sampler'"),
    "W&B's parameters": ({"parameters": {}}, "the space has no key 'parameters'; did you mean 'keys'"),
    "W&B's early_terminate": (changed(early_terminate={}), "has no key 'early_terminate'; did you mean 'pruner'"),
    "mapping as choice": (axis(choices=[{"alpha": 1}]), "name the key below it, such as keys.k.alpha"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_file(name: str) -> None:
    stated, message = MISTAKES[name]
    with pytest.raises(ValueError, match=f"^space.yaml: .*{message}"):
        parse_space(stated, "space.yaml")


@pytest.mark.parametrize("name", ["rand_augment_grid", "learning_rate"])
def test_the_spaces_we_ship_parse(name: str) -> None:
    space = parse_space(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()), name)
    assert isinstance(space, Space)
    assert space.size in (12, 24)
