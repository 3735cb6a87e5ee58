"""A checkpoint handed over as a folder in timm's layout with its model card, on disk or on the Hugging Face Hub."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lit_cnn.architectures.network import Network
from lit_cnn.evaluation.trained import load_trained
from lit_cnn.handover.card_facts import CardFacts, read_facts
from lit_cnn.handover.model_card import PICTURES, model_card
from lit_cnn.pretrained.hub import download_model, repository_of, require_hub, upload_model
from lit_cnn.pretrained.importing import Imported, checkpoint_of
from lit_cnn.pretrained.model_folder import CONFIG, OWN, WEIGHTS, Written, read_model, write_model
from lit_cnn.run_folder.checkpoint import BEST, load_checkpoint
from lit_cnn.run_folder.folder import find_checkpoint

CARD, RECIPE = "README.md", "recipe.yaml"
NOT_ALWAYS = (RECIPE, *PICTURES)
"""Files that a push writes where the run has them; those of an earlier push are removed."""
LOCAL = "local-dir:"
"""What timm writes before a folder."""


@dataclass(frozen=True)
class Pushed:
    """What was handed over.

    Args:
        place: The folder, or the address of the repository.
        files: Names of the files in it.
        written: Whether and how timm loads it.
        license: Of the weights.
        warning: A sentence on the license, where it forbids something or is not stated.
    """

    place: str
    files: tuple[str, ...]
    written: Written
    license: str
    warning: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Built-in types."""
        stated = {"place": self.place, "files": list(self.files), "license": self.license, "warning": self.warning}
        return {**stated, **self.written.as_dict()}


def push(
    checkpoint: str | Path,
    destination: str,
    *,
    weights: str = "ema",
    license_name: str | None = None,
    private: bool = False,
) -> Pushed:
    """Write a checkpoint as a folder that timm and ``pull`` read, or upload it as such.

    Args:
        checkpoint: A checkpoint of a network of the catalog, a run folder or published weights.
        destination: A folder, which is new, empty or of an earlier push; or ``hf-hub:USER/REPO``.
        weights: "ema" for the averaged weights where they exist, or "raw".
        license_name: Of the weights, such as ``apache-2.0``; that of the weights they come from by default.
        private: Make a repository that only its owner sees.

    Raises:
        ValueError: If the checkpoint cannot be read or described, the folder holds something else, or the hub is not
            reached or refuses.
    """
    repository = repository_of(destination)
    if repository is not None:
        require_hub(repository)
        with tempfile.TemporaryDirectory() as made:
            pushed = _write(checkpoint, Path(made), repository, weights, license_name)
            address = upload_model(Path(made), repository, private=private, replaced=NOT_ALWAYS)
        return Pushed(address, pushed.files, pushed.written, pushed.license, pushed.warning)
    folder = folder_of(destination)
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name[:40]}.") as made:
        pushed = _write(checkpoint, Path(made), None, weights, license_name)
        folder.mkdir(exist_ok=True)
        for name in set(NOT_ALWAYS) - set(pushed.files):
            (folder / name).unlink(missing_ok=True)
        for name in pushed.files:
            os.replace(Path(made) / name, folder / name)
    return Pushed(str(folder), pushed.files, pushed.written, pushed.license, pushed.warning)


def folder_of(text: str) -> Path:
    """The folder that ``FOLDER`` or ``local-dir:FOLDER`` names."""
    return Path(text.removeprefix(LOCAL)).expanduser()


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    config = folder / CONFIG
    if not config.is_file() or f'"{OWN}"' not in config.read_text(encoding="utf-8", errors="replace"):
        raise ValueError(f"{folder} holds files that lit-cnn push has not written: name a new folder")


def _write(
    checkpoint: str | Path, folder: Path, repository: str | None, weights: str, license_name: str | None
) -> Pushed:
    path = Path(find_checkpoint(checkpoint_of(checkpoint)))
    network, content = load_trained(path, weights).network, load_checkpoint(path)
    if not isinstance(network, Network):
        raise ValueError(f"{path} holds a network outside the catalog, which nobody could load from a folder")
    params = sum(parameter.numel() for parameter in network.parameters())
    facts = read_facts(path, content, params, weights)
    chosen = facts.license_of(license_name)
    written = write_model(folder, network, content, chosen)
    if facts.recipe:
        (folder / RECIPE).write_text(yaml.safe_dump(facts.recipe, sort_keys=False), encoding="utf-8")
    pictures = _copy_pictures(path, facts, folder)
    card = model_card(facts, written, chosen, repository, pictures)
    (folder / CARD).write_text(card, encoding="utf-8")
    files = (CONFIG, WEIGHTS, CARD, *([RECIPE] if facts.recipe else []), *pictures)
    return Pushed(str(folder), files, written, chosen, _license_warning(facts, chosen))


def _copy_pictures(path: Path, facts: CardFacts, folder: Path) -> list[str]:
    """Copy the run's pictures that are of these weights; the confusion is that of the best epoch's averages."""
    run, kept = path.resolve().parent.parent, []
    for name in PICTURES if facts.run_name else ():
        of_these = name != "confusion.png" or (path.name == BEST and facts.weights == "ema")
        if of_these and (run / name).is_file():
            shutil.copyfile(run / name, folder / name)
            kept.append(name)
    return kept


def _license_warning(facts: CardFacts, chosen: str) -> str | None:
    if facts.base is not None and facts.base.license_warning:
        return facts.base.license_warning
    if chosen == "none stated":
        return (
            "warning: no license is stated, so others may not use the weights: add --license NAME, such as apache-2.0"
        )
    return None


def pull(source: str) -> Imported:
    """The model of a folder or repository in timm's layout, as a checkpoint.

    Args:
        source: A folder (timm's ``local-dir:FOLDER`` too) or ``hf-hub:USER/REPO``.

    Raises:
        ValueError: If it is not to be had, its weights are not safetensors, or its network is not in the catalog.
    """
    repository = repository_of(source)
    if repository is not None:
        config, weights = download_model(repository, (CONFIG, WEIGHTS))
        return read_model(config, weights, source)
    folder = folder_of(source)
    if not folder.is_dir():
        hint = (
            "lit-cnn import reads single files of weights" if folder.exists() else "name a folder or hf-hub:USER/REPO"
        )
        raise ValueError(f"there is no folder {folder}: {hint}")
    if not (folder / CONFIG).is_file():
        raise ValueError(f"{folder} has no {CONFIG}, which says what its weights are: it is not of timm's layout")
    return read_model(folder / CONFIG, _weights_in(folder), folder.resolve().name)


def _weights_in(folder: Path) -> Path:
    """``model.safetensors``, or the only other file of its kind."""
    if (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    found = sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return found[0]
    others = sorted(file.name for file in folder.iterdir() if file.suffix in (".bin", ".pth", ".pt", ".ckpt", ".tar"))
    if others and not found:
        raise ValueError(
            f"{folder} has its weights as a pickle alone ({others[0]}), which pull does not read: convert it to "
            f"{WEIGHTS}, or run lit-cnn import {folder / others[0]} --architecture NAME, which runs no code of it"
        )
    raise ValueError(f"{folder} has no {WEIGHTS}" + (f", and {len(found)} others: rename one" if found else ""))
