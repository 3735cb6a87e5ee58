"""What a recipe says for its own network, and the network that was chosen on top of it cannot do: left out, and said.

Only what regularizes is left out. An option that gives the network its form is refused where there is none such, and so
is whatever is stated together with the network, or after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.experiment.files import value_text

REGULARIZING = {"drop_path": "stochastic depth needs shortcuts", "dropout": "it has no dropout"}
"""Option of networks -> why a network does not take it."""
SCHEDULE = {"ramp_epochs": 0.0, "gate": "sample"}
"""Keys of ``stochastic_depth`` -> their values where no block is dropped."""


def leave_out_inherited(config: Any, recipes: Sequence[Mapping[str, Any]], words: Iterable[str]) -> list[str]:
    """Take from ``config`` what only an earlier recipe states and the network does not have.

    Args:
        config: The parsed recipe, which is changed.
        recipes: What its files hold, in their order.
        words: The command line; its single keys come after all files.

    Returns:
        A sentence on each key that was left out.
    """
    flags = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
    network, shortcut = config.model.architecture, config.model.options.shortcut
    chosen = max(place(key, recipes, flags) for key in ("model.architecture", "model.options.shortcut"))
    missing = [option for option in REGULARIZING if option not in options_of(network, shortcut)]
    left_out = []
    keys: list[tuple[str, Any, Any, str]]
    keys = [(f"model.options.{option}", None, config.model.options, option) for option in missing]
    if "drop_path" in missing:
        keys += [(f"stochastic_depth.{key}", off, config.stochastic_depth, key) for key, off in SCHEDULE.items()]
    for key, off, section, name in keys:
        if section[name] not in (None, off) and place(key, recipes, flags) < chosen:
            left_out.append(f"{key} {value_text(section[name])}")
            section[name] = off
    if not left_out:
        return []
    reasons = " and ".join(reason for option, reason in REGULARIZING.items() if option in missing)
    return [f"left out of the recipe for {network}: {', '.join(left_out)} ({reasons})"]


def place(key: str, recipes: Sequence[Mapping[str, Any]], flags: Iterable[str]) -> int:
    """Number of the last recipe that states ``key``, or the number of recipes where the command line does; else -1."""
    if any(f"{key}.".startswith(f"{flag}.") for flag in flags):
        return len(recipes)
    return max((number for number, recipe in enumerate(recipes) if stated(key, recipe)), default=-1)


def stated(key: str, recipe: Any) -> bool:
    """Whether a recipe has the key, or a section of it."""
    for part in key.split("."):
        if not isinstance(recipe, Mapping) or part not in recipe:
            return False
        recipe = recipe[part]
    return True


def options_of(network: Any, shortcut: str | None) -> Sequence[str]:
    """The options that a network takes with this shortcut. Those of one's own network are not known, and a wrong name
    is refused when it is built: either counts as taking all."""
    try:
        entry = find_entry(network) if isinstance(network, str) else None
    except ValueError:
        entry = None
    if entry is None:
        return tuple(REGULARIZING)
    plain = entry.arguments.get("shortcut", shortcut) == "none"
    return [option for option in entry.options() if not (plain and option == "drop_path")]
