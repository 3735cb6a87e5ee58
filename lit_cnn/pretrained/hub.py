"""Weights in timm's layout on the Hugging Face Hub, whose ``config.json`` names network, classes and preprocessing."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.pretrained.fetching import HUB, HUB_FILES, cached_on_hub, download_from_hub, reachable
from lit_cnn.pretrained.references import REFERENCES
from lit_cnn.pretrained.sources import PublishedWeights, published

PREFIX = "hf-hub:"
ENDINGS = (".pt", ".pth", ".th", ".bin", ".ckpt", ".safetensors", ".npz", ".tar")
"""What names of files of weights end in."""
UNREACHED = "huggingface.co cannot be reached"


def hub_id(source: str) -> str | None:
    """The repository that ``hf-hub:USER/REPO`` or, where it cannot be meant as a file, ``USER/REPO`` names."""
    if source.startswith(PREFIX):
        return source.removeprefix(PREFIX)
    plain = source.count("/") == 1 and not source.startswith((".", "~", "/")) and ":" not in source
    is_file = Path(source).parent.is_dir() or Path(source).suffix.lower() in ENDINGS
    return source if plain and not is_file else None


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
        return (
            published_row(repository, stated, f"{HUB}/{repository}/resolve/main/{HUB_FILES[0]}"),
            stated.get("label_names"),
            file,
        )
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


def repository_of(source: str) -> str | None:
    """The repository that ``hf-hub:USER/REPO`` names; None where a local folder is meant.

    Raises:
        ValueError: If it is not a name of a repository.
    """
    if not source.startswith(PREFIX):
        return None
    repository = source.removeprefix(PREFIX)
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", repository, re.ASCII):
        raise ValueError(f"{source} does not name a repository: {PREFIX}USER/REPO is expected")
    return repository


def download_model(repository: str, names: tuple[str, str]) -> tuple[Path, Path]:
    """The two files of a repository, from the hub's cache or downloaded into it.

    Args:
        repository: ``USER/REPO``.
        names: Of the description and of the weights.

    Raises:
        ValueError: If one is not to be had; it says so after seconds where there is no network.
    """
    places = []
    for name in names:
        found = cached_on_hub(repository, (name,))
        if found is None and reachable(f"{HUB}/{repository}/resolve/main/{name}"):
            found = download_from_hub(repository, name)
        if found is None:
            raise ValueError(
                f"{name} of {repository} is not in the cache, and {UNREACHED} or does not show this file: download "
                f"{' and '.join(names)} into a folder elsewhere and run lit-cnn pull FOLDER"
            )
        places.append(found)
    return places[0], places[1]


def require_hub(repository: str) -> None:
    """Say within seconds where the hub is not reached.

    Raises:
        ValueError: If it is not.
    """
    if not reachable(HUB):
        raise ValueError(
            f"{UNREACHED}: push into a folder instead, and upload that from a machine with a network by hf upload "
            f"{repository} FOLDER"
        )


def upload_model(folder: Path, repository: str, *, private: bool, replaced: Sequence[str]) -> str:
    """Upload a folder as a repository, which is made where there is none; returns its address.

    The hub's own library finds the token: ``HF_TOKEN``, or what ``hf auth login`` has stored.

    Args:
        folder: What is uploaded.
        repository: ``USER/REPO``.
        private: Make a repository that only its owner sees.
        replaced: Files that are removed from the repository where the folder has none of their name.

    Raises:
        ValueError: If the hub refuses.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi(library_name="lit-cnn")
        api.create_repo(repository, exist_ok=True, private=private)
        said, obsolete = "Model of lit-cnn", list(replaced)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message=said, delete_patterns=obsolete)
    except Exception as error:  # of the library and of what it sends with, which share no class
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{repository} could not be uploaded ({first}): log in by hf auth login with a token that may write"
        ) from None
    return f"{HUB}/{repository}"


def published_row(repository: str, config: dict[str, Any], url: str) -> PublishedWeights:
    """Weights that a ``config.json`` of timm's layout describes.

    Args:
        repository: Its name, or that of a folder.
        config: The file's content.
        url: Where the weights are.

    Raises:
        ValueError: If no network of the catalog equals timm's.
    """
    name, stated = config["architecture"], config.get("pretrained_cfg", config)
    reference = next((row for row in REFERENCES if row.library == "timm" and row.published and row.other == name), None)
    if reference is None:
        if isinstance(config.get("lit_cnn"), dict):
            raise ValueError(f"{repository} was written by lit-cnn push: read it by lit-cnn pull {PREFIX}{repository}")
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
    params = find_entry(reference.name).params
    given = stated.get("license") or "none stated"
    return PublishedWeights(
        reference.name, "timm", name, repository, False, params, preprocessing, None, None, None, given, url
    )
