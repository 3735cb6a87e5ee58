"""Weights from elsewhere become checkpoints of lit-cnn: published ones by name, and files."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.architectures.network import Network
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.pretrained.fetching import fetch
from lit_cnn.pretrained.fitting import numbers_of_classes
from lit_cnn.pretrained.imagenet import imagenet_classes
from lit_cnn.pretrained.proving import Proof, reference_of, transfer_published
from lit_cnn.pretrained.reading import read_foreign
from lit_cnn.pretrained.sources import PublishedWeights, find_published, is_published_spec
from lit_cnn.pretrained.unwrapping import WeightsKind
from lit_cnn.run_folder.atomic import replacing
from lit_cnn.run_folder.checkpoint import FORMAT

Tell = Callable[[str], object]
"""Told sentences for people."""
PROVENANCE = "provenance"
"""Key of what a checkpoint says of where its weights come from."""


@dataclass(frozen=True)
class Imported:
    """Weights from elsewhere in a network of the catalog.

    Args:
        network: In evaluation mode.
        checkpoint: What is written to a file: everything that commands need.
        proof: Whether the weights sit where they belong.
        notes: Sentences on what was chosen on the way.
    """

    network: Network
    checkpoint: dict[str, Any]
    proof: Proof
    notes: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            torch.save(self.checkpoint, partial)


def checkpoint_of(spec: str | Path, tell: Tell = lambda _: None) -> str | Path:
    """The checkpoint file that is meant where a checkpoint is taken.

    Published weights are imported at first use into ``$XDG_CACHE_HOME/lit-cnn/pretrained`` (``~/.cache`` without that
    variable).

    Args:
        spec: ``timm:NAME[.TAG]`` or ``torchvision:NAME[.TAG]``; anything else is returned as it is.
        tell: Told what was imported, and warnings.

    Raises:
        ValueError: If there are no such weights, or they are not to be had.
    """
    if isinstance(spec, Path) or not is_published_spec(spec):
        return spec
    row = find_published(spec)
    place = cached_checkpoint(row.spec)
    if not place.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):
            if not place.is_file():
                imported = import_published(row)
                imported.save(place)
                tell(f"imported {row.spec}: {imported.proof.sentence}")
    if row.license_warning:
        tell(row.license_warning)
    return place


def cached_checkpoint(spec: str) -> Path:
    """Where the checkpoint of published weights is kept once they were imported."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lit-cnn" / "pretrained"
    return root / f"{spec.replace(':', '-').replace('/', '--')}.ckpt"


def import_published(
    row: PublishedWeights, file: str | Path | None = None, weights: WeightsKind | None = None
) -> Imported:
    """Published weights in our network.

    Args:
        row: Which.
        file: Their file; without it the libraries' caches are searched, and then the network.
        weights: Which to take where the file holds averaged and raw ones.

    Raises:
        ValueError: If they are not to be had, do not fit, or the logits are not those of the library's network.
    """
    place = Path(file).expanduser() if file is not None else fetch(row)
    reference, read = reference_of(row), read_foreign(place, weights)
    entry = find_entry(row.architecture)
    classes = next(iter(numbers_of_classes(read.state, entry)), entry.num_classes)
    network = create_model(row.architecture, num_classes=classes, **reference.options)
    proof = transfer_published(row, read.state, network)
    published = {"library": row.library, "name": row.name, "tag": row.tag, "license": row.license, "url": row.url}
    accuracies = {"top1": row.top1, "top5": row.top5, "real_top1": row.real_top1}
    provenance = {"source": row.spec, **published, **accuracies, **file_facts(place)}
    return imported(
        row.architecture, reference.options, network, proof, row.preprocessing, provenance, notes=read.notes
    )


def file_facts(path: Path) -> dict[str, str]:
    """Name and SHA-256 of a file."""
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def imported(
    architecture: str,
    options: Mapping[str, Any],
    network: Network,
    proof: Proof,
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    class_names: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
) -> Imported:
    """The network with the checkpoint that describes it.

    Args:
        architecture: Our name.
        options: Of the network.
        network: With its weights.
        proof: That these are in their places.
        preprocessing: From an image file to its input.
        provenance: Where the weights come from.
        class_names: Of its outputs; without them 1000 are ImageNet's, and others are numbered.
        notes: Sentences for people.
    """
    classes, known = network.num_classes, imagenet_classes()
    if class_names is None:
        class_names = [row.name for row in known] if classes == len(known) else [str(n) for n in range(classes)]
    channels = preprocessing.in_channels
    described = {
        "architecture": architecture,
        "options": dict(options),
        "num_classes": classes,
        "in_channels": channels,
    }
    checkpoint = {
        "format": FORMAT,
        "network": described,
        "state_dict": {f"net.{name}": value for name, value in network.state_dict().items()},
        "class_names": list(class_names),
        "preprocessing": preprocessing.as_dict(),
        "global_step": 0,
        PROVENANCE: {**provenance, "proof": proof.as_dict()},
    }
    return Imported(network.eval(), checkpoint, proof, notes)
