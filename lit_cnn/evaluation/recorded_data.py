"""The network of a checkpoint, and the data that its recipe records."""

import os
from collections.abc import Sequence
from typing import Any

import torch
import yaml

from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import Evaluation, Normalize
from lit_cnn.evaluation.images import EvaluationImages, SplitName, evaluation_images
from lit_cnn.evaluation.predict import BATCH_SIZE
from lit_cnn.evaluation.trained import Trained, load_trained
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.experiment.recipe import Recipe


def load_network(path: str, weights: str, trust: Sequence[str]) -> Trained:
    """The checkpoint's network, on the GPU where there is one."""
    trained = load_trained(path, weights, trust)
    trained.network.to("cuda" if torch.cuda.is_available() else "cpu")
    return trained


def recipe_arguments(recipe: dict[str, Any], data_path: str | None) -> list[str]:
    """The checkpoint's recipe as arguments of the parser; the trainer's machine settings are left out."""
    kept = {key: value for key, value in recipe.items() if key in ("model", "data", "seed_everything")}
    if data_path is not None:
        kept["data"] = {**kept["data"], "path": os.path.expanduser(data_path)}
    return ["--config", yaml.safe_dump(kept)]


def load_data(trained: Trained, data_path: str | None) -> ImageData:
    """The data of the checkpoint's recipe, from its recorded path or from ``data_path``.

    Raises:
        ValueError: If it has other classes or channels than the checkpoint, or no recipe says what it is.
    """
    if trained.recipe:
        data = Recipe.of(RecipeCLI(recipe_arguments(trained.recipe, data_path))).data
    else:
        data = stated_data(trained, data_path)
    data.setup()
    check_classes("the checkpoint", trained, list(data.class_names), data.loaded.in_channels)
    return data


def stated_data(trained: Trained, data_path: str | None) -> ImageData:
    """A folder of images, or an npz file, prepared as the checkpoint of a script says, which records no recipe.

    Raises:
        ValueError: If there is no path, or the checkpoint does not say how images are prepared.
    """
    if data_path is None:
        raise ValueError(
            f"{trained.name} records no recipe, so its data is not known: pass --data with a folder of images or an "
            "npz file"
        )
    known = trained.preprocessing
    return ImageData(
        "npz" if data_path.endswith(".npz") else "imagefolder",
        data_path,
        image_size=known.image_size,
        batch_size=BATCH_SIZE,
        crop=Crop(kind="resize"),
        normalize=Normalize(known.mean, known.std),
        in_channels=known.in_channels,
        evaluation=Evaluation(interpolation=known.interpolation, resize=known.resize, resize_mode=known.resize_mode),
    )


def check_classes(name: str, trained: Trained, class_names: list[str], in_channels: int) -> None:
    """Refuse images of other classes, or of another order of them, or of other channels than the network's.

    Raises:
        ValueError: Naming both sides.
    """
    if class_names != trained.class_names:
        raise ValueError(
            f"the data has the classes {_few(class_names)}, but {name} was trained on {_few(trained.class_names)}"
        )
    if in_channels != trained.preprocessing.in_channels:
        raise ValueError(
            f"the data has {in_channels} channels, but {name} was trained on {trained.preprocessing.in_channels}"
        )


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 20 else f"{', '.join(names[:20])} and {len(names) - 20} more"


def load_images(trained: Trained, data_path: str | None, split: SplitName) -> EvaluationImages:
    """The images of the checkpoint's recipe before preprocessing.

    Raises:
        ValueError: If there is no such split, or the classes or channels are others.
    """
    return evaluation_images(load_data(trained, data_path), split)
