"""Masks are a function of (seed, step, position), have the stated rate, and keep the expectation."""

import pytest
import torch
from torch import nn

from lit_cnn.architectures.layers.stochastic import (
    Dropout,
    StochasticDepth,
    clear_random_key,
    linear_rates,
    set_random_key,
)

LAYERS = [Dropout(0.3), StochasticDepth(0.3)]


@pytest.mark.parametrize("layer", LAYERS)
def test_rate_and_expectation(layer: nn.Module) -> None:
    set_random_key(layer.train(), seed=0, step=0, positions=torch.arange(20_000))
    out = layer(torch.ones(20_000, 2))
    assert float((out[:, 0] == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(out.mean()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_split_batch_gets_the_masks_of_the_whole(layer: nn.Module) -> None:
    x = torch.ones(16, 4, 2, 2)
    set_random_key(layer.train(), seed=1, step=5, positions=torch.arange(16))
    whole = layer(x)
    halves = []
    for start in (0, 8):
        set_random_key(layer, seed=1, step=5, positions=torch.arange(start, start + 8))
        halves.append(layer(x[:8]))
    assert torch.equal(whole, torch.cat(halves))
    set_random_key(layer, seed=1, step=6, positions=torch.arange(16))
    assert not torch.equal(whole, layer(x))


@pytest.mark.parametrize("layer", LAYERS)
def test_identity_in_evaluation(layer: nn.Module) -> None:
    x = torch.randn(4, 3)
    assert torch.equal(layer.eval()(x), x)


def test_layers_of_one_network_draw_different_masks() -> None:
    network = nn.ModuleList([Dropout(0.5), Dropout(0.5)]).train()
    set_random_key(network, seed=0, step=0, positions=torch.arange(8))
    x = torch.ones(8, 64)
    assert not torch.equal(network[0](x), network[1](x))


def test_without_a_key_the_default_generator_decides() -> None:
    layer = Dropout(0.5).train()
    clear_random_key(layer)
    x = torch.ones(4, 64)
    torch.manual_seed(0)
    first, second = layer(x), layer(x)
    torch.manual_seed(0)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)


def batch_gates(steps: int, rate: float = 0.3) -> torch.Tensor:
    layer = StochasticDepth(rate, gate="batch").train()
    gates = []
    for step in range(steps):
        set_random_key(layer, seed=0, step=step, positions=torch.arange(4))
        gates.append(layer(torch.ones(4, 2, 1, 1)).view(4, 2))
    return torch.stack(gates)


def test_a_batch_gate_keeps_or_drops_all_samples_together() -> None:
    gates = batch_gates(2000)
    assert torch.equal(gates, gates[:, :1, :1].expand_as(gates))
    assert float((gates == 0).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float(gates.mean()) == pytest.approx(1.0, abs=0.05)


def test_a_batch_gate_does_not_depend_on_how_the_global_batch_is_split() -> None:
    layer = StochasticDepth(0.5, gate="batch").train()
    x = torch.ones(16, 3)
    for step in range(8):
        set_random_key(layer, seed=1, step=step, positions=torch.arange(16))
        whole = layer(x)
        for start in (0, 8):
            set_random_key(layer, seed=1, step=step, positions=torch.arange(start, start + 8))
            assert torch.equal(layer(x[:8]), whole[:8])


def test_blocks_draw_different_batch_gates() -> None:
    network = nn.ModuleList(StochasticDepth(0.5, gate="batch") for _ in range(32)).train()
    set_random_key(network, seed=0, step=0, positions=torch.arange(2))
    kept = [bool(layer(torch.ones(2, 1)).any()) for layer in network]
    assert any(kept)
    assert not all(kept)


def test_the_gate_may_be_set_on_a_layer_in_training() -> None:
    layer = StochasticDepth(0.5).train()
    assert layer.gate == "sample"
    set_random_key(layer, seed=0, step=0, positions=torch.arange(64))
    x = torch.ones(64, 1)
    assert len(layer(x).unique()) == 2
    layer.gate = "batch"
    assert len(layer(x).unique()) == 1


def test_a_dropped_branch_still_gives_its_parameters_a_gradient_of_zero() -> None:
    branch = nn.Linear(2, 2)
    layer = StochasticDepth(0.999999, gate="batch").train()
    set_random_key(layer, seed=0, step=0, positions=torch.arange(3))
    layer(branch(torch.ones(3, 2))).sum().backward()
    assert torch.equal(branch.weight.grad, torch.zeros(2, 2))


def test_an_unknown_gate_is_refused() -> None:
    with pytest.raises(ValueError, match="'sample' or 'batch', got 'image'"):
        StochasticDepth(0.1, gate="image")  # type: ignore[arg-type]


def test_linear_rule() -> None:
    assert linear_rates(0.5, 4) == (0.125, 0.25, 0.375, 0.5)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rates_outside_the_range_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\)"):
        Dropout(rate)
