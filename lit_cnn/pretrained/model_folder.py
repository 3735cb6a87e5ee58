"""A model as a folder in timm's layout: ``config.json`` and ``model.safetensors``, written and read.

Where timm has the network the tensors are under timm's names, so that timm loads the folder; else under our own. An
entry of ``config.json`` of our own says what timm's entries cannot, so that reading restores the model exactly.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from lit_cnn.architectures.catalog import check_options, create_model, find_entry
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.data.settings import Interpolation, ResizeMode, background_color, checked_levels
from lit_cnn.data.sources.decoding import ColorProfile
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS
from lit_cnn.pretrained.equality import output_difference, tolerance
from lit_cnn.pretrained.hub import published_row
from lit_cnn.pretrained.importing import Imported, file_facts, import_published, imported
from lit_cnn.pretrained.order import COUNTER
from lit_cnn.pretrained.proving import Proof
from lit_cnn.pretrained.reading import read_weights
from lit_cnn.pretrained.sources import load_timm_folder
from lit_cnn.pretrained.timm_layout import (
    TimmTwin,
    build_timm,
    noise_of,
    timm_config,
    timm_references,
    timm_twin,
)
from lit_cnn.pretrained.transfer import load_by_name, transfer_weights
from lit_cnn.private_paths import without_folders
from lit_cnn.run_folder.checkpoint import described_weights
from lit_cnn.run_folder.weights_file import is_safetensors, write_described

CONFIG, WEIGHTS = "config.json", "model.safetensors"
OWN = "lit_cnn"
"""Our entry of ``config.json``."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        timm_name: timm's name of the network, which loads the folder; None where it does not.
        difference: Largest difference of the logits that timm gives from ours, over the largest logit.
        reason: Why timm does not load it.
    """

    timm_name: str | None
    difference: float | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Built-in types."""
        return asdict(self)


def write_model(folder: Path, network: Network, checkpoint: Mapping[str, Any], license_name: str) -> Written:
    """Write ``config.json`` and ``model.safetensors``; that timm gives our logits is tried on the written folder.

    Args:
        folder: An existing folder.
        network: With its weights, in evaluation mode.
        checkpoint: What it was loaded from: network, class names, preprocessing, provenance.
        license_name: Of the weights.

    Raises:
        ValueError: If the network is not in the catalog, or it is not known how images are prepared.
    """
    described = checkpoint["network"]
    if described["architecture"] is None or checkpoint["preprocessing"] is None:
        missing = "holds a network outside the catalog" if checkpoint["preprocessing"] else "records no preprocessing"
        raise ValueError(f"the checkpoint {missing}, so nobody could load it from a folder: share the file itself")
    preprocessing = Preprocessing.from_dict(checkpoint["preprocessing"])
    stated = {key: value for key, value in described_weights(dict(checkpoint)).items() if key != "class_names"}
    own = {
        "version": version("lit-cnn"),
        **{key: described[key] for key in ("architecture", "options", "num_classes", "in_channels")},
        **without_folders(stated),
        "license": license_name,
    }
    names = list(map(str, checkpoint["class_names"]))
    twin = timm_twin(network, described["architecture"], described["options"], preprocessing)
    if isinstance(twin, TimmTwin):
        config = {**timm_config(twin.name, twin.network, preprocessing, names), OWN: {**own, "layout": "timm"}}
        written = _write_for_timm(folder, twin, config, network, preprocessing)
        if written.timm_name is not None:
            return written
    else:
        written = Written(None, reason=twin)
    name = f"lit_cnn_{described['architecture']}"  # which timm refuses, whatever it has under our name
    _write_config(folder, {**timm_config(name, None, preprocessing, names), OWN: {**own, "layout": OWN}})
    write_described(network.state_dict(), {**own, "class_names": names}, folder / WEIGHTS)
    return written


