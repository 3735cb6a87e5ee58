"""What an exported file says of itself: what it takes, what its outputs mean, and where it comes from."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import torch

from lit_cnn import __version__
from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.pretrained.importing import file_facts
from lit_cnn.pretrained.sources import is_published_spec
from lit_cnn.private_paths import without_folders
from lit_cnn.run_folder.checkpoint import FORMAT
from lit_cnn.run_folder.weights_file import VERSION

PLACES = ("path", "cache_dir", "data_dir")
"""Keys of a recipe's data that name folders of the machine on which it was trained."""


def describe(trained: Trained, license: str | None = None) -> dict[str, str]:
    """Entries of every format; all but architecture, license and versions are JSON.

    Args:
        trained: What is exported.
        license: Of the weights; by default that of the published ones, else "not stated".
    """
    network = trained.built_from
    recorded = trained.recorded_preprocessing
    stated = license or trained.provenance.get("license") or "not stated"
    file = Path(trained.name)
    structured: dict[str, Any] = {
        "options": network.get("options", {}),
        "num_classes": len(trained.class_names),
        "in_channels": network.get("in_channels"),
        "class_names": trained.class_names,
        "preprocessing": None if recorded is None else recorded.as_dict(),
        "recipe": without_places(trained.recipe),
        "provenance": without_folders(trained.provenance),
        "checkpoint": file_facts(file) if file.is_file() else None,
        VERSION: FORMAT,
    }
    plain = {
        "architecture": str(network.get("architecture")),
        "license": stated,
        "lit_cnn_version": __version__,
        "torch_version": str(torch.__version__),
    }
    return {**plain, **{name: json.dumps(value) for name, value in structured.items()}}


def input_entry(trained: Trained, form: GraphForm) -> dict[str, str]:
    """The entry ``input`` of a graph: what its one input is."""
    known = trained.preprocessing
    batch: int | str = form.batch or "batch"
    if form.with_preprocessing:
        shape = [batch, "height", "width", known.in_channels]
        value = {"dtype": "uint8", "shape": shape, "range": [0, 255], "preprocessing": "in the graph"}
    else:
        shape = [batch, known.in_channels, *known.image_size]
        value = {"dtype": "float32", "shape": shape, "preprocessing": "by the caller, as stated"}
    return {"input": json.dumps(value)}


def without_places(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recipe says how weights were trained, without where."""
    kept = {key: value for key, value in recipe.items() if key in ("about", "seed_everything", "model", "data", "ema")}
    if isinstance(data := kept.get("data"), Mapping):
        kept["data"] = {key: value for key, value in data.items() if key not in PLACES}
    if isinstance(model := kept.get("model"), Mapping) and isinstance(model.get("initial"), Mapping):
        kept["model"] = {**model, "initial": _initial_without_places(model["initial"])}
    return kept


def _initial_without_places(initial: Mapping[str, Any]) -> dict[str, Any]:
    """Published weights by their name, a file or a run folder by the last part of its path."""
    stated = initial.get("checkpoint")
    if not isinstance(stated, str) or is_published_spec(stated):
        return dict(initial)
    return {**initial, "checkpoint": PurePath(stated).name}
