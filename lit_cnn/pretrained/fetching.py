"""Files of published weights: from the caches that their libraries fill, else from the network if it answers soon."""

import os
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path

from lit_cnn.pretrained.sources import PublishedWeights

SECONDS = 3.0
"""How long an address may take to answer before it counts as unreachable; timm's own retries last three quarters of a
minute, which no setting shortens."""
HUB = "https://huggingface.co"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""What a repository on the Hugging Face Hub calls its weights."""


def fetch(row: PublishedWeights) -> Path:
    """The file of published weights, from the cache of timm or torchvision, or downloaded into it.

    Raises:
        ValueError: If it is neither there nor to be had; it names the address, the license, the size and ``--file``.
    """
    found = cached_file(row)
    if found is None and reachable(row.url):
        hub = row.hub_id
        found = _download(row.url, _torch_place(row)) if hub is None else download_from_hub(hub, HUB_FILES[0])
    if found is None:
        host = row.url.split("/")[2]
        stated = row.license if row.license != "none stated" else "no license stated"
        raise ValueError(
            f"{row.library}'s weights {row.name}.{row.tag} ({stated}, about {row.megabytes:.0f} MB) are not in the "
            f"cache and {host} cannot be reached: download {row.url} elsewhere and run lit-cnn import "
            f"{row.spec} --file FILE"
        )
    return found


def cached_file(row: PublishedWeights) -> Path | None:
    """The file of published weights where the cache of timm or torchvision has it."""
    if row.hub_id is not None:
        return cached_on_hub(row.hub_id, HUB_FILES)
    place = _torch_place(row)
    return place if place.is_file() else None


def _torch_place(row: PublishedWeights) -> Path:
    """Where torchvision keeps the file."""
    import torch.hub

    return Path(torch.hub.get_dir()) / "checkpoints" / row.url.rpartition("/")[2]


def cached_on_hub(repository: str, names: tuple[str, ...]) -> Path | None:
    """The first of some files of a repository that is in the cache of the Hugging Face Hub."""
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return None


def download_from_hub(repository: str, name: str) -> Path | None:
    """The file, downloaded into the cache; None where the download fails."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, name))
    except (OSError, ValueError):  # the library's own errors are of these kinds
        return None


def _download(url: str, place: Path) -> Path | None:
    """The file with the hash that its name states; None where the download fails."""
    from torch.hub import download_url_to_file

    place.parent.mkdir(parents=True, exist_ok=True)
    stated = re.search(r"-([a-f0-9]{8,})\.", place.name)
    try:
        download_url_to_file(url, str(place), stated.group(1) if stated else None, progress=False)
    except OSError:
        return None
    return place


def reachable(url: str) -> bool:
    """Whether an address answers within SECONDS; looking up its host's name included."""
    if os.environ.get("HF_HUB_OFFLINE") == "1" and url.startswith(HUB):
        return False
    if url.startswith(HUB):
        url = os.environ.get("HF_ENDPOINT", HUB).rstrip("/") + url.removeprefix(HUB)
    answered: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=SECONDS):
                answered.append(True)
        except (OSError, ValueError):
            answered.append(False)

    asking = threading.Thread(target=ask, daemon=True)  # a look-up of a name knows no limit of its own
    asking.start()
    asking.join(SECONDS)
    return bool(answered and answered[0])
