"""Recipes as ``lit-cnn fit`` resolves them."""

import functools
from typing import Any

from lit_cnn.benchmarking.cost import stage_sizes
from lit_cnn.experiment.files import configs_of, find_recipe
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs


@functools.cache
def parsed(name: str) -> RecipeCLI:
    """The recipe, or the overlay on the recipe that its header names."""
    files = configs_of(find_recipe(name))
    return RecipeCLI(resolve_configs([word for file in files for word in ("--config", str(file))]))


@functools.cache
def resolved(name: str) -> dict[str, Any]:
    """Every key with its value, and what the tables of facts derive from them."""
    recipe = parsed(name).values()
    optimizer, batch = recipe["model"]["optimizer"], recipe["data"]["batch_size"]
    base = optimizer["base_batch_size"] or batch
    stages = recipe["progressive_learning"]["stages"]
    return {
        **recipe,
        "rate": optimizer["learning_rate"] * batch / base,
        "rate_per_256": optimizer["learning_rate"] * 256 / base,
        "epochs_per_stage": (recipe["trainer"]["max_epochs"] or 0) // stages,
        "stage_sizes": stage_sizes(recipe),
    }


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path of mappings and lists."""
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value
