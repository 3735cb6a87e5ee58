"""Stored recipes of older versions: what they lack is filled in with what those versions did."""

from typing import Any

TASK = "classification"
"""Task of the recipes that are older than tasks."""
LEGACY: dict[str, Any] = {
    "data.hold_out": "rows",
    "data.levels": "clip",
    "data.background": None,
    "data.color_profile": "ignore",
    "data.evaluation.resize_mode": "shorter_side",
    "ema.validate_raw": True,
}
"""Key of a recipe -> what a run did that was written before the key existed, where its default is not null or now is
another."""


def legacy_values(recipe: dict[str, Any]) -> dict[str, Any]:
    """The task and the keys of ``LEGACY`` that a stored recipe lacks, with their values.

    A section that it lacks altogether (a script's checkpoint has no recipe) adds none.
    """
    if recipe.get("task", TASK) != TASK:
        return {}  # the keys are older than other tasks
    values = {"task": TASK} if "model" in recipe and "task" not in recipe else {}
    for key, value in LEGACY.items():
        *path, name = key.split(".")
        section: Any = recipe
        for part in path:
            section = section.get(part) if isinstance(section, dict) else None
        if isinstance(section, dict) and name not in section:
            values[key] = value
    return values


def completed(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe as ``config.yaml`` or a checkpoint holds it, with its ``legacy_values``."""
    result = dict(recipe)
    for key, value in legacy_values(recipe).items():
        *path, name = key.split(".")
        section = result
        for part in path:
            section[part] = dict(section[part])  # the caller's recipe stays as it is
            section = section[part]
        section[name] = value
    return result
