"""Weights that a detector starts from: a classifier's for the network below the pyramid, or another detector's."""

import torch
from torch import Tensor

from lit_cnn.detection.detector_network import DetectorNetwork
from lit_cnn.run_folder.checkpoint import CLASSIFICATION, load_checkpoint, network_weights
from lit_cnn.training.announce import announce
from lit_cnn.training.fine_tuning import InitialWeights

SHOWN = 4
"""Tensors that a sentence names."""


def require_whole(initial: InitialWeights) -> None:
    """Refuse what only makes sense for classifiers.

    Raises:
        ValueError: Naming the key.
    """
    for name in ("convolutions", "linears"):
        if getattr(initial, name) is not None:
            raise ValueError(
                f"initial.{name} copies single layers of a classifier: leave it out, a detector takes all layers that "
                "match"
            )
    if initial.whitening:
        raise ValueError("initial.whitening is for classifiers: set it to false")


def start_backbone(network: DetectorNetwork, initial: InitialWeights, architecture: str, *, resumed: bool) -> None:
    """Replace random weights as ``initial`` says, telling the user; a resumed run's come from its checkpoint instead.

    Args:
        network: Whose weights are replaced.
        initial: By which.
        architecture: Name of the network below the pyramid.
        resumed: Whether a checkpoint brings all weights.

    Raises:
        ValueError: If the checkpoint cannot be read, or shares no layer.
    """
    if initial.checkpoint is not None and not resumed:
        announce(load_weights(network, initial, architecture))


@torch.no_grad()
def load_weights(network: DetectorNetwork, initial: InitialWeights, architecture: str) -> str:
    """Copy all tensors whose name and shape agree; a sentence that says how many.

    Raises:
        ValueError: If the checkpoint cannot be read, or shares no layer.
    """
    assert initial.checkpoint is not None
    checkpoint = load_checkpoint(initial.checkpoint)
    weights, source = network_weights(checkpoint), checkpoint["network"]["architecture"]
    whole = checkpoint.get("task", CLASSIFICATION) != CLASSIFICATION
    if whole and initial.head == "fresh":
        prefix = "pyramid.backbone."
        weights = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        whole = False
    target = network if whole else network.backbone
    copied, left = copy_matching(target, weights)
    if not any(value.ndim > 1 for value in copied.values()):
        raise ValueError(
            f"initial.checkpoint {initial.checkpoint} ({source}) shares no layer with {architecture}: state "
            f"model.architecture {source}, or other weights"
        )
    below = "the detector" if whole else f"the network {architecture}"
    missing = f", not {', '.join(left[:SHOWN])}" + (", …" if len(left) > SHOWN else "") if left else ""
    total = len(copied) + len(left)
    return f"started from {initial.checkpoint} ({source}): copied {len(copied)} of {total} tensors of {below}{missing}"


def copy_matching(module: torch.nn.Module, weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Copy the tensors whose name and shape agree; those that were copied, and the names of the others."""
    own = module.state_dict()
    copied = {name: weights[name] for name in own if name in weights and weights[name].shape == own[name].shape}
    module.load_state_dict(copied, strict=False)
    return copied, [name for name in own if name not in copied]
