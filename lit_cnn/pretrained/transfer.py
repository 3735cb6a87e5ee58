"""Move weights between two implementations of one architecture, without a map of their names.

Tensors are paired by the order in which the modules run, by role and by shape; the pairing counts only if both networks
then give the same output for the same input.
"""

import copy
import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from lit_cnn.pretrained.equality import (
    difference,
    evaluate,
    explain_difference,
    make_telling,
    needs_rehearsal,
    output_difference,
    settle_statistics,
    tensors_of,
    tolerance,
)
from lit_cnn.pretrained.order import COUNTER, Unit, execution_order, units_by_module, units_of_state
from lit_cnn.pretrained.pairing import Proposal, SlotPair, first_disagreement, propose
from lit_cnn.pretrained.reading import natural, read_weights

UNPROVEN = "the pairing of these weights is unproven"
"""How every message about it begins."""


@dataclass(frozen=True)
class TransferReport:
    """What a transfer did.

    Args:
        pairs: Number of tensors that were copied.
        method: What paired them: "names", "order", "data flow" or "shape within a window".
        verified: Both networks (or the network and recorded logits) gave the same output.
        max_difference: Largest absolute difference of the outputs; None if there was nothing to compare with.
        relative: ``max_difference`` over the largest absolute output of the source.
        first_mismatch: Where the two orders of execution first differ although the pairing is right, or None.
        left_out: Tensors of either side without partner: heads that run in training alone, or modules that never run.
        names: (source, target) of every pair.
    """

    pairs: int
    method: str
    verified: bool
    max_difference: float | None
    relative: float | None
    first_mismatch: str | None
    left_out: tuple[str, ...]
    names: tuple[tuple[str, str], ...]


def transfer_weights(
    source: nn.Module | Mapping[str, Tensor] | str | Path,
    target: nn.Module,
    example: Tensor,
    *,
    reference: nn.Module | None = None,
    logits: Tensor | None = None,
    unproven: Literal["warn", "accept"] = "warn",
) -> TransferReport:
    """Copy the weights and statistics of ``source`` into ``target``.

    Where the source has constant tensors, such as fresh gains, a swap would not show in the output: the pairing is then
    rehearsed on copies in float64 with random values in their place. Heads that run in training alone are copied where
    both sides have them, but the output in evaluation says nothing about them.

    Args:
        source: A network, a state dict, or a file that :func:`read_weights` reads.
        target: The network that gets the weights; on refusal it is as before.
        example: An input (N, C, H, W) for both, on their device and in their dtype.
        reference: For a bare state dict: the network whose names it has. It gets the weights too, and is run.
        logits: For a bare state dict without ``reference``: what the source's network returned for ``example``.
        unproven: What a bare state dict of other names than the target's does where neither ``reference`` nor
            ``logits`` checks the pairing: a warning, or nothing, where the caller checks by other means.

    Returns:
        The report. A bare state dict with neither ``reference`` nor ``logits`` cannot be checked: ``verified`` is
        False.

    Raises:
        ValueError: If the two cannot be paired or do not compute the same; it names the first module that disagrees.
    """
    if isinstance(source, (str, Path)):
        source = read_weights(source)
    if isinstance(source, Mapping) and reference is not None:
        load_by_name(source, reference)
        source = reference
    if isinstance(source, nn.Module):
        return _from_network(source, target, example)
    report = _from_state(dict(source), target, example, logits)
    if not report.verified and report.method != "names" and unproven != "accept":
        told = (
            f"{UNPROVEN}: {report.pairs} tensors were paired by {report.method}; pass reference= or logits= to check it"
        )
        warnings.warn(told, stacklevel=2)
    return report


def load_by_name(state: Mapping[str, Tensor], network: nn.Module) -> None:
    """Load a state dict whose names are the network's, or carry a prefix such as ``module.`` before them.

    Raises:
        ValueError: If a name or a shape does not fit.
    """
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    for prefix in ("", "module.", "model.", "_orig_mod."):
        trimmed = {name.removeprefix(prefix): value for name, value in state.items()}
        missing = [name for name in wanted if name not in trimmed and not name.endswith(COUNTER)]
        if not missing:
            break
    else:
        missing = [name for name in wanted if name not in state]
        raise ValueError(f"the weights have no {missing[0]!r}, which the reference {type(network).__name__} has")
    for name, value in trimmed.items():
        if name not in wanted or value.shape != wanted[name]:
            expected = f"{tuple(wanted[name])}" if name in wanted else "no such tensor"
            raise ValueError(f"{name!r} has shape {tuple(value.shape)}, the reference has {expected}")
    network.load_state_dict(trimmed, strict=False)  # counters of batches alone may be missing


def _from_network(source: nn.Module, target: nn.Module, example: Tensor) -> TransferReport:
    orders = execution_order(source, example), execution_order(target, example)
    rehearsed = needs_rehearsal(source)
    failure = ""
    for proposal in _with_and_without_training_heads(*orders):
        accepted, reason = _try(source, target, example, proposal, rehearsed=rehearsed)
        if accepted is not None:
            everything = [*units_by_module(source).values()], [*units_by_module(target).values()]
            return _report(proposal, orders, everything, accepted)
        failure = failure or reason
    raise ValueError(failure or f"the weights cannot be paired: {first_disagreement(*orders)}")


