"""Which rows of a network's last layers are whose: a head of other classes is not a start for these."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lit_cnn.architectures.meta import copy_on_meta, run_on_meta
from lit_cnn.architectures.network import Network

SHOWN = 3
"""Classes that a sentence names."""
FRESH_STD = 0.01
"""Standard deviation of fresh rows, small enough that the first loss is that of guessing."""


def class_layers(network: nn.Module) -> dict[str, nn.Linear | nn.Conv2d]:
    """The layers with a row for each class, by name: the classifier, then auxiliary classifiers.

    Networks of the catalog call each of these layers ``classifier``. In others they are the last linear layer (the last
    convolution where there is none), and that of every child with "aux" in its name.
    """
    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)}
    found = [name for name in layers if name.endswith(".classifier")]
    if not found:
        parts = [name for name, _ in network.named_children() if "aux" in name.lower()]
        groups = [list(layers), *([name for name in layers if name.startswith(f"{part}.")] for part in parts)]
        found = [_last(group, layers) for group in groups if group]
    return {name: layers[name] for name in found}


def class_tensors(network: nn.Module) -> list[str]:
    """Names of the parameters of ``class_layers``."""
    return [f"{name}.{kind}" for name, layer in class_layers(network).items() for kind, _ in layer.named_parameters()]


def told_logits(network: nn.Module, image: Tensor) -> list[int]:
    """How many logits any network seems to have, found without arithmetic: columns of its output on the meta device,
    unless it does not run there, and rows of the first of its ``class_layers``, if it has one.

    Args:
        network: It is left as it is.
        image: (1, C, H, W) on the meta device. Of another size than the data's, the columns may be others, too.
    """
    try:
        output = run_on_meta(copy_on_meta(network).eval(), image)
    except Exception:  # code of others, which may want another size, or numbers
        output = None
    columns = [output.shape[1]] if isinstance(output, Tensor) and output.ndim == 2 else []
    layers = list(class_layers(network).values())[:1]
    return columns + [layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels for layer in layers]


def backbone_of(network: nn.Module) -> Network | None:
    """The network of the catalog that a detector is built on; None of a classifier."""
    backbone = getattr(network, "backbone", None)
    return backbone if isinstance(backbone, Network) else None


def head_tensors(network: nn.Module) -> list[str]:
    """Names of the parameters that no weights of another task bring: ``class_tensors``; of a detector all but its
    backbone's."""
    backbone = backbone_of(network)
    if backbone is None:
        return class_tensors(network)
    below = {id(parameter) for parameter in backbone.parameters()}
    return [name for name, parameter in network.named_parameters() if id(parameter) not in below]


def _last(names: list[str], layers: dict[str, nn.Linear | nn.Conv2d]) -> str:
    linear = [name for name in names if isinstance(layers[name], nn.Linear)]
    return (linear or names)[-1]


def unnamed(class_names: Sequence[str]) -> bool:
    """Whether these are the numbers that classes get where no data names them."""
    return list(class_names) == [str(number) for number in range(len(class_names))]


def class_rows(stored: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """For each of the ``wanted`` classes its row among the ``stored``; None where one is unknown.

    Classes without names are known only to be those of the same numbers.
    """
    if list(stored) == list(wanted):
        return list(range(len(stored)))
    if unnamed(stored) or unnamed(wanted) or not set(wanted) <= set(stored):
        return None
    return [list(stored).index(name) for name in wanted]


def describe_difference(stored: Sequence[str], wanted: Sequence[str]) -> str:
    """Why ``class_rows`` gives none: ``its classes differ (bird instead of dog, …)``."""
    if unnamed(stored):
        return "the checkpoint does not name its classes"
    if unnamed(wanted):
        return "the data does not name its classes"
    new = [name for name in wanted if name not in stored]
    gone = [name for name in stored if name not in wanted]
    pairs = [
        f"{name} instead of {gone[number]}" if number < len(gone) else f"{name} is new"
        for number, name in enumerate(new[:SHOWN])
    ]
    return f"its classes differ ({', '.join(pairs)}{', …' if len(new) > SHOWN else ''})"


def known_rows(stored: Sequence[str], wanted: Sequence[str]) -> list[int | None]:
    """For each of the ``wanted`` classes its row among the ``stored``, None for a class that is not there by name."""
    if (rows := class_rows(stored, wanted)) is not None:
        return list(rows)
    if unnamed(stored) or unnamed(wanted):
        return [None] * len(wanted)
    places = {name: row for row, name in enumerate(stored)}
    return [places.get(name) for name in wanted]


def rows_of(source: Tensor | None, drawn: Tensor, rows: Sequence[int | None]) -> Tensor:
    """A layer's weight (K, …) or bias (K,) with the known rows of ``source`` and fresh ones between them.

    Args:
        source: To copy from; None where nothing fits.
        drawn: The network's own random tensor. Fresh rows are its rows, scaled to ``FRESH_STD``; a fresh bias is 0.
        rows: Of each class its row in ``source``, None for a fresh one.
    """
    spread = drawn.std(correction=0) if drawn.ndim > 1 else torch.zeros(())
    fresh = drawn * (FRESH_STD / spread) if spread > 0 else torch.zeros_like(drawn)
    if source is None:
        return fresh
    copied = torch.tensor([row is not None for row in rows]).view(-1, *[1] * (drawn.ndim - 1))
    return torch.where(copied, source[[row or 0 for row in rows]].to(fresh), fresh)


def describe_rows(rows: Sequence[int | None], stored: Sequence[str], wanted: Sequence[str], head: str) -> str:
    """What became of the head, as part of a sentence."""
    known = [name for row, name in zip(rows, wanted, strict=True) if row is not None]
    if not known:
        reason = describe_difference(stored, wanted) if head == "by_name" else "initial.head is fresh"
        return f"the head is fresh: {reason}"
    if len(known) == len(wanted):
        return "the whole head" if list(stored) == list(wanted) else "the head's rows by the names of the classes"
    shown = ", ".join(known[:SHOWN]) + (", …" if len(known) > SHOWN else "")
    return f"{len(known)} of the head's {len(wanted)} rows by the names of the classes ({shown}), the others are fresh"
