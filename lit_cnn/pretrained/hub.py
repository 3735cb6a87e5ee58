"""Weights in timm's layout on the Hugging Face Hub, whose ``config.json`` names network, classes and preprocessing."""

import json
from pathlib import Path
from typing import Any

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.pretrained.fetching import HUB, HUB_FILES, cached_on_hub, download_from_hub, reachable
from lit_cnn.pretrained.references import REFERENCES
from lit_cnn.pretrained.sources import PublishedWeights, published

PREFIX = "hf-hub:"


def hub_id(source: str) -> str | None:
    """The repository that ``hf-hub:USER/REPO`` or, where there is no such file, ``USER/REPO`` names."""
    stated = source.removeprefix(PREFIX)
    if source.startswith(PREFIX):
        return stated
    plain = stated.count("/") == 1 and not stated.startswith((".", "~", "/")) and ":" not in stated
    return stated if plain and not Path(stated).exists() else None


def on_hub(repository: str) -> tuple[PublishedWeights, list[str] | None, Path | None]:
    """A repository as a row of published weights, its class names where it states them, and its file.

    The file is None for a row of the table, which is fetched as any other.

    Raises:
        ValueError: If it is not to be had, or is of a network that the catalog does not have.
    """
    for row in published():
        if row.hub_id == repository:
            return row, None, None
    config, file = _file(repository, ("config.json",)), _file(repository, HUB_FILES)
    try:
        stated = json.loads(config.read_text(encoding="utf-8"))
        return _row(repository, stated), stated.get("label_names"), file
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{repository} has no config.json of timm's layout ({type(error).__name__}: {error}): give its weights by "
            "lit-cnn import FILE --architecture NAME"
        ) from None


def _file(repository: str, names: tuple[str, ...]) -> Path:
    url = f"{HUB}/{repository}/resolve/main/{names[0]}"
    found = cached_on_hub(repository, names)
    if found is None and reachable(url):
        found = download_from_hub(repository, names[0])
    if found is None:
        raise ValueError(
            f"{names[0]} of {repository} is not in the cache and huggingface.co cannot be reached, or lacks it: "
            f"download {url} elsewhere and run lit-cnn import FILE --architecture NAME"
        )
    return found


def _row(repository: str, config: dict[str, Any]) -> PublishedWeights:
    name, stated = config["architecture"], config.get("pretrained_cfg", config)
    reference = next((row for row in REFERENCES if row.library == "timm" and row.published and row.other == name), None)
    if reference is None:
        raise ValueError(f"{repository} is timm's {name}, which no network of the catalog equals")
    side = (stated.get("test_input_size") or stated["input_size"])[-1]
    ratio = stated.get("test_crop_pct") or stated.get("crop_pct", 0.875)
    preprocessing = Preprocessing(
        (side, side),
        int(side / ratio),
        "squash" if stated.get("crop_mode") == "squash" else "shorter_side",
        stated.get("interpolation", "bicubic"),
        tuple(stated["mean"]),
        tuple(stated["std"]),
        3,
    )
    url, params = f"{HUB}/{repository}/resolve/main/{HUB_FILES[0]}", find_entry(reference.name).params
    given = stated.get("license") or "none stated"
    return PublishedWeights(
        reference.name, "timm", name, repository, False, params, preprocessing, None, None, None, given, url
    )
