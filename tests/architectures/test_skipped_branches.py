"""A network that skips what a batch's gate drops computes what one that multiplies does, but for the statistics."""

import copy

import pytest
import torch
from test_training import FAMILIES, backward, make_prepared, outputs_of, rest_slow, set_rates
from torch import Tensor, nn

from lit_cnn.architectures.layers.keyed import set_random_key
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth

SKIPPING = (
    *("small_resnet", "small_bottleneck", "small_resnext", "small_senet", "small_resnet_rs", "small_nfnet"),
    *("small_mobilenet_v2", "small_efficientnet", "small_efficientnet_lite", "small_efficientnet_v2"),
    *("small_shufflenet", "small_nfnet_narrow", "small_resnet_option_a"),
    *("small_mbconv_chain", "small_block_network"),
)
"""Families of residual blocks; the cells of NASNet and AmoebaNet have paths without a shortcut, and multiply them."""


def with_gates(network: nn.Module, rate: float, *, skips: bool) -> nn.Module:
    """A copy in training that drops whole batches by the key of a step, and keeps every map of its shortcuts."""
    network = copy.deepcopy(network).train()
    set_rates(network, 0.0)
    for layer in network.modules():
        if isinstance(layer, StochasticDepth):
            layer.rate, layer.gate, layer.skips = rate, "batch", skips
    set_random_key(network, seed=0, step=1, positions=torch.arange(4))
    return network


def dropping_blocks(network: nn.Module) -> dict[str, nn.Module]:
    """The blocks that this step drops, by name; those without a shortcut have a layer, too, but never ask it."""
    blocks = {name: block for name, block in network.named_modules() if hasattr(block, "drop_path")}
    return {
        name: block
        for name, block in blocks.items()
        if getattr(block, "skip", True)
        and getattr(block, "shortcut", True) is not None
        and getattr(block, "pool", None) is None
        and block.drop_path.drops()
    }


def of_shortcuts(name: str) -> bool:
    return "shortcut" in name.split(".")


def steps(name: str, rate: float) -> tuple[nn.Module, nn.Module, list[Tensor], list[Tensor]]:
    """A skipping and a multiplying network after forward and backward in float64, and their outputs."""
    prepared = make_prepared(name)
    double = prepared.network.double()
    skipping, multiplying = (with_gates(double, rate, skips=skips) for skips in (True, False))
    found, expected = (outputs_of(each, prepared.images.double()) for each in (skipping, multiplying))
    backward(found)
    backward(expected)
    return skipping, multiplying, found, expected


@pytest.mark.slow
def test_every_family_of_residual_blocks_is_tried() -> None:
    dropping = {
        name
        for name, case in FAMILIES.items()
        if any(isinstance(layer, StochasticDepth) for layer in case.build().modules())
    }
    assert dropping - {"small_nasnet", "small_amoebanet"} == set(SKIPPING)


@pytest.mark.parametrize("rate", [0.5, pytest.param(1 - 2.0**-20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", rest_slow(SKIPPING))
def test_outputs_and_gradients_are_those_of_the_multiplied_form(name: str, rate: float) -> None:
    """To the bit: what a product with 0 adds to a sum is 0."""
    skipping, multiplying, found, expected = steps(name, rate)
    assert dropping_blocks(skipping)
    for value, other in zip(found, expected, strict=True):
        assert torch.equal(value, other)
    for (key, parameter), other in zip(skipping.named_parameters(), multiplying.parameters(), strict=True):
        assert parameter.grad is not None, key
        assert torch.equal(parameter.grad, other.grad), key
    for key, block in dropping_blocks(skipping).items():
        for inner, parameter in block.named_parameters():
            assert of_shortcuts(inner) or not parameter.grad.any(), f"{key}.{inner}"


@pytest.mark.parametrize("name", SKIPPING)
@pytest.mark.slow
def test_statistics_of_a_skipped_branch_stay(name: str) -> None:
    before = make_prepared(name).network.double()
    skipping, multiplying, _, _ = steps(name, 0.5)
    blocks = dropping_blocks(skipping)
    skipped = {
        f"{key}.{inner}"
        for key, block in blocks.items()
        for inner, _ in block.named_buffers()
        if not of_shortcuts(inner)
    }
    start, counted = dict(before.named_buffers()), dict(multiplying.named_buffers())
    for key, value in skipping.named_buffers():
        assert torch.equal(value, start[key] if key in skipped else counted[key]), key
        assert not key.endswith("num_batches_tracked") or counted[key] == start[key] + 1


def test_a_skipped_branch_computes_nothing() -> None:
    network = with_gates(make_prepared("small_resnet").network, 0.5, skips=True)
    called = set()
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *_, name=name: called.add(name))
    network(torch.randn(4, 3, 32, 32))
    dropped = dropping_blocks(network)
    assert 0 < len(dropped) < 4
    branches = {name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)} - called
    assert branches == {
        f"{key}.{inner}"
        for key, block in dropped.items()
        for inner, module in block.named_modules()
        if isinstance(module, nn.Conv2d) and not of_shortcuts(inner)
    }


def test_an_evaluated_drop_path_keeps_its_branch_in_a_network_in_training() -> None:
    prepared = make_prepared("small_resnet")
    network = with_gates(prepared.network, 1 - 2.0**-20, skips=True)
    plain = with_gates(prepared.network, 0.0, skips=True)
    for layer in network.modules():
        if isinstance(layer, StochasticDepth):
            layer.eval()
    assert torch.equal(network(prepared.images), plain(prepared.images))


def test_bfloat16_drops_the_same_to_its_rounding() -> None:
    prepared = make_prepared("small_efficientnet")
    skipping, multiplying = (with_gates(prepared.network, 0.5, skips=skips) for skips in (True, False))
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = skipping(prepared.images), multiplying(prepared.images)
    assert dropping_blocks(skipping)
    assert found.dtype == expected.dtype == torch.bfloat16
    assert torch.equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small_resnet", "small_nfnet"])
def test_a_skipping_network_differentiates_twice(name: str) -> None:
    prepared = make_prepared(name)
    seconds = []
    for skips in (True, False):
        network = with_gates(prepared.network.double(), 0.5, skips=skips)
        x = prepared.images.double().requires_grad_()
        (first,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
        seconds.append(torch.autograd.grad(first.square().sum(), x)[0])
    torch.testing.assert_close(seconds[0], seconds[1], rtol=1e-9, atol=1e-9 * float(seconds[1].abs().max()))
