"""The operations that a network is made of, as a table of latencies has them.

An operation is a block with a forward pass of its own (MBConv, residual block, Inception), a chain of plain layers
(convolution, norm, activation; a head), or a layer that stands alone. The cells of a searched network are taken apart
into the operations of their blocks, because whole cells hardly ever occur twice; what a cell computes between them
(rectified copies, sums, the concatenation), which no hook sees, are operations of their own.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_cnn.architectures.cells import Cell, CellStack, DroppableOp
from lit_cnn.architectures.layers.keyed import KeyedLayer
from lit_cnn.architectures.network import Network
from lit_cnn.data.image_size import ImageSize, sides_of

Shape = tuple[int, ...]
"""Of one image's map or vector, without the batch axis."""
_TAKEN_APART = (nn.ModuleList, nn.ModuleDict, Network, Cell, CellStack, DroppableOp)
_FREE = (nn.Identity, nn.Dropout, nn.Flatten, KeyedLayer)
"""What inference passes through without work."""
_IDLE = ("training", "momentum", "inplace", "skips")
"""Attributes that change no work of inference."""


class Rectify(nn.Module):
    """The rectified copy of a state that operations of a cell read."""

    def forward(self, state: Tensor) -> Tensor:
        return torch.relu(state)


class Add(nn.Module):
    """The sum of the two operations of a cell's block."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first + second


class Concatenate(nn.Module):
    """What a cell returns: states concatenated and rectified."""

    def forward(self, *states: Tensor) -> Tensor:
        return torch.relu_(torch.cat(states, 1))


@dataclass(frozen=True)
class Operation:
    """What is timed once, wherever it occurs.

    Args:
        structure: Digest of the module with all arguments that change its work (:func:`structure_of`).
        inputs: Shapes of what it reads.
        name: For people: class, kernels, shapes.
    """

    structure: str
    inputs: tuple[Shape, ...]
    name: str


class Parts(dict[Operation, tuple[nn.Module, int]]):
    """Operation -> a module that computes it, on the meta device, and how often the network does."""

    def add(self, module: nn.Module, inputs: Sequence[Shape], output: Shape) -> None:
        """Note one more of these."""
        structure = hashlib.sha256(structure_of(module).encode()).hexdigest()[:16]
        operation = Operation(structure, tuple(inputs), _name(module, inputs, output))
        module, number = self.get(operation, (module, 0))
        self[operation] = module, number + 1


def operations_of(network: nn.Module, image_size: ImageSize, in_channels: int = 3) -> Parts:
    """The operations of one inference pass.

    Args:
        network: On the meta device; it is put into evaluation.
        image_size: Of the images.
        in_channels: Channels of the images.

    Raises:
        ValueError: If the image is too small for the network.
    """
    parts = Parts()
    handles = [module.register_forward_hook(_noting(parts)) for module in _watched(network)]
    try:
        with torch.no_grad():
            network.eval()(torch.empty(1, in_channels, *sides_of(image_size), device="meta"))
    finally:
        for handle in handles:
            handle.remove()
    return parts


def structure_of(module: nn.Module) -> str:
    """A module and all within it, by classes and whole-number arguments; rates and epsilons change no work."""
    if isinstance(module, _FREE):
        return "-"
    facts = [f"{name}={value}" for name, value in sorted(vars(module).items()) if _changes_work(name, value)]
    if isinstance(module, nn.Conv2d | nn.Linear):
        facts.append(f"bias={module.bias is not None}")
    facts += [structure_of(child) for child in module.children()]
    return f"{type(module).__name__}({','.join(facts)})"


def _changes_work(name: str, value: object) -> bool:
    if name.startswith("_") or name in _IDLE:
        return False
    values = value if isinstance(value, tuple) else (value,)
    return all(isinstance(each, int | str) for each in values)  # True and False are numbers, too


def _watched(module: nn.Module) -> list[nn.Module]:
    """The modules that are operations, and the cells."""
    if isinstance(module, _FREE):
        return []
    children = list(module.children())
    chain = type(module).forward is nn.Sequential.forward
    if isinstance(module, _TAKEN_APART) or (chain and any(list(child.children()) for child in children)):
        inside = [each for child in children for each in _watched(child)]
        return [module, *inside] if isinstance(module, Cell) else inside
    return [module]


def _noting(parts: Parts) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shapes = [tuple(each.shape[1:]) for each in inputs]
        add = _add_sums if isinstance(module, Cell) else Parts.add
        add(parts, module, shapes, tuple(output.shape[1:]))  # type: ignore[arg-type]

    return note


def _add_sums(parts: Parts, cell: Cell, inputs: Sequence[Shape], output: Shape) -> None:
    """What a cell computes between its operations."""
    filters = cell.out_channels // len(cell.concat)
    current, made = (filters, *inputs[0][1:]), (filters, *output[1:])
    previous = inputs[1] if isinstance(cell.adapt, nn.Identity) else current
    for state in sorted(cell.rectified):
        shape = (current, previous)[state] if state < 2 else made
        parts.add(Rectify(), [shape], shape)
    for _ in cell.sources:
        parts.add(Add(), [made, made], made)
    parts.add(Concatenate(), [made] * len(cell.concat), output)


def _name(module: nn.Module, inputs: Sequence[Shape], output: Shape) -> str:
    kernels = ["x".join(map(str, each.kernel_size)) for each in module.modules() if isinstance(each, nn.Conv2d)]
    kinds = f" ({', '.join(kernels)})" if kernels else ""
    return f"{type(module).__name__}{kinds}, {' + '.join(map(_shape, inputs))} -> {_shape(output)}"


def _shape(sizes: Shape) -> str:
    return "x".join(map(str, sizes))
