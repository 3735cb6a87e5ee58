"""A batch's gate is one for all its images, however the global batch is split, and the rates follow the paper."""

import pytest
import torch
from torch import nn

from lit_cnn.architectures.layers.keyed import set_random_key
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth, linear_rates


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
