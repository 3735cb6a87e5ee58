"""``create_model`` with published weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

import torch
from torch import Tensor

from lit_cnn.architectures import catalog
from lit_cnn.architectures.entry import Value
from lit_cnn.architectures.features import FeatureExtractor
from lit_cnn.architectures.free_choices import FREE_CHOICES
from lit_cnn.architectures.network import Network

AUXILIARY = ("aux_heads", "aux_head")
"""Options that change nothing of what a network computes in evaluation."""


@overload
def create_model(
    name: str,
    *,
    pretrained: str | Path | None = None,
    num_classes: int | None = None,
    in_channels: int = 3,
    features_only: Literal[False] = False,
    out_strides: None = None,
    **options: Value,
) -> Network: ...


@overload
def create_model(
    name: str,
    *,
    pretrained: str | Path | None = None,
    num_classes: None = None,
    in_channels: int = 3,
    features_only: Literal[True],
    out_strides: Sequence[int] = (8, 16, 32),
    **options: Value,
) -> FeatureExtractor: ...


def create_model(
    name: str,
    *,
    pretrained: str | Path | None = None,
    num_classes: int | None = None,
    in_channels: int = 3,
    features_only: bool = False,
    out_strides: Sequence[int] | None = None,
    **options: Value,
) -> Network | FeatureExtractor:
    """Build a network of the catalog, with fresh weights or those of a checkpoint.

    Args:
        name: A name that :func:`list_models` returns.
        pretrained: ``timm:NAME[.TAG]``, ``torchvision:NAME[.TAG]`` or a checkpoint of ``name``. The options that its
            weights were trained with (padding, epsilons, …) become those of the network; a classifier of another
            ``num_classes`` is fresh, and auxiliary heads can be added or left out.
        num_classes: Outputs; the published number by default; 0 ends in the features (N, num_features).
        in_channels: Channels of the image.
        features_only: Return a ``FeatureExtractor``: without the head, the maps for detectors.
        out_strides: Strides of those maps, (8, 16, 32) by default.
        **options: Arguments of the builder, such as ``dropout`` and ``drop_path``.

    Raises:
        ValueError: As the catalog's ``create_model`` does; or if the weights are not to be had, or are of another
            network or number of channels.
    """
    if isinstance(pretrained, bool) and pretrained:
        raise ValueError(f"pretrained must name the weights, such as timm:{name} or a checkpoint, got True")
    if pretrained is None or pretrained is False:
        return catalog.create_model(  # type: ignore[call-overload]
            name,
            num_classes=num_classes,
            in_channels=in_channels,
            features_only=features_only,
            out_strides=out_strides,
            **options,
        )
    catalog.check_options(catalog.find_entry(name), options)
    if (features_only and num_classes is not None) or (out_strides is not None and not features_only):
        catalog.create_model(name, num_classes=num_classes, features_only=features_only, out_strides=out_strides)  # type: ignore[call-overload]
    network = _with_weights(name, pretrained, in_channels, options)
    if features_only:
        return FeatureExtractor(network, (8, 16, 32) if out_strides is None else out_strides)
    if num_classes is not None and num_classes != network.num_classes:
        network.reset_classifier(num_classes)
    return network


def _with_weights(name: str, pretrained: str | Path, in_channels: int, options: dict[str, Value]) -> Network:
    from lit_cnn.pretrained.importing import checkpoint_of
    from lit_cnn.run_folder.checkpoint import CLASSIFICATION, load_checkpoint, network_weights, require_task
    from lit_cnn.run_folder.folder import find_checkpoint

    checkpoint = load_checkpoint(find_checkpoint(checkpoint_of(pretrained)))
    require_task(checkpoint, CLASSIFICATION, str(pretrained))
    stored = checkpoint["network"]
    if stored["architecture"] != name or stored["in_channels"] != in_channels:
        channels = f" of {stored['in_channels']} channels"
        raise ValueError(
            f"{pretrained} is {stored['architecture']}{channels}, not {name} of {in_channels} channels: build that one"
        )
    defaults = catalog.find_entry(name).option_defaults()
    for choice in FREE_CHOICES:
        trained = stored["options"].get(choice.option, defaults.get(choice.option))
        if choice.option in options and options[choice.option] != trained and choice.option not in AUXILIARY:
            raise ValueError(
                f"{choice.option}={options[choice.option]} changes what the network computes, and {pretrained} was "
                f"trained with {trained}: leave {choice.option} out"
            )
    kept: dict[str, Value] = {key: value for key, value in stored["options"].items() if key not in options}
    classes = stored["num_classes"]
    with torch.random.fork_rng(devices=[]):
        network: Network = catalog.create_model(  # type: ignore[call-overload]
            name, num_classes=classes, in_channels=in_channels, **{**kept, **options}
        )
    _load(network, network_weights(checkpoint), pretrained, options)
    return network


def _load(network: Network, weights: dict[str, Tensor], pretrained: str | Path, options: dict[str, Value]) -> None:
    """Load the weights; auxiliary heads that they lack stay fresh, those that the network lacks are left out."""
    own = network.state_dict()
    auxiliary = {name for name in {*own, *weights} if name.partition(".")[0] in network.auxiliary_heads}
    fresh = {name: own[name] for name in auxiliary & own.keys()}
    fitting = {name: weight for name, weight in weights.items() if name not in auxiliary or name in own}
    try:
        network.load_state_dict({**fresh, **fitting})
    except RuntimeError:
        changed = ", ".join(f"{name}={value}" for name, value in options.items())
        raise ValueError(f"the weights of {pretrained} do not fit a network with {changed}: leave that out") from None