def _with_and_without_training_heads(source: list[Unit], target: list[Unit]) -> Iterator[Proposal]:
    yield from propose(source, target)
    evaluated = [[unit for unit in units if not unit.training_only] for units in (source, target)]
    if [len(units) for units in evaluated] != [len(source), len(target)]:
        yield from propose(*evaluated)


def _try(
    source: nn.Module, target: nn.Module, example: Tensor, proposal: Proposal, *, rehearsed: bool
) -> tuple[tuple[float, float] | None, str]:
    """The output's difference if the proposal holds, else why not; the target is then as before."""
    if rehearsed:
        left, right = (copy.deepcopy(network).double() for network in (source, target))
        generator = torch.Generator(example.device).manual_seed(0)
        make_telling(left, generator)
        settle_statistics(left, example.double(), generator)
        copy_pairs(tensors_of(left), right, proposal.pairs)
        _, relative = output_difference(left, right, example.double())
        if not relative <= tolerance(torch.float64):
            return None, explain_difference(left, right, example.double(), proposal, relative)
    before = {name: value.clone() for name, value in tensors_of(target).items()}
    copy_pairs(tensors_of(source), target, proposal.pairs)
    largest, relative = output_difference(source, target, example)
    if relative <= tolerance(example.dtype):
        return (largest, relative), ""
    reason = explain_difference(source, target, example, proposal, relative)
    _restore(target, before)
    return None, reason


def _restore(network: nn.Module, before: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in tensors_of(network).items():
            value.copy_(before[name])


def copy_pairs(source: Mapping[str, Tensor], target: nn.Module, pairs: Sequence[SlotPair]) -> None:
    """Copy tensor by tensor, and the counter of batches that belongs to each running mean."""
    tensors = tensors_of(target)
    with torch.no_grad():
        for left, right in pairs:
            tensors[right.name].copy_(source[left.name].reshape(right.shape))
            if right.role == "running_mean":
                here, there = (name.rpartition(".")[0] + f".{COUNTER}" for name in (right.name, left.name))
                if here in tensors and there in source:
                    tensors[here].copy_(source[there])


def pairings(state: Mapping[str, Tensor], target: nn.Module, example: Tensor) -> Iterator[Proposal]:
    """The different ways in which every tensor of a state dict has a partner in ``target``, the likeliest first."""
    seen: list[set[tuple[str, str]]] = []
    units = units_of_state(dict(state)), execution_order(target, example), list(units_by_module(target).values())
    for proposal in _state_proposals(*units):
        names = {(left.name, right.name) for left, right in proposal.pairs}
        if names not in seen:
            seen.append(names)
            yield proposal


def _from_state(state: dict[str, Tensor], target: nn.Module, example: Tensor, logits: Tensor | None) -> TransferReport:
    stored = units_of_state(state)
    run = execution_order(target, example)
    registered = list(units_by_module(target).values())
    failure = ""
    for proposal in _state_proposals(stored, run, registered):
        before = {name: value.clone() for name, value in tensors_of(target).items()}
        copy_pairs(state, target, proposal.pairs)
        if logits is None:
            return _report(proposal, (stored, run), (stored, registered), None)
        largest, relative = difference(logits, evaluate(target, example))
        if relative <= tolerance(example.dtype):
            return _report(proposal, (stored, run), (stored, registered), (largest, relative))
        _restore(target, before)
        failure = (
            failure or f"the weights fit by {proposal.method}, but the logits differ by {relative:.1e} of their scale"
        )
    raise ValueError(failure or f"the weights cannot be paired: {first_disagreement(stored, run)}")


def _state_proposals(stored: list[Unit], run: list[Unit], registered: list[Unit]) -> Iterator[Proposal]:
    """By names if they are the target's own; else in the order stored and in that of the names, against the order in
    which the target runs and that in which it was built."""
    own = {slot.name: slot for unit in registered for slot in unit.slots}
    named = [(slot, own[slot.name]) for unit in stored for slot in unit.slots if slot.name in own]
    if len(named) == len(own) and all(left.shape == right.shape for left, right in named):
        yield Proposal("names", named)
    by_name = sorted(stored, key=lambda unit: natural(unit.name))
    evaluated = [unit for unit in run if not unit.training_only]
    for source, target in itertools.product((stored, by_name), (run, registered, evaluated)):
        yield from (proposal for proposal in propose(source, target) if proposal.method != "data flow")


def _report(
    proposal: Proposal,
    orders: tuple[Sequence[Unit], Sequence[Unit]],
    everything: tuple[Sequence[Unit], Sequence[Unit]],
    measured: tuple[float, float] | None,
) -> TransferReport:
    names = tuple((left.name, right.name) for left, right in proposal.pairs)
    left_out = []
    for side, units in enumerate(everything):
        paired = {pair[side] for pair in names}
        left_out += [slot.name for unit in units for slot in unit.slots if slot.name not in paired]
    return TransferReport(
        pairs=len(names),
        method=proposal.method,
        verified=measured is not None,
        max_difference=measured[0] if measured else None,
        relative=measured[1] if measured else None,
        first_mismatch=None if proposal.method in ("order", "names") else first_disagreement(*orders),
        left_out=tuple(left_out),
        names=names,
    )
