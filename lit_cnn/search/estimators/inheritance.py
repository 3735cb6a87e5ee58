"""Weight inheritance: a mutated child starts from the weights of its trained parent (Real et al., "Large-scale
evolution of image classifiers", 2017, arXiv:1703.01041, section 3.3).

An inherited start is worth the epochs of the parent. So compare it at equal total epochs: a child trained for k epochs
on top of a parent's n is to be held against networks trained for n + k, not for k.
"""

from collections import Counter
from typing import NamedTuple

import torch
from torch import nn

from lit_cnn.architectures.cells import Cell


class Inherited(NamedTuple):
    """How much a child took over.

    Args:
        tensors: Tensors that were copied, batch norms' statistics among them.
        parameters: Parameters that were copied.
        share: Of all parameters of the child.
    """

    tensors: int
    parameters: int
    share: float


@torch.no_grad()
def inherit(child: nn.Module, parent: nn.Module) -> Inherited:
    """Copy what parent and child have in common; the parent is left as it is.

    These are the tensors of equal name and shape, of layers with equal settings: a dilated convolution never takes the
    weights of a plain one. In cells, whose blocks may be numbered otherwise after a mutation, each block first gets the
    parent's block that it has most in common with, and their equal operations are copied.

    Raises:
        ValueError: If they have no parameters in common.
    """
    own, theirs = child.state_dict(keep_vars=True), parent.state_dict()
    sources = _equal_layers(child, parent)
    pairs = {
        name: source
        for name, source in sources.items()
        if name in own and source in theirs and own[name].shape == theirs[source].shape
    }
    for name, source in pairs.items():
        own[name].copy_(theirs[source])
    parameters = {name: parameter.numel() for name, parameter in child.named_parameters()}
    copied = sum(count for name, count in parameters.items() if name in pairs)
    if not copied:
        raise ValueError(
            f"the {type(child).__name__} has no layer in common with the {type(parent).__name__} that it inherits from"
        )
    return Inherited(len(pairs), copied, copied / sum(parameters.values()))


def _equal_layers(child: nn.Module, parent: nn.Module) -> dict[str, str]:
    """Name of each tensor of the child -> its name in the layer of the parent that it may be copied from."""
    parents = dict(parent.named_modules())
    sources: dict[str, str | None] = {}  # of modules: their path in the parent
    pairs: dict[str, str] = {}
    for path, module in child.named_modules():  # those that contain others come first
        holder, _, name = path.rpartition(".")
        if path not in sources:
            start = sources.get(holder, "")
            sources[path] = None if start is None else f"{start}.{name}".lstrip(".")
        source = sources[path]
        other = None if source is None else parents.get(source)
        if isinstance(module, Cell) and isinstance(other, Cell):
            matched = equal_operations(module, other)
            for number in range(len(module.paths)):
                place = f"{source}.paths.{matched[number]}" if number in matched else None
                sources[f"{path}.paths.{number}"] = place
        if other is not None and type(module) is type(other) and module.extra_repr() == other.extra_repr():
            tensors = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            pairs |= {f"{path}.{name}".lstrip("."): f"{source}.{name}".lstrip(".") for name, _ in tensors}
    return pairs


def equal_operations(child: Cell, parent: Cell) -> dict[int, int]:
    """Operations of the child's cell -> equal ones of the parent's, both counted over the blocks, two in each.

    Equal are operations with the same settings, stride and channels among them. In the order of the child's blocks,
    each gets the free block of the parent with the most equal operations on the same states; then counts how many are
    equal on any state, then the place.
    """
    states = {0: 0, 1: 1}
    free = list(range(len(parent.sources)))
    pairs: dict[int, int] = {}
    for block in range(min(len(child.sources), len(parent.sources))):
        own = [(states[state], name) for state, name in _halves(child, block)]

        def likeness(other: int, own: list[tuple[int, str]] = own, block: int = block) -> tuple[int, int, bool]:
            theirs = _halves(parent, other)
            names = Counter(name for _, name in own) & Counter(name for _, name in theirs)
            return (Counter(own) & Counter(theirs)).total(), names.total(), other == block

        best = max(free, key=likeness)
        free.remove(best)
        states[block + 2] = best + 2
        pairs |= {2 * block + i: 2 * best + j for i, j in _paired(own, _halves(parent, best))}
    return pairs


def _halves(cell: Cell, block: int) -> list[tuple[int, str]]:
    """The two states that a block reads, each with the operation on it and all its settings."""
    return [(state, repr(cell.paths[2 * block + half])) for half, state in enumerate(cell.sources[block])]


def _paired(own: list[tuple[int, str]], theirs: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """The equal halves of two blocks: in the order, straight or crossed, in which most agree."""
    orders = [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]

    def agreement(order: list[tuple[int, int]]) -> tuple[int, int]:
        names = sum(own[i][1] == theirs[j][1] for i, j in order)
        return names, sum(own[i] == theirs[j] for i, j in order)

    return [(i, j) for i, j in max(orders, key=agreement) if own[i][1] == theirs[j][1]]
