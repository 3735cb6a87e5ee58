"""Starting from another run's weights: fine-tuning, and the growing of VGG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_cnn.data.module import ImageData
from lit_cnn.run_folder.checkpoint import load_checkpoint, network_weights
from lit_cnn.training.announce import announce
from lit_cnn.training.class_rows import class_rows, class_tensors, describe_difference, unnamed
from lit_cnn.training.known_images import known_images
from lit_cnn.training.whitening import fix_first_convolution, whiten_first_convolution

WHITENING_IMAGES = 5000
"""Training images whose patches are measured …"""
WHITENING_PIXELS = 50e6
"""… or fewer where so many would have more pixels than this."""


@dataclass(frozen=True)
class InitialWeights:
    """Weights to start from instead of random ones.

    With neither count, every tensor of the checkpoint whose name and shape the network has is copied, except for the
    layers that end in the classes: their rows go to the class of the same name where the checkpoint knows all classes
    of the data, and they start fresh where it does not. With counts, those layers alone are copied: VGG's paper
    (Simonyan and Zisserman 2014, section 3.1) copies the first 4 convolutions and the 3 linear layers of its 11-layer
    net into the deeper ones. Each convolution goes, in order, to the network's next one of the same shape, which there
    is the first of its stage.

    Args:
        checkpoint: A checkpoint of ``lit-cnn fit`` or ``lit-cnn import``, or published weights such as
            ``timm:resnet50.a1_in1k``; null starts from random weights.
        convolutions: Copy this many convolutions from the input on.
        linears: Copy this many linear layers counted from the output.
        whitening: Start the first convolution as the principal components of the training images' patches and keep it
            fixed (Jordan 2024, arXiv:2404.00498).
    """

    checkpoint: str | None = None
    convolutions: int | None = None
    linears: int | None = None
    whitening: bool = False

    def __post_init__(self) -> None:
        if self.whitening and self.checkpoint is not None:
            raise ValueError("initial.whitening replaces a layer of initial.checkpoint: choose one of the two")
        for name in ("convolutions", "linears"):
            value = getattr(self, name)
            if value is not None and (value < 0 or self.checkpoint is None):
                raise ValueError(f"initial.{name} is {value}: it must be at least 0 and needs initial.checkpoint")


def start_weights(
    network: nn.Module, initial: InitialWeights, data: object, class_names: Sequence[str], *, resumed: bool
) -> None:
    """Replace random weights as ``initial`` says, telling the user; a resumed run's come from its checkpoint instead.

    Args:
        network: Whose weights are replaced.
        initial: By which.
        data: What is trained on.
        class_names: Its classes in the order of the logits; their numbers where it names none.
        resumed: Whether a checkpoint brings all weights.

    Raises:
        ValueError: If whitening has no ``ImageData`` to read images from, or as ``load_initial_weights`` does.
    """
    if initial.checkpoint is not None and not resumed:
        announce(load_initial_weights(network, initial, class_names))
        if warning := known_images(initial.checkpoint, data):
            announce(warning)
    if initial.whitening and resumed:
        fix_first_convolution(network)
    elif initial.whitening:
        if not isinstance(data, ImageData):
            raise ValueError("initial.whitening reads training images: train with an ImageData")
        number = min(WHITENING_IMAGES, int(WHITENING_PIXELS / math.prod(data.evaluated_sides)))
        announce(whiten_first_convolution(network, data.training_images(number)))


def load_initial_weights(network: nn.Module, initial: InitialWeights, class_names: Sequence[str]) -> str:
    """Copy weights into ``network``, whose logits are of ``class_names``, and return a sentence that says which.

    Raises:
        ValueError: If the checkpoint cannot be read, or a layer to copy has another shape or other classes.
    """
    assert initial.checkpoint is not None
    checkpoint = load_checkpoint(initial.checkpoint)
    weights, stored = network_weights(checkpoint), list(checkpoint["class_names"])
    source = checkpoint["network"]["architecture"] or "a network given as a class path"
    proof = checkpoint.get("provenance", {}).get("proof", {})
    if proof.get("status") == "unproven":
        announce(f"warning: {initial.checkpoint}: {proof['sentence']}")
    if initial.convolutions is None and initial.linears is None:
        said = copy_matching(network, weights, stored, class_names)
        return f"started from {initial.checkpoint} ({source}): {said}"
    if initial.linears and not unnamed(stored):
        weights = _in_order(weights, stored, class_names)
    copied = copy_layers(network, weights, initial)
    return f"started from {initial.checkpoint} ({source}): copied {', '.join(copied)}"


@torch.no_grad()
def copy_matching(
    network: nn.Module, weights: dict[str, Tensor], stored: Sequence[str], class_names: Sequence[str]
) -> str:
    """Copy the tensors whose name and shape agree; those of classes by the names of the classes.

    Args:
        network: Whose logits are of ``class_names``.
        weights: To copy from, whose logits are of ``stored``.
        stored: Names of the classes.
        class_names: Names of the classes.

    Returns:
        How many were copied, and which of the network's were left random.

    Raises:
        ValueError: If no layer could be copied.
    """
    own, last, rows = network.state_dict(), class_tensors(network), class_rows(stored, class_names)
    known = {name: value for name, value in weights.items() if name not in last}
    if rows is not None:
        known |= {name: weights[name][rows] for name in last if name in weights and len(weights[name]) == len(stored)}
    shared = {name: known[name] for name in own if name in known and known[name].shape == own[name].shape}
    if not any(value.ndim > 1 for value in shared.values()):
        raise ValueError("initial.checkpoint shares no layer with the network: state initial.convolutions and .linears")
    network.load_state_dict(shared, strict=False)
    fresh = [name for name in own if name not in shared and (rows is not None or name not in last)]
    said = f"copied {len(shared)} of {len(own)} tensors" + (f", not {', '.join(fresh[:4])}" if fresh else "")
    if rows is None:
        return f"{said}; the head is fresh: {describe_difference(stored, class_names)}"
    return said if list(stored) == list(class_names) else f"{said}; the head's rows by the names of the classes"


def _in_order(weights: dict[str, Tensor], stored: Sequence[str], class_names: Sequence[str]) -> dict[str, Tensor]:
    """The weights with the rows of the last linear layer in the order of ``class_names``."""
    rows = class_rows(stored, class_names)
    if rows is None:
        raise ValueError(
            f"initial.linears copies the last layer too, but {describe_difference(stored, class_names)}: train on the "
            "checkpoint's classes, or leave initial.linears out"
        )
    matrices = [name for name in weights if name.endswith("weight") and weights[name].ndim == 2]
    last = [name.removesuffix("weight") + kind for name in matrices[-1:] for kind in ("weight", "bias")]
    last = [name for name in last if name in weights]
    return weights | {name: weights[name][rows] for name in last if len(weights[name]) == len(stored)}


@torch.no_grad()
def copy_layers(network: nn.Module, weights: dict[str, Tensor], initial: InitialWeights) -> list[str]:
    """Copy the first convolutions and the last linear layers; the names of the layers they went to."""
    kernels = [name for name, value in weights.items() if name.endswith("weight") and value.ndim == 4]
    matrices = [name for name, value in weights.items() if name.endswith("weight") and value.ndim == 2]
    linears = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    first, last = initial.convolutions or 0, initial.linears or 0
    for key, wanted, count in (("convolutions", first, len(kernels)), ("linears", last, len(matrices))):
        if wanted > count:
            raise ValueError(f"initial.{key} is {wanted}, but the checkpoint has {count} such layers")
    if last > len(linears):
        raise ValueError(f"initial.linears is {last}, but the network has {len(linears)} linear layers")
    copied = []
    convolutions = iter([(name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d)])
    for kernel in kernels[:first]:
        found = next(((name, conv) for name, conv in convolutions if conv.weight.shape == weights[kernel].shape), None)
        if found is None:
            shape = "x".join(map(str, weights[kernel].shape))
            raise ValueError(
                f"initial.convolutions: the network has no layer left for the checkpoint's {kernel} ({shape})"
            )
        copy_layer(found[1], found[0], weights, kernel)
        copied.append(found[0])
    for matrix, (name, layer) in zip(matrices[len(matrices) - last :], linears[len(linears) - last :], strict=True):
        copy_layer(layer, name, weights, matrix)
        copied.append(name)
    return copied


def copy_layer(layer: nn.Module, name: str, weights: dict[str, Tensor], source: str) -> None:
    """Copy weight and bias named ``source`` (its weight) into ``layer``."""
    for kind, parameter in layer.named_parameters(recurse=False):
        value = weights.get(source.removesuffix("weight") + kind)
        if value is None or value.shape != parameter.shape:
            found = "none" if value is None else "x".join(map(str, value.shape))
            raise ValueError(
                f"initial weights for {name}.{kind} do not fit: the checkpoint's {source} is {found}, "
                f"the network needs {'x'.join(map(str, parameter.shape))}"
            )
        parameter.copy_(value)
