"""The network of a checkpoint, and the data that its recipe records."""

import os
from collections.abc import Sequence
from typing import Any

import yaml

from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.arrays import stated_in_npz
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.data.sources.shards import is_remote
from lit_cnn.evaluation.given_data import given_images, other_classes
from lit_cnn.evaluation.images import EvaluationImages, SplitName, evaluation_images
from lit_cnn.evaluation.predict import BATCH_SIZE
from lit_cnn.evaluation.trained import Trained, load_trained, on_device
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.experiment.recipe import Recipe


def load_network(path: str, weights: str, trust: Sequence[str]) -> Trained:
    """The checkpoint's network, on the GPU where there is one."""
    return on_device(load_trained(path, weights, trust))


def recipe_arguments(recipe: dict[str, Any], data_path: str | None) -> list[str]:
    """The checkpoint's recipe as arguments of the parser; the trainer's machine settings are left out."""
    kept = {key: value for key, value in recipe.items() if key in ("task", "model", "data", "seed_everything")}
    if data_path is not None:
        kept["data"] = {**kept["data"], "path": os.path.expanduser(data_path)}
    return ["--config", yaml.safe_dump(kept)]


def load_data(trained: Trained, data_path: str | None = None) -> ImageData:
    """The data of the checkpoint's recipe, from its recorded path or from ``data_path``.

    Raises:
        ValueError: If it has other classes or channels than the checkpoint, or no recipe says what it is.
    """
    if not trained.recipe:
        raise ValueError(
            f"{trained.name} records no recipe, so its data is not known: pass --data with a folder of images or an "
            "npz file"
        )
    data = Recipe.of(RecipeCLI(recipe_arguments(trained.recipe, data_path))).data
    data.setup()
    check_classes(trained, list(data.class_names), data.loaded.in_channels)
    return data


def check_classes(trained: Trained, class_names: list[str], in_channels: int, whose: str = "the data") -> None:
    """Refuse other classes, or another order of them, or other channels than the network's.

    Args:
        trained: The network.
        class_names: The classes.
        in_channels: The channels.
        whose: What messages call that which has them.

    Raises:
        ValueError: Naming both sides.
    """
    if class_names != trained.class_names:
        raise ValueError(other_classes(class_names, trained.name, trained.class_names, whose))
    wanted = trained.preprocessing.in_channels
    if in_channels != wanted:
        raise ValueError(f"{whose} has {in_channels} channels, but {trained.name} was trained on {wanted}")


def load_images(trained: Trained, data_path: str | None, split: SplitName) -> EvaluationImages:
    """The images of a split before preprocessing: those that the recipe trains with, or those of ``data_path``.

    Raises:
        ValueError: If there is no such split, or the classes or channels are others.
    """
    if data_path is None or _is_of_recipe(trained, data_path):
        return evaluation_images(load_data(trained, data_path), split)
    return given_images(trained, data_path, split)


def _is_of_recipe(trained: Trained, data_path: str) -> bool:
    """Whether ``data_path`` is another place of the CIFAR set that the recipe trains on: a folder with its files, or an
    npz file with training and other images, without class names or with the network's."""
    source = trained.recipe.get("data", {}).get("source")
    files = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
    if source not in files or is_remote(data_path):
        return False
    place = resolve_data_path(data_path, "--data")
    if place.suffix != ".npz":
        return any((place / name).exists() for name in (files[source], f"{source}.npz"))
    splits, names = stated_in_npz(place)
    return {"train"} < set(splits) and names in (None, trained.class_names)


def evaluation_batch_size(trained: Trained) -> int:
    """Images of a batch of the run's own validation, which repeats its figures to the last digit."""
    recorded = trained.recipe.get("data", {})
    return recorded.get("eval_batch_size") or recorded.get("batch_size") or BATCH_SIZE
