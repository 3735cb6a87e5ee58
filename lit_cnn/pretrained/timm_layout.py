"""A network of ours as timm has it: under timm's names, with the entries of timm's ``config.json``."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.network import Network
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.pretrained.equality import output_difference, tolerance
from lit_cnn.pretrained.fitting import FREE
from lit_cnn.pretrained.order import COUNTER
from lit_cnn.pretrained.references import REFERENCES, Reference
from lit_cnn.pretrained.sources import build_other
from lit_cnn.pretrained.transfer import transfer_weights


@dataclass(frozen=True)
class TimmTwin:
    """timm's network that computes what ours does.

    Args:
        name: timm's.
        network: With our weights, in evaluation mode.
        difference: Largest difference of the logits over the largest logit, at the size of the preprocessing.
    """

    name: str
    network: nn.Module
    difference: float


def timm_twin(
    network: Network, architecture: str, options: Mapping[str, Any], preprocessing: Preprocessing
) -> TimmTwin | str:
    """timm's network with our weights, or a sentence on why there is none.

    Args:
        network: Ours, in evaluation mode.
        architecture: Its name in the catalog.
        options: Those that it was built with.
        preprocessing: Its input's size and channels.
    """
    reason = f"timm has no {architecture}"
    for reference in timm_references(architecture):
        if differing := _differing_choices(reference, options):
            reason = f"timm's {reference.other} has {differing}"
            continue
        theirs = build_timm(reference, network.num_classes, preprocessing.in_channels)
        try:
            report = transfer_weights(network, theirs, noise_of(reference, preprocessing.in_channels))
            images = noise_of(reference, preprocessing.in_channels, *preprocessing.image_size)
            _, relative = output_difference(network, theirs, images)
        except (ValueError, RuntimeError) as error:
            reason = f"{architecture} with these options is not timm's {reference.other} ({str(error).splitlines()[0]})"
            continue
        if left := [name for name in report.left_out if name in network.state_dict() and not name.endswith(COUNTER)]:
            reason = f"timm's {reference.other} has no place for {left[0]}"
        elif not relative <= tolerance(images.dtype):
            reason = f"timm's {reference.other} gives other logits (relative difference {relative:.1e})"
        else:
            return TimmTwin(reference.other, theirs, relative)
    return reason


def timm_references(architecture: str, name: str | None = None) -> Iterator[Reference]:
    """The networks of timm, as it publishes weights for them, that a network of the catalog equals."""
    for reference in REFERENCES:
        of_timm = reference.library == "timm" and reference.published and reference.name == architecture
        if of_timm and name in (None, reference.other):
            yield reference


def build_timm(reference: Reference, num_classes: int, in_channels: int) -> nn.Module:
    """timm's network with fresh weights, in evaluation mode; the global random state is kept."""
    with torch.random.fork_rng(devices=[]):
        stated = {"num_classes": num_classes, "in_chans": in_channels}
        return build_other("timm", reference.other, {**reference.other_options, **stated}).eval()


def noise_of(reference: Reference, channels: int, height: int | None = None, width: int | None = None) -> Tensor:
    """Two random images (2, channels, height, width), by default of the size at which the two are compared."""
    sides = height or reference.image_size, width or reference.image_size
    return torch.randn(2, channels, *sides, generator=torch.Generator().manual_seed(0))


def _differing_choices(reference: Reference, options: Mapping[str, Any]) -> str:
    """The first option that no tensor's shape shows in which the reference is built differently."""
    defaults = find_entry(reference.name).option_defaults()
    ours, theirs = {**defaults, **options}, {**defaults, **reference.options}
    found = next((name for name in FREE & defaults.keys() if ours[name] != theirs[name]), None)
    return "" if found is None else f"{found}={theirs[found]}, this network {found}={ours[found]}"


def timm_config(
    name: str, network: nn.Module | None, preprocessing: Preprocessing, class_names: Sequence[str]
) -> dict[str, Any]:
    """The entries of ``config.json`` that timm reads.

    Args:
        name: timm's name of the network.
        network: timm's; None where the name is one that timm does not know.
        preprocessing: From an image file to the network's input.
        class_names: In the order of the logits.
    """
    prepared: dict[str, Any] = {
        "custom_load": False,
        "input_size": [preprocessing.in_channels, *preprocessing.image_size],
        "fixed_input_size": False,
        "interpolation": preprocessing.interpolation,
        "crop_pct": crop_ratio(min(preprocessing.image_size), preprocessing.resize),
        "crop_mode": "squash" if preprocessing.resize_mode == "squash" else "center",
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "num_classes": len(class_names),
    }
    config: dict[str, Any] = {"architecture": name, "num_classes": len(class_names)}
    if network is not None:
        stated: Any = getattr(network, "pretrained_cfg", {})
        prepared |= {key: stated.get(key) for key in ("first_conv", "classifier")} | {"pool_size": None}
        config |= {"num_features": network.num_features, "global_pool": "avg"}
    return {**config, "label_names": list(class_names), "pretrained_cfg": prepared}


def crop_ratio(side: int, resize: int) -> float:
    """The shortest ratio from which timm, which takes the floor of side / ratio, computes ``resize``."""
    for digits in range(3, 9):
        ratio = round(side / resize, digits)
        if ratio > 0 and math.floor(side / ratio) == resize:
            return ratio
    return side / (resize + 0.5)
