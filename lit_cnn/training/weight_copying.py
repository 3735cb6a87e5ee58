"""Copying tensors of one network into another: all that match, or VGG's layers in their order."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from lit_cnn.training.class_rows import (
    class_rows,
    class_tensors,
    describe_difference,
    describe_rows,
    known_rows,
    rows_of,
)
from lit_cnn.training.stems import adapt_stem

Head = Literal["by_name", "fresh"]
"""Which rows of the layers that end in the classes are copied: those of classes of the same name, or none."""


@torch.no_grad()
def copy_matching(
    network: nn.Module,
    weights: dict[str, Tensor],
    stored: Sequence[str],
    class_names: Sequence[str],
    head: Head = "by_name",
) -> str:
    """Copy the tensors whose name and shape agree; those of classes by the names of the classes.

    Args:
        network: Whose logits are of ``class_names``.
        weights: To copy from, whose logits are of ``stored``.
        stored: Names of the classes.
        class_names: Names of the classes.
        head: Whether rows of classes that both know are copied, or all start fresh.

    Returns:
        How many were copied, and which of the network's were left random.

    Raises:
        ValueError: If no layer could be copied.
    """
    own = network.state_dict()
    last = [name for name in class_tensors(network) if len(own[name]) == len(class_names)]
    rows = known_rows(stored, class_names) if head == "by_name" else [None] * len(class_names)
    known = {name: value for name, value in weights.items() if name not in last}
    stem = adapt_stem(network, known)
    shared = {name: known[name] for name in own if name in known and known[name].shape == own[name].shape}
    if not any(value.ndim > 1 for value in shared.values()):
        raise ValueError("initial.checkpoint shares no layer with the network: state initial.convolutions and .linears")
    for name in last:
        source = weights.get(name)
        fits = source is not None and len(source) == len(stored) and source.shape[1:] == own[name].shape[1:]
        shared[name] = rows_of(source if fits else None, own[name], rows)
    network.load_state_dict(shared, strict=False)
    fresh = [name for name in own if name not in shared]
    said = f"copied {len(shared) - len(last)} of {len(own) - len(last)} tensors below the head"
    said += f", not {', '.join(fresh[:4])}" if fresh else ""
    return "; ".join([said, *([stem] if stem else []), describe_rows(rows, stored, class_names, head)])


def with_rows_in_order(
    weights: dict[str, Tensor], stored: Sequence[str], class_names: Sequence[str]
) -> dict[str, Tensor]:
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
def copy_layers(network: nn.Module, weights: dict[str, Tensor], first: int, last: int) -> list[str]:
    """Copy the ``first`` convolutions and the ``last`` linear layers; the names of the layers they went to.

    Raises:
        ValueError: If there are not as many, or one has no layer of its shape.
    """
    kernels = [name for name, value in weights.items() if name.endswith("weight") and value.ndim == 4]
    matrices = [name for name, value in weights.items() if name.endswith("weight") and value.ndim == 2]
    linears = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
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
