"""The order in which the modules of a network run, and which of them feeds which."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ROLES = (
    ("running_mean", ("running_mean", "moving_mean", "mean")),
    ("running_var", ("running_var", "moving_variance", "variance", "var")),
    ("bias", ("bias", "beta")),
)
"""Role -> endings of the names that have it; every other name has the role "weight"."""
COUNTER = "num_batches_tracked"

Token = tuple[str, tuple[int, ...]]
"""Role and shape without axes of one entry, so that a linear layer and a 1x1 convolution agree."""


def role(name: str) -> str:
    """What the tensor called ``name`` does in its module."""
    return next((found for found, endings in ROLES if name.endswith(endings)), "weight")


@dataclass(frozen=True)
class Slot:
    """One parameter or buffer: its full name, and what it is paired by."""

    name: str
    role: str
    shape: tuple[int, ...]

    @property
    def token(self) -> Token:
        return self.role, tuple(size for size in self.shape if size != 1)


@dataclass
class Unit:
    """One module (or prefix of a state dict) with the tensors that it owns itself.

    Args:
        name: Its dotted name.
        kind: Its class, for messages.
        slots: Its tensors, without the counter of batches.
        parents: Names of the units whose outputs reach its input without passing another unit.
        training_only: It runs in training alone, such as an auxiliary head.
    """

    name: str
    kind: str
    slots: tuple[Slot, ...]
    parents: frozenset[str] = field(default=frozenset())
    training_only: bool = False

    def __str__(self) -> str:
        shapes = ", ".join(f"{slot.name.rpartition('.')[2]} {'x'.join(map(str, slot.shape)) or 'scalar'}"
                           for slot in self.slots)  # fmt: skip
        return f"{self.name or 'the root'} ({self.kind}: {shapes})"


def units_of_state(state: dict[str, Tensor]) -> list[Unit]:
    """The tensors of a state dict grouped by prefix, in the order in which they are stored."""
    groups: dict[str, list[Slot]] = {}
    for name, value in state.items():
        prefix, _, leaf = name.rpartition(".")
        if leaf != COUNTER:
            groups.setdefault(prefix, []).append(Slot(name, role(leaf), tuple(value.shape)))
    return [Unit(prefix, "tensors", tuple(slots)) for prefix, slots in groups.items()]


class _Lineage(TorchFunctionMode):
    """Remembers for every storage the units whose outputs it was computed from."""

    def __init__(self) -> None:
        super().__init__()
        self.origin: dict[int, frozenset[str]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        origin = self.of((args, kwargs))
        self.mark(result, origin)
        return result

    def of(self, values: Any) -> frozenset[str]:
        found = [self.origin.get(_address(leaf), frozenset()) for leaf in _leaves(values)]
        return frozenset().union(*found)

    def mark(self, values: Any, origin: frozenset[str]) -> None:
        self.origin.update((_address(leaf), origin) for leaf in _leaves(values) if isinstance(leaf, Tensor))


def _leaves(values: Any) -> Iterator[Any]:
    """What nested tuples, lists and dicts hold."""
    if not isinstance(values, (tuple, list, dict)):
        yield values
        return
    for value in values.values() if isinstance(values, dict) else values:
        yield from _leaves(value)


def _address(value: Any) -> int:
    return value.untyped_storage().data_ptr() if isinstance(value, Tensor) else -1


def execution_order(network: nn.Module, example: Tensor) -> list[Unit]:
    """The modules that own tensors, in the order of their first call in evaluation; then those of training alone.

    Modules that never run are left out. The network's mode and statistics are kept.
    """
    own = units_by_module(network)
    order = _run(network.eval, network, own, example) if own else []
    if len(order) < len(own):
        seen = {unit.name for unit in order}
        for unit in _run(lambda: _train_with_fixed_norms(network), network, own, example):
            if unit.name not in seen:
                unit.training_only = True
                order.append(unit)
    return order


def units_by_module(network: nn.Module) -> dict[nn.Module, Unit]:
    """Every module with tensors of its own, in the order of registration."""
    found = {}
    for prefix, module in network.named_modules():
        slots = tuple(
            Slot(f"{prefix}.{name}" if prefix else name, role(name), tuple(value.shape))
            for name, value in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            if name != COUNTER
        )
        if slots:
            found[module] = Unit(prefix, type(module).__name__, slots)
    return found


def _run(set_mode: Any, network: nn.Module, own: dict[nn.Module, Unit], example: Tensor) -> list[Unit]:
    order: dict[str, Unit] = {}
    lineage = _Lineage()

    def before(module: nn.Module, inputs: Any) -> None:
        unit = own[module]
        if unit.name not in order:
            unit.parents = lineage.of(inputs)
            order[unit.name] = unit

    def after(module: nn.Module, _inputs: Any, output: Any) -> None:
        lineage.mark(output, frozenset([own[module].name]))

    handles = [module.register_forward_pre_hook(before) for module in own]
    handles += [module.register_forward_hook(after) for module in own]
    try:
        with kept_mode(network), torch.no_grad(), lineage:
            set_mode()
            network(example)
    finally:
        for handle in handles:
            handle.remove()
    return list(order.values())


def _train_with_fixed_norms(network: nn.Module) -> None:
    network.train()
    for module in network.modules():
        if getattr(module, "running_mean", None) is not None:
            module.eval()


@contextmanager
def kept_mode(network: nn.Module) -> Iterator[None]:
    """Give every module its training flag back at the end."""
    flags = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in flags:
            module.training = training
