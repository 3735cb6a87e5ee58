"""Do two networks compute the same, and if not, where do they part?"""

import itertools
import math

import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.pretrained.order import COUNTER, kept_mode, units_by_module
from lit_cnn.pretrained.pairing import Proposal


def tolerance(dtype: torch.dtype) -> float:
    """Largest accepted difference of two outputs over the largest output."""
    return 1e-9 if dtype == torch.float64 else 1e-4


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name, also those that are not saved; a shared one under each of its names."""
    return dict(
        itertools.chain(*(find(remove_duplicate=False) for find in (network.named_parameters, network.named_buffers)))
    )


def needs_rehearsal(network: nn.Module) -> bool:
    """Whether some tensor is constant, as fresh gains and statistics are: a swap of two such would not show."""
    return any(_constant(value) for name, value in tensors_of(network).items() if not name.endswith(COUNTER))


def _constant(value: Tensor) -> bool:
    """Whether all entries are equal; a single entry counts unless it is one of the usual initial values, 0 and 1."""
    if not value.is_floating_point() or value.numel() == 0:
        return False
    if value.numel() == 1:
        return float(value.detach()) in (0.0, 1.0)
    return bool((value == value.flatten()[0]).all())


def make_telling(network: nn.Module, generator: torch.Generator) -> None:
    """Replace constant tensors by random ones: zeros by normal values, others by uniform ones around them."""
    with torch.no_grad():
        for value in tensors_of(network).values():
            if _constant(value) and bool(value.any()):
                value.mul_(torch.empty_like(value).uniform_(0.5, 1.5, generator=generator))
            elif _constant(value):
                value.normal_(std=0.2, generator=generator)


def settle_statistics(network: nn.Module, example: Tensor, generator: torch.Generator) -> None:
    """Set the statistics of every batch norm at random, to the size of what it reads of ``example``.

    Statistics without relation to the signal let it grow from layer to layer, and with it rounding: two equal networks
    of a hundred layers then differ even in float64. The mean is a random share of each channel's, up to a fifth; the
    variance varies around that of all channels together, because norms that bring every channel to one size enlarge
    rounding too (measured on EfficientNet-B5), and so that the channels of a map of one pixel still differ.
    """

    def settle(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm.running_mean, Tensor)
        assert isinstance(norm.running_var, Tensor)
        channels = inputs[0].transpose(0, 1).flatten(1)
        share, factor = torch.rand(2, len(channels), generator=generator, dtype=channels.dtype, device=channels.device)
        norm.running_mean.copy_(0.2 * share * channels.mean(1))
        norm.running_var.copy_((0.5 + factor) * (channels - norm.running_mean[:, None]).square().mean())

    norms = [module for module in network.modules() if isinstance(module, BATCH_NORMS) and module.track_running_stats]
    handles = [norm.register_forward_pre_hook(settle) for norm in norms]
    evaluate(network, example)
    for handle in handles:
        handle.remove()


def evaluate(network: nn.Module, example: Tensor) -> Tensor:
    """The network's output in evaluation, (N, num_classes); its mode is kept."""
    with kept_mode(network), torch.no_grad():
        return network.eval()(example)


def output_difference(source: nn.Module, target: nn.Module, example: Tensor) -> tuple[float, float]:
    return difference(evaluate(source, example), evaluate(target, example))


def difference(expected: Tensor, actual: Tensor) -> tuple[float, float]:
    """Largest absolute difference, and the same over the largest expected value.

    Both are infinite where shapes differ, or a value is infinite or not a number.
    """
    if expected.shape != actual.shape:
        return float("inf"), float("inf")
    largest = float((expected - actual).abs().max())
    if not math.isfinite(largest):
        return float("inf"), float("inf")
    scale = float(expected.abs().max())
    return largest, largest / scale if scale > 0 else (0.0 if largest == 0 else float("inf"))


def explain_difference(
    source: nn.Module, target: nn.Module, example: Tensor, proposal: Proposal, relative: float
) -> str:
    """One sentence with the first pair of modules whose outputs differ."""
    outputs = _unit_outputs(source, example), _unit_outputs(target, example)
    prefixes = [(left.name.rpartition(".")[0], right.name.rpartition(".")[0]) for left, right in proposal.pairs]
    last = [dict(prefixes), {right: left for left, right in prefixes}]  # several modules may fit one that is fused
    prefixes = [(left, right) for left, right in prefixes if last[0][left] == right and last[1][right] == left]
    place = {name: number for number, name in enumerate(outputs[0])}
    text = "no single module differs, so the operations between them do"
    for left, right in sorted(set(prefixes), key=lambda pair: place.get(pair[0], len(place))):
        ours, theirs = outputs[0].get(left), outputs[1].get(right)
        if ours is None or theirs is None or ours.numel() != theirs.numel():
            continue
        if not difference(ours.flatten(), theirs.flatten())[1] <= tolerance(example.dtype):
            first, second = (
                type(network.get_submodule(name)).__name__ for network, name in ((source, left), (target, right))
            )
            text = f"the first modules with different outputs are {left} ({first}) in the source and {right} ({second})"
            break
    return f"the weights fit by {proposal.method}, but the outputs differ by {relative:.1e} of their scale: {text}"


def _unit_outputs(network: nn.Module, example: Tensor) -> dict[str, Tensor]:
    """Outputs of the innermost modules with tensors, in the order of the calls."""
    outputs: dict[str, Tensor] = {}
    handles = []
    owners = units_by_module(network)
    for module, unit in owners.items():
        if any(child in owners for child in module.modules() if child is not module):
            continue  # its output says less than those of the modules in it

        def keep(_module: nn.Module, _inputs: object, output: object, name: str = unit.name) -> None:
            if isinstance(output, Tensor):
                outputs.setdefault(name, output.clone())

        handles.append(module.register_forward_hook(keep))
    try:
        evaluate(network, example)
    finally:
        for handle in handles:
            handle.remove()
    return outputs
