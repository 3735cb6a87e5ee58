"""The operations that a network is made of, as a table of latencies has them.

An operation is a block with a forward pass of its own (MBConv, residual block, Inception), a chain of plain layers
(convolution, norm, activation; a head), or a layer that stands alone. The cells of a searched network are taken apart
into the operations of their blocks, because whole cells hardly ever occur twice; what a cell computes between them
(rectified copies, sums, the concatenation), which no hook sees, are operations of their own.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lit_cnn.architectures.cells import Cell, CellStack
from lit_cnn.architectures.layers.keyed import KeyedLayer
from lit_cnn.architectures.meta import run_on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.data.image_size import ImageSize, sides_of

Shape = tuple[int, ...]
"""Of one image's map or vector, without the batch axis."""
_TAKEN_APART = (nn.ModuleList, nn.ModuleDict, Network, Cell, CellStack)
_FREE = (nn.Identity, nn.Dropout, nn.Flatten, KeyedLayer)
"""What inference passes through without work."""
_IDLE = ("training", "momentum", "inplace")
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


class Instance(NamedTuple):
    """One place of a network at which an operation is computed.

    Args:
        operation: What is computed.
        module: Computes it.
        dtype: Of what it reads.
    """

    operation: Operation
    module: nn.Module
    dtype: torch.dtype


def operations_of(network: nn.Module, image_size: ImageSize, in_channels: int = 3) -> Counter[Operation]:
    """How often each operation is computed in one inference pass.

    Args:
        network: On the meta device; it is put into evaluation.
        image_size: Of the images.
        in_channels: Channels of the images.

    Raises:
        ValueError: If the image is too small for the network.
    """
    image = torch.empty(1, in_channels, *sides_of(image_size), device="meta")
    return Counter(instance.operation for instance in run_on_meta(partial(instances_of, network), image))


def instances_of(network: nn.Module, images: Tensor) -> list[Instance]:
    """The operations of one inference pass, in the order in which they end; the network is put into evaluation.

    Args:
        network: The network, on the device of the images.
        images: (N, C, H, W).

    Raises:
        ValueError: If the images are too small for the network.
    """
    found: list[Instance] = []
    handles = [module.register_forward_hook(_noting(found)) for module in _watched(network)]
    try:
        network.eval()(images)
    finally:
        for handle in handles:
            handle.remove()
    return found


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


def _noting(found: list[Instance]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shapes, made = [tuple(each.shape[1:]) for each in inputs], tuple(output.shape[1:])
        if isinstance(module, Cell):
            found.extend(Instance(each, module, output.dtype) for each, module in _sums(module, shapes, made))
        else:
            found.append(Instance(_operation(module, shapes, made), module, inputs[0].dtype))

    return note


def _sums(cell: Cell, inputs: Sequence[Shape], output: Shape) -> Iterator[tuple[Operation, nn.Module]]:
    """What a cell computes between its operations."""
    filters = cell.out_channels // len(cell.concat)
    current, made = (filters, *inputs[0][1:]), (filters, *output[1:])
    previous = inputs[1] if isinstance(cell.adapt, nn.Identity) else current
    for state in sorted(cell.rectified):
        shape = (current, previous)[state] if state < 2 else made
        yield _operation(Rectify(), [shape], shape), Rectify()
    for _ in cell.sources:
        yield _operation(Add(), [made, made], made), Add()
    yield _operation(Concatenate(), [made] * len(cell.concat), output), Concatenate()


def _operation(module: nn.Module, inputs: Sequence[Shape], output: Shape) -> Operation:
    structure = hashlib.sha256(structure_of(module).encode()).hexdigest()[:16]
    return Operation(structure, tuple(inputs), _name(module, inputs, output))


def _name(module: nn.Module, inputs: Sequence[Shape], output: Shape) -> str:
    kernels = ["x".join(map(str, each.kernel_size)) for each in module.modules() if isinstance(each, nn.Conv2d)]
    kinds = f" ({', '.join(kernels)})" if kernels else ""
    return f"{type(module).__name__}{kinds}, {' + '.join(map(_shape, inputs))} -> {_shape(output)}"


def _shape(sizes: Shape) -> str:
    return "x".join(map(str, sizes))
