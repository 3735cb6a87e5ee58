"""Stored recipes of older versions: what they lack is filled in with what those versions did."""

from typing import Any

LEGACY: dict[str, Any] = {"data.levels": "clip", "data.background": None, "data.color_profile": "ignore"}
"""Key of a recipe -> what a run did that was written before the key existed, where its default now is another."""


def legacy_values(recipe: dict[str, Any]) -> dict[str, Any]:
    """The keys of ``LEGACY`` that a stored recipe lacks, with their values.

    A section that it lacks altogether (a script's checkpoint has no recipe) adds none.
    """
    values = {}
    for key, value in LEGACY.items():
        section, name = key.split(".")
        if isinstance(recipe.get(section), dict) and name not in recipe[section]:
            values[key] = value
    return values


def completed(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe as ``config.yaml`` or a checkpoint holds it, with its ``legacy_values``."""
    result = dict(recipe)
    for key, value in legacy_values(recipe).items():
        section, name = key.split(".")
        result[section] = {**result[section], name: value}
    return result
