"""The layer of a network whose map is looked at."""

import difflib

import torch
from torch import Tensor, nn

from lit_cnn.architectures.network import GlobalPoolHead, Network
from lit_cnn.pretrained.order import kept_mode

FEATURES = "features"
"""The layer that is taken where none is named: the part of a network before its head."""
_SHOWN = 12
"""Layers that a message names."""


def pooled_classifier(network: nn.Module) -> nn.Linear | None:
    """The linear layer on the averages of the last map that ends ``network``; None where it ends in another way."""
    if isinstance(network, Network) and isinstance(network.head, GlobalPoolHead):
        classifier = network.head.classifier
        return classifier if isinstance(classifier, nn.Linear) else None
    return None


def find_layer(network: nn.Module, name: str | None, images: Tensor) -> str:
    """The name of the layer for Grad-CAM: ``name``, or ``features``.

    Args:
        network: Any classifier.
        name: A module of it, as ``named_modules`` calls it; None: the one before the head.
        images: (N, C, H, W) inputs, with which the layers that have maps are found where the message needs them.

    Raises:
        ValueError: If there is no such layer, with the nearest names; or none is named and the network has no part
            called ``features``, with the layers that have a map.
    """
    names = dict(network.named_modules())
    if name is None and FEATURES in names:
        return FEATURES
    if name is not None and name in names and name:
        return name
    layers = layers_with_maps(network, images)
    listed = ", ".join(f"{layer} ({height}x{width})" for layer, (height, width) in list(layers.items())[-_SHOWN:])
    title = type(network).__name__
    if name is None:
        raise ValueError(f"{title} has no layer called {FEATURES}: name one with --layer, the last of them {listed}")
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the last that have a map are {listed}"
    raise ValueError(f"{title} has no layer {name!r}: {hint}")


def layers_with_maps(network: nn.Module, images: Tensor) -> dict[str, tuple[int, int]]:
    """Name -> height and width of the map of each layer that runs once and has one, in the order in which they end.

    Of the layers inside each other that end with the same map, the outermost is named.
    """
    sides: dict[str, tuple[int, int]] = {}
    runs: dict[str, int] = {}
    handles = []
    for name, module in network.named_modules():

        def note(_module: nn.Module, _inputs: object, output: object, name: str = name) -> None:
            runs[name] = runs.get(name, 0) + 1
            if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                sides[name] = output.shape[2], output.shape[3]

        if name:
            handles.append(module.register_forward_hook(note))
    try:
        with kept_mode(network), torch.no_grad():
            network.eval()(images[:1])
    finally:
        for handle in handles:
            handle.remove()
    once = {name: side for name, side in sides.items() if runs[name] == 1}
    order = list(once)
    inner = {first for first, then in zip(order, order[1:], strict=False) if first.startswith(f"{then}.")}
    return {name: side for name, side in once.items() if name not in inner}
