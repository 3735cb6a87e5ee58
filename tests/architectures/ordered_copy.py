"""Compare a network with a reference of other names: pair their layers by the order in which they run."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures.meta import run_on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.pretrained.equality import settle_statistics


def slow(*rows: tuple) -> list:
    """Rows of a table of counts that run with the slow tests, since the catalog's test counts the same networks."""
    return [pytest.param(*row, marks=pytest.mark.slow) for row in rows]


def count(network: nn.Module, side: int, in_channels: int = 3) -> tuple[int, int]:
    """Trainable parameters and multiply-adds per image of ``side`` px; ``network`` lives on the meta device."""
    params = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    with FlopCounterMode(display=False) as counter:
        run_on_meta(network.eval(), torch.empty(1, in_channels, side, side, device="meta"))
    return params, counter.get_total_flops() // 2


def execution_order(network: nn.Module, x: Tensor) -> list[nn.Module]:
    """The modules that own parameters or buffers, in the order in which evaluation calls them."""
    owners: list[nn.Module] = []
    handles = [
        module.register_forward_pre_hook(lambda module, _: owners.append(module))
        for module in network.modules()
        if any(True for _ in own_tensors(module))
    ]
    with torch.no_grad():
        network.eval()(x)
    for handle in handles:
        handle.remove()
    return owners


def own_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of ``module`` itself, parameters first."""
    yield from module.named_parameters(recurse=False)
    yield from module.named_buffers(recurse=False)


def randomize(network: nn.Module, generator: torch.Generator) -> None:
    """Random batch-norm statistics and gains, and random values for what starts at zero (biases, residual gains)."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                for positive in (module.weight, module.running_var):
                    positive.uniform_(0.5, 1.5, generator=generator)
                for signed in (module.bias, module.running_mean):
                    signed.normal_(std=0.2, generator=generator)
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.2, generator=generator)


def pair(ours: nn.Module, theirs: nn.Module, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The tensors of both networks that correspond."""
    mine, reference = execution_order(ours, x), execution_order(theirs, x)
    assert len(mine) == len(reference), f"{len(mine)} layers against {len(reference)}"
    pairs = []
    for left, right in zip(mine, reference, strict=True):
        tensors, others = list(own_tensors(left)), list(own_tensors(right))
        sizes = [value.numel() for _, value in tensors], [value.numel() for _, value in others]
        assert sizes[0] == sizes[1], f"{left} does not match {right}"
        pairs += [(value, other) for (_, value), (_, other) in zip(tensors, others, strict=True)]
    return pairs


def relative_difference(value: Tensor, reference: Tensor, least: float = 0.0) -> float:
    """Largest absolute difference over the largest absolute value of ``reference``, or over ``least`` if larger."""
    difference = value.detach() - reference.detach().reshape(value.shape)
    return float(difference.abs().max()) / max(float(reference.detach().abs().max()), least)


def largest_difference(ours: nn.Module, theirs: nn.Module, side: int, *, batch: int = 2, in_channels: int = 3) -> float:
    """Copy the reference's weights into ``ours`` and compare the two in float64.

    Returns:
        The largest relative difference among logits in evaluation, logits in training, every parameter's gradient and
        every batch-norm statistic after the step. All parameters of ``ours`` are checked to be among the pairs. A
        gradient below 1e-4 of the network's largest is compared at that size: a bias between two batch norms has a
        gradient of zero but for rounding.
    """
    generator = torch.Generator().manual_seed(0)
    ours, theirs = ours.double(), theirs.double()
    randomize(theirs, generator)
    x = torch.randn(batch, in_channels, side, side, dtype=torch.float64, generator=generator)
    settle_statistics(theirs, x, generator)
    pairs = pair(ours, theirs, x)
    assert {id(value) for value, _ in pairs} >= {id(parameter) for parameter in ours.parameters()}
    with torch.no_grad():
        for value, other in pairs:
            value.copy_(other.reshape(value.shape))
        differences = [relative_difference(ours.eval()(x), theirs.eval()(x))]
    logits, expected = ours.train()(x), theirs.train()(x)
    differences.append(relative_difference(logits, expected))
    direction = torch.randn(expected.shape, dtype=torch.float64, generator=generator)
    for output in (logits, expected):
        (output * direction).sum().backward()
    least = 1e-4 * max(float(parameter.grad.abs().max()) for parameter in theirs.parameters())
    for value, other in pairs:
        if isinstance(value, nn.Parameter):
            assert value.grad is not None
            differences.append(relative_difference(value.grad, other.grad, least))
        elif value.is_floating_point():
            differences.append(relative_difference(value, other))
    return max(differences)


def assert_smallest_input(network: Network, in_channels: int = 3) -> None:
    """``smallest_input`` is usable, and its layers cannot take a pixel less; ``network`` lives on the meta device."""
    side = network.smallest_input

    def image(side: int) -> Tensor:
        return torch.empty(2, in_channels, side, side, device="meta")

    assert network.eval()(image(side)).shape[0] == 2
    with pytest.raises(ValueError, match=f"at least {side}x{side} pixels, got {side - 1}x{side - 1}"):
        network(image(side - 1))
    with pytest.raises(RuntimeError):
        network.features(image(side - 1))
