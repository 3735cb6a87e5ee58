"""A search on the engine of sweeps: its chooser made from the settings, and what it has found."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lit_cnn.data.module import ImageData
from lit_cnn.experiment.files import read_yaml
from lit_cnn.experiment.identity import identity
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.profiling.latency_table import LatencyTable
from lit_cnn.profiling.timing import PRECISIONS, TimingSettings, resolve_device
from lit_cnn.search.chooser import SearchChooser
from lit_cnn.search.costs import costs_of
from lit_cnn.search.folder import Parts
from lit_cnn.search.prefilter import Scoring
from lit_cnn.search.settings import Settings
from lit_cnn.search.spaces.space import Candidate, first_network
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.folder import RECIPE, pruned_length

ALWAYS = ("params", "madds")
"""What is counted of every network, since a front needs it."""


def open_search(folder: Path, parts: Parts, storage_url: str | None, say: Callable[[str], None]) -> Sweep:
    """The search in its folder, new or continued.

    Args:
        folder: Its folder; its name is the study's.
        parts: Settings and recipe.
        storage_url: Optuna database URL, or None for a journal file in the folder.
        say: Gets one line on each event.

    Raises:
        ValueError: If the folder holds another search, or the settings do not fit together.
    """
    settings = parts.settings
    space = settings.build_space()
    network = first_network(space)
    recipe = recipe_identity(parts.cli, network)
    if settings.sign < 0 and settings.objective["name"] != "accuracy":
        raise ValueError(
            f"search.objective {settings.objective['name']} multiplies an accuracy, but the metric is "
            f"{settings.metric}: choose another search.metric, such as val/acc1"
        )
    table = LatencyTable.load(settings.latency_table) if settings.latency_table else None
    if table is not None:
        recipe["latency table"] = table.digest
    return Sweep(
        folder,
        settings,
        recipe,
        storage_url,
        length=pruned_length(settings.pruner, parts.cli),
        say=say,
        chooser=SearchChooser(
            space=space,
            strategy=settings.build_strategy(space),
            seed=settings.seed,
            lag=settings.lag,
            objective=settings.build_objective(),
            costs=cost_counter(settings, parts.cli, table),
            exceeds=settings.build_limits().exceeded,
            scoring=scoring_of(settings, parts.cli),
            compared=settings.prefilter.of if settings.prefilter else 1,
            sign=settings.sign,
        ),
        flag="--search-dir",
        kind="search",
        unnoted=unnoted_options(folder, recipe, network),
    )


def recipe_identity(cli: RecipeCLI, network: Candidate) -> dict[str, Any]:
    """What a training is: dotted keys of the recipe and their values, without those that each network states itself."""
    return _besides(network, cli.values())


def unnoted_options(folder: Path, recipe: Mapping[str, Any], network: Candidate) -> dict[str, Any]:
    """The options of all networks with which a folder of an older version has begun, whose identity left them out.

    Args:
        folder: With the recipe that it remembers; where that is not here, ``recipe`` takes its place.
        recipe: Keys and values of the recipe now.
        network: One of those that are trained.
    """
    begun = _besides(network, read_yaml(folder / RECIPE)) if (folder / RECIPE).is_file() else recipe
    return {key: value for key, value in begun.items() if key.startswith("model.options.")}


def _besides(network: Candidate, recipe: dict[str, Any]) -> dict[str, Any]:
    own = {"model.architecture", *(f"model.options.{name}" for name in network.options)}
    return {key: value for key, value in identity(recipe).items() if key not in own}


def cost_counter(
    settings: Settings, cli: RecipeCLI, table: LatencyTable | None
) -> Callable[[Candidate], dict[str, float]]:
    """What counts parameters, multiply-adds and whatever else objective and limits need of a network; the data, whose
    classes and image size decide them, are opened when the first network is counted."""
    wanted = {*ALWAYS, *settings.build_objective().costs, *settings.build_limits().costs}

    @functools.cache
    def opened() -> tuple[ImageData, TimingSettings]:
        recipe = Recipe.of(cli)
        recipe.data.setup("fit")
        return recipe.data, condition_of(recipe)

    @functools.cache
    def count(architecture: str, options: tuple[tuple[str, Any], ...]) -> dict[str, float]:
        data, condition = opened()
        return costs_of(
            architecture,
            dict(options),
            image_size=data.image_size,
            num_classes=data.num_classes,
            in_channels=data.in_channels or 3,
            wanted=sorted(wanted),
            latency_table=table,
            timing=condition,
        )

    return lambda candidate: dict(count(candidate.architecture, tuple(sorted(candidate.options.items()))))


def scoring_of(settings: Settings, cli: RecipeCLI) -> Scoring | None:
    """What scores proposals before they are trained; None without a prefilter."""
    if settings.prefilter is None:
        return None
    data = cli.config.data
    return settings.prefilter.scoring(settings.seed, data.image_size, data.in_channels or 3)


def condition_of(recipe: Recipe) -> TimingSettings:
    """How step times of a recipe are measured: on the device, with the batch and in the precision of its trainings.

    Raises:
        ValueError: If the precision is one that is not timed.
    """
    accelerator, precision = recipe.trainer["accelerator"], recipe.trainer["precision"]
    return TimingSettings(
        device=str(resolve_device("cpu" if accelerator == "cpu" else "auto")),
        precision=precision if precision in PRECISIONS else "32-true",
        batch_size=recipe.data.batch_size,
        channels_last=recipe.model.channels_last,
    )
