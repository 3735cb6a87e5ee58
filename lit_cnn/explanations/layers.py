"""The layer of a network whose map is looked at."""

import difflib

import torch
from torch import Tensor, nn

from lit_cnn.architectures.network import GlobalPoolHead, Network
from lit_cnn.pretrained.order import kept_mode

FEATURES = "features"
"""The layer that is taken where none is named: the part of a network before its head."""


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
    if name and name in names:
        return name
    title, layers = type(network).__name__, layers_with_maps(network, images)
    if not layers:
        raise ValueError(f"{title} has no layer that ends in a map, as Grad-CAM needs one: use --method occlusion")
    listed = ", ".join(f"{layer} ({height}x{width})" for layer, (height, width) in layers.items())
    if name is None:
        raise ValueError(f"{title} has no layer called {FEATURES}: name one with --layer, such as {listed}")
    near = [known for known in names if known.endswith(f".{name}")] or difflib.get_close_matches(name, names)
    hint = f"did you mean {near[0]}?" if near else f"there are {listed}"
    raise ValueError(f"{title} has no layer {name!r}: {hint}")


def layers_with_maps(network: nn.Module, images: Tensor) -> dict[str, tuple[int, int]]:
    """For each size of map a layer that runs once and ends in one, from the first to the last.

    Of several the outermost is taken, and of these the last.

    Args:
        network: Any classifier.
        images: (N, C, H, W) in its units.

    Returns:
        Name of the layer -> height and width of its map; maps of one position are left out.
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
    chosen: dict[tuple[int, int], str] = {}
    for name, side in sides.items():
        if runs[name] == 1 and (side not in chosen or name.count(".") <= chosen[side].count(".")):
            chosen[side] = name
    return {name: side for name, side in sides.items() if chosen.get(side) == name}
