"""The keys in which two recipes differ: what a run changed of its recipe, as one line and as labels."""

import itertools
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lit_cnn.experiment.files import KINDS, list_recipes, recipe_id, value_text
from lit_cnn.experiment.identity import MACHINE_KEYS, leaves
from lit_cnn.run_folder.folder import ENVIRONMENT

UNTRAINED = (
    *("about", "tracking", "machine", "checkpoint_minutes", "process_timeout_minutes", "trainer.default_root_dir"),
    *("trainer.accelerator", "trainer.strategy", "trainer.devices", "trainer.num_nodes", "trainer.max_time"),
    *("trainer.logger", "trainer.profiler", "trainer.log_every_n_steps", "trainer.enable_progress_bar"),
    "trainer.enable_model_summary",
)
"""Keys and sections, besides ``MACHINE_KEYS``, that do not change what a training yields."""
NAMED = 8
"""Keys that the line of a run names."""


class Change(NamedTuple):
    """The values of a key in two recipes; null where one does not have it."""

    old: Any
    new: Any


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Change]:
    """The dotted keys that differ, except those of ``about``, in the order of ``new``.

    Args:
        old: A resolved recipe.
        new: The one that it is compared with.
    """
    before, now = (dict(leaves("", dict(recipe))) for recipe in (old, new))
    return {
        key: Change(before.get(key), now.get(key))
        for key in [*now, *(key for key in before if key not in now)]
        if before.get(key) != now.get(key) and not key.startswith("about.")
    }


def trained_changes(found: Mapping[str, Change]) -> dict[str, Change]:
    """Those that may change what a training yields: not where it runs, what it is called and where it is recorded."""
    return {
        key: change
        for key, change in found.items()
        if key not in MACHINE_KEYS and not any(f"{key}.".startswith(f"{part}.") for part in UNTRAINED)
    }


def differing(recipes: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The dotted keys in which trained recipes differ, with the value of each recipe; null where it has no such key.

    Args:
        recipes: Resolved recipes. Where they run, what they are called and where they are recorded counts for nothing.
    """
    found: dict[str, Change] = {}
    for other in recipes[1:]:
        found |= trained_changes(changes(recipes[0], other))
    values = [dict(leaves("", dict(recipe))) for recipe in recipes]
    return {key: [flat.get(key) for flat in values] for key in found}


def described(change: Change) -> str:
    """``0.05 → 0.1``."""
    return f"{value_text(change.old)} → {value_text(change.new)}"


def one_line(found: Mapping[str, Change]) -> str:
    """The changes on one line, such as ``data.batch_size 64 → 32``; those beyond ``NAMED`` are counted."""
    named = [f"{key} {described(change)}" for key, change in list(found.items())[:NAMED]]
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    return ", ".join([*named, *more])


def labels(found: Mapping[str, Change]) -> list[str]:
    """The changes as ``learning_rate=0.1``: the last part of the key, or as much of it as tells two keys apart."""
    return [f"{short_key(key, list(found))}={value_text(change.new)}" for key, change in found.items()]


def short_key(key: str, keys: list[str]) -> str:
    """The fewest last parts of ``key`` that no other of ``keys`` ends with."""
    parts = key.split(".")
    for count in range(1, len(parts)):
        ending = ".".join(parts[-count:])
        if not any(other != key and f".{other}".endswith(f".{ending}") for other in keys):
            return ending
    return key


def recipe_of_run(folder: Path) -> str:
    """The recipe that a run folder is named after, or the file of one's own that it was started with.

    Raises:
        ValueError: If there is none here.
    """
    name = folder.resolve().parent.name
    for known in (recipe_id(file) for kind in KINDS for file in list_recipes(kind)):
        if known.replace("/", "_") == name:
            return known
    for own in (*_started_with(folder), f"{name}.yaml"):
        if Path(own).expanduser().is_file():
            return own
    raise ValueError(
        f"there is no recipe {name}, after which {folder} is named: name the recipe to compare it with, as in "
        f"lit-cnn config diff YOUR.yaml {folder}"
    )


def _started_with(folder: Path) -> list[str]:
    """The recipe in the command that started a run, where one is recorded."""
    record = folder / ENVIRONMENT
    command = json.loads(record.read_text(encoding="utf-8")).get("command", "") if record.is_file() else ""
    words = shlex.split(command) if isinstance(command, str) else command  # a list in runs of older versions
    named = [value for flag, value in itertools.pairwise(words) if flag in ("fit", "-c", "--config")]
    named += [word.removeprefix("--config=") for word in words if word.startswith("--config=")]
    return [name for name in named if not name.startswith("-")][:1]