def _write_for_timm(
    folder: Path, twin: TimmTwin, config: dict[str, Any], network: Network, preprocessing: Preprocessing
) -> Written:
    """Write what timm reads, and compare its logits with ours."""
    from safetensors.torch import save

    _write_config(folder, config)
    tensors = {name: value.contiguous() for name, value in twin.network.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(tensors, {"format": "pt"}))
    try:
        loaded = load_timm_folder(folder).eval()
        generator = torch.Generator().manual_seed(1)
        images = torch.randn(2, preprocessing.in_channels, *preprocessing.image_size, generator=generator)
        _, relative = output_difference(network, loaded, images)
    except (RuntimeError, ValueError, KeyError, TypeError, AssertionError) as error:
        return Written(None, reason=f"timm's {twin.name} does not load it ({str(error).splitlines()[0]})")
    if not relative <= tolerance(images.dtype):
        return Written(None, reason=f"timm's {twin.name} gives other logits (relative difference {relative:.1e})")
    return Written(twin.name, relative)


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def read_model(config: Path, weights: Path, name: str) -> Imported:
    """The model that two files in timm's layout describe.

    Args:
        config: ``config.json``.
        weights: ``model.safetensors``; no other kind is read.
        name: What messages call their folder or repository; recorded as the source.

    Raises:
        ValueError: If a file is damaged or of another kind, the network is not in the catalog, or the weights are not
            those of the network.
    """
    if not is_safetensors(weights):
        raise ValueError(f"{weights} is not a safetensors file: pull reads no pickle, whatever its name")
    try:
        stated = json.loads(config.read_text(encoding="utf-8"))
        if isinstance(stated.get(OWN), dict):
            return _read_own(stated, weights, name)
        return _read_foreign(stated, weights, name)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{CONFIG} of {name} is not JSON ({error})") from None
    except (KeyError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
        said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise ValueError(f"{CONFIG} of {name} is damaged or not of timm's layout ({said})") from None


def _read_foreign(stated: dict[str, Any], weights: Path, name: str) -> Imported:
    """What timm or another program has written."""
    row = published_row(name, stated, "")
    channels = stated.get("pretrained_cfg", stated)["input_size"][0]
    if channels != 3:
        raise ValueError(f"{CONFIG} of {name} states {channels} channels, but 3 are expected of another program")
    _check(row.preprocessing, name)
    done = import_published(row, weights)
    names = stated.get("label_names") or stated.get("pretrained_cfg", {}).get("label_names")
    if isinstance(names, list) and len(names) == done.network.num_classes:
        done.checkpoint["class_names"] = list(map(str, names))
    done.checkpoint["provenance"]["source"] = name
    return done


def _read_own(stated: dict[str, Any], weights: Path, name: str) -> Imported:
    """What ``write_model`` has written."""
    own, names, state = stated[OWN], stated["label_names"], read_weights(weights)
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in own["options"].items()}
    architecture, classes = own["architecture"], own["num_classes"]
    preprocessing = Preprocessing.from_dict(own["preprocessing"])
    _check(preprocessing, name)
    if not isinstance(names, list) or len(names) != classes:
        raise ValueError(f"{CONFIG} of {name} states {classes} classes, but not as many label_names")
    check_options(find_entry(architecture), options)
    described: dict[str, Any] = {"num_classes": classes, "in_channels": preprocessing.in_channels, **options}
    with on_meta():  # nothing is allocated before the sizes are known to be the file's
        size = _size(create_model(architecture, **described).state_dict())
    if size != _size(state):
        raise ValueError(f"{WEIGHTS} of {name} holds {_size(state):,} numbers, but {architecture} has {size:,}")
    with torch.random.fork_rng(devices=[]):
        network: Network = create_model(architecture, **described)
    origin = own.get("provenance") or {}
    proof = _with_doubt(_fill(network, state, stated, name), origin.get("proof", {}))
    provenance: dict[str, Any] = {
        "source": name,
        "license": str(own.get("license", "none stated")),
        **file_facts(weights),
    }
    if origin:
        provenance["origin"] = origin
    return imported(architecture, options, network, proof, preprocessing, provenance, list(map(str, names)))


def _check(preprocessing: Preprocessing, name: str) -> None:
    """Refuse what no image can be prepared with, before it surprises whoever uses the checkpoint."""
    numbers = (*preprocessing.mean, *preprocessing.std)
    possible = {
        "image_size and resize": _possible_sizes(preprocessing),
        "mean and std": all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        and min(preprocessing.std, default=0) > 0,
        "in_channels": len(preprocessing.mean) == len(preprocessing.std) == preprocessing.in_channels,
        "interpolation": preprocessing.interpolation in get_args(Interpolation),
        "resize_mode": preprocessing.resize_mode in get_args(ResizeMode),
        "levels": _passes(checked_levels, preprocessing.levels),
        "background": isinstance(preprocessing.background, (tuple, type(None)))
        and _passes(background_color, preprocessing.background),
        "color_profile": preprocessing.color_profile in get_args(ColorProfile),
    }
    for entry, holds in possible.items():
        if not holds:
            raise ValueError(f"{CONFIG} of {name} states a preprocessing with impossible {entry}")


def _possible_sizes(preprocessing: Preprocessing) -> bool:
    """Whether crop and resized image have sides, the crop fits, and both have no more pixels than an image may have."""
    sides = (*preprocessing.image_size, preprocessing.resize)
    if len(sides) != 3 or not all(isinstance(side, int) and side > 0 for side in sides):
        return False
    if preprocessing.resize < min(preprocessing.image_size):
        return False
    return max(math.prod(preprocessing.image_size), math.prod(preprocessing.box)) <= MAX_PIXELS


def _passes(check: Callable[[Any], object], value: object) -> bool:
    """Whether a check of the recipe's values refuses nothing."""
    try:
        check(value)
    except (ValueError, TypeError):
        return False
    return True


def _with_doubt(proof: Proof, origin: Mapping[str, Any]) -> Proof:
    """A proof that the folder was read as it was written; unproven where the pairing was before."""
    if origin.get("status") != "unproven":
        return proof
    return replace(proof, status="unproven", sentence=f"{origin['sentence']} (before lit-cnn push)")


def _size(state: Mapping[str, Tensor]) -> int:
    """Numbers in all tensors but the counters of batches."""
    return sum(math.prod(value.shape) for key, value in state.items() if not key.endswith(COUNTER))


def _fill(network: Network, state: Mapping[str, Tensor], stated: dict[str, Any], name: str) -> Proof:
    """Give the network its tensors, which are under its own names or timm's."""
    own = stated[OWN]
    if own["layout"] == OWN:
        load_by_name(state, network)
        return Proof("proven", "proven: the names are lit-cnn's own")
    reference = next(timm_references(own["architecture"], stated["architecture"]), None)
    if reference is None:
        raise ValueError(f"{CONFIG} of {name}: timm's {stated['architecture']} is not {own['architecture']}")
    theirs = build_timm(reference, own["num_classes"], own["in_channels"])
    load_by_name(state, theirs)
    report = transfer_weights(theirs, network, noise_of(reference, own["in_channels"]))
    sentence = (
        f"proven: {report.pairs} tensors, logits equal those of timm's {reference.other} with the same weights "
        f"(relative difference {report.relative:.1e})"
    )
    return Proof("proven", sentence, report.relative, report.method)
