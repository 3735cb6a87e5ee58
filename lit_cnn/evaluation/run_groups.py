"""Runs in groups of the same settings: by the recipe keys that differ, or by given ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lit_cnn.evaluation.run_records import SEED, RunRecord
from lit_cnn.experiment.changes import differing, short_key
from lit_cnn.experiment.files import value_text
from lit_cnn.experiment.identity import leaves
from lit_cnn.experiment.suggestions import nearest_key

FIRST = ("model.architecture", "data.source", "model.optimizer.name", "model.schedule.name", "model.loss.name")
"""Keys that name a group before others do."""
DATA_PATH = "data.path"
ALL = "all runs"
"""Label of the one group where no key differs."""


@dataclass(frozen=True)
class Grouping:
    """Which runs have the same settings.

    Args:
        keys: By which they are grouped.
        named: Those of them that the labels state.
        within: Other keys that differ between the runs of a group, the seed excepted.
        paired: Those of them by which runs are paired, since they have the same values in each group.
        labels: The group of each run.
        blocks: What each run shares with those of other groups that it is paired with: the seed and ``paired``.
        settings: Label -> the values of ``keys``.
    """

    keys: tuple[str, ...]
    named: tuple[str, ...]
    within: tuple[str, ...]
    paired: tuple[str, ...]
    labels: tuple[str, ...]
    blocks: tuple[str, ...]
    settings: dict[str, dict[str, Any]]


def group_runs(runs: Sequence[RunRecord], by: Sequence[str] = ()) -> Grouping:
    """Group runs by the keys that differ, the seed excepted, or by those of ``by``: keys, or sections of them.

    A path of the data counts as a key where the data sets differ.

    Raises:
        ValueError: If a key of ``by`` is unknown, the seed, or the same in all runs.
    """
    found = {key: values for key, values in differing([run.recipe for run in runs]).items() if key != SEED}
    if len({data_facts(run) for run in runs}) > 1:
        paths = _values(runs, DATA_PATH)
        found |= {DATA_PATH: paths} if len(set(map(_text, paths))) > 1 else {}
    chosen = {key: _values(runs, key) for name in by for key in _meant(runs, name, list(found))} if by else found
    parts = [json.dumps([_text(values[place]) for values in chosen.values()]) for place in range(len(runs))]
    named = _naming(chosen, parts)
    names = _labels(chosen, named, parts)
    labels = [names[part] for part in parts]
    within = {key: values for key, values in found.items() if key not in chosen and _varies(labels, values)}
    paired = {key: values for key, values in within.items() if _balanced(labels, values)}
    blocks = [
        json.dumps([run.seed, *(_text(values[place]) for values in paired.values())]) for place, run in enumerate(runs)
    ]
    settings = {label: {key: values[place] for key, values in chosen.items()} for place, label in enumerate(labels)}
    return Grouping(tuple(chosen), tuple(named), tuple(within), tuple(paired), tuple(labels), tuple(blocks), settings)


def data_facts(run: RunRecord) -> str:
    """What must be equal for two runs to have seen the same data: classes and numbers of images; empty if unknown."""
    known = run.data_set
    return "" if known is None else json.dumps([known.get(name) for name in ("classes", "images", "validation")])


def _values(runs: Sequence[RunRecord], key: str) -> list[Any]:
    return [dict(leaves("", run.recipe)).get(key) for run in runs]


def _text(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)


def _meant(runs: Sequence[RunRecord], name: str, found: Sequence[str]) -> list[str]:
    """The keys that ``name`` means: itself, or those below it that differ."""
    known = list(dict.fromkeys(key for run in runs for key, _ in leaves("", run.recipe)))
    if name == SEED:
        raise ValueError(f"--by {SEED} leaves no runs to take a mean of: seeds are what a group consists of")
    below = [key for key in known if key == name or key.startswith(f"{name}.")]
    if not below:
        near = nearest_key(name, known)
        hint = f"; did you mean {near}?" if near else ""
        raise ValueError(f"--by {name}: the runs' recipes have no such key{hint}")
    different = [key for key in below if len(set(map(_text, _values(runs, key)))) > 1]
    if not different:
        others = ", ".join(found[:8]) or "none but the seed"
        raise ValueError(f"--by {name}: it is the same in all these runs; those that differ are: {others}")
    return different


def _naming(chosen: dict[str, list[Any]], parts: Sequence[str]) -> list[str]:
    """As few keys as tell the groups apart, the architecture first."""
    places = [parts.index(group) for group in dict.fromkeys(parts)]
    named: list[str] = []
    apart = 1
    for key in sorted(chosen, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST)):
        count = len({tuple(_text(chosen[other][place]) for other in [*named, key]) for place in places})
        if count > apart:
            named, apart = [*named, key], count
    return named


def _labels(chosen: dict[str, list[Any]], named: list[str], parts: Sequence[str]) -> dict[str, str]:
    """Each group's name: the values of the naming keys."""
    return {
        group: ", ".join(f"{_short(key, named)}={value_text(chosen[key][parts.index(group)])}" for key in named) or ALL
        for group in dict.fromkeys(parts)
    }


def _short(key: str, keys: list[str]) -> str:
    """``optimizer`` of model.optimizer.name, else the last parts of the key."""
    own, *others = (name.removesuffix(".name") for name in (key, *(other for other in keys if other != key)))
    return short_key(own, [own, *others])


def _balanced(labels: Sequence[str], values: Sequence[Any]) -> bool:
    """Whether a key has the same values in each group."""
    sets: dict[str, set[str]] = {}
    for label, value in zip(labels, values, strict=True):
        sets.setdefault(label, set()).add(_text(value))
    return len(set(map(frozenset, sets.values()))) == 1


def _varies(labels: Sequence[str], values: Sequence[Any]) -> bool:
    """Whether a key has several values within a group."""
    pairs = {(label, _text(value)) for label, value in zip(labels, values, strict=True)}
    return len(pairs) > len(set(labels))
