"""A batch's gate is one for all its images, however the global batch is split, and a block may skip what it drops."""

import copy

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


@pytest.mark.slow
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


class Residual(nn.Module):
    """relu(x + residual(x)), by a skipping block or, as an own network may, by a call of the layer."""

    def __init__(self, rate: float, *, asks: bool = True) -> None:
        super().__init__()
        self.residual = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 3))
        self.drop_path = StochasticDepth(rate, gate="batch")
        self.asks = asks

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.asks:
            return (x + self.drop_path(self.residual(x))).relu()
        if self.drop_path.drops():
            return self.drop_path.skip(x, self).relu()
        return (x + self.drop_path.keep(self.residual(x))).relu()


ALMOST_ONE = 1.0 - 2.0**-20
"""A rate at which the first keys all drop."""


def keyed(layer: nn.Module, step: int, seed: int = 0) -> nn.Module:
    set_random_key(layer, seed=seed, step=step, positions=torch.arange(4))
    return layer


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.7])
def test_the_host_drops_what_the_multiplied_form_drops(rate: float) -> None:
    network = nn.ModuleList(StochasticDepth(rate, gate="batch") for _ in range(5)).train()
    for step in range(200):
        keyed(network, step, seed=7)
        assert [layer.drops() for layer in network] == [not layer(torch.ones(2, 1)).any() for layer in network]


def test_without_a_key_the_host_draws_from_the_default_generator() -> None:
    layer = StochasticDepth(0.3, gate="batch").train()
    torch.manual_seed(0)
    drawn = [layer.drops() for _ in range(2000)]
    torch.manual_seed(0)
    assert [not layer(torch.ones(1)).any() for _ in range(2000)] == drawn  # as the multiplied form does
    assert sum(drawn) / 2000 == pytest.approx(0.3, abs=0.03)


def test_what_is_kept_is_scaled_once_and_keeps_the_expectation() -> None:
    layer = StochasticDepth(0.25, gate="batch").train()
    torch.manual_seed(0)
    outputs = [0.0 if layer.drops() else float(layer.keep(torch.ones(1))) for _ in range(4000)]
    assert sorted(set(outputs)) == [0.0, pytest.approx(1 / 0.75)]
    assert sum(outputs) / 4000 == pytest.approx(1.0, abs=0.04)


def test_nothing_is_dropped_as_a_whole_by_other_gates() -> None:
    layer = keyed(StochasticDepth(ALMOST_ONE, gate="batch"), 0)
    assert layer.train().drops()
    assert not layer.eval().drops()
    x = torch.ones(4, 2)
    assert torch.equal(layer.keep(x), x)
    layer.train().rate = 0.0
    assert not layer.drops()
    assert torch.equal(layer.keep(x), x)
    layer.rate, layer.skips = ALMOST_ONE, False
    assert not layer.drops()
    assert not layer.keep(x).any()  # multiplied, as before
    layer.gate, layer.skips, layer.rate = "sample", True, 0.5
    assert not layer.drops()
    assert torch.equal(layer.keep(x), layer(x))


def test_a_skipped_branch_gives_the_shortcut_and_gradients_of_zero() -> None:
    block = keyed(Residual(ALMOST_ONE), 0).train()
    x = torch.randn(4, 3, requires_grad=True)
    calls = []
    block.residual.register_forward_hook(lambda *_: calls.append(1))
    skipped = block.drop_path.skip(x, block)
    assert torch.equal(skipped, x)
    assert skipped.data_ptr() == x.data_ptr()
    assert torch.equal(block(x), x.relu())
    assert not calls
    block(x).sum().backward()
    assert torch.equal(x.grad, (x > 0).float())
    for parameter in block.parameters():
        assert torch.equal(parameter.grad, torch.zeros_like(parameter))
        assert parameter.grad.stride() == parameter.stride()


def test_gradients_of_zero_add_to_those_of_accumulated_batches() -> None:
    block, x = keyed(Residual(ALMOST_ONE), 0).train(), torch.randn(4, 3)
    block.eval()(x).sum().backward()
    before = [parameter.grad.clone() for parameter in block.parameters()]
    assert all(gradient.any() for gradient in before)
    block.train()(x).sum().backward()
    for gradient, parameter in zip(before, block.parameters(), strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_frozen_parameters_get_no_gradient() -> None:
    block = keyed(Residual(ALMOST_ONE), 0).train()
    block.residual[0].requires_grad_(False)
    block(torch.randn(4, 3)).sum().backward()
    assert block.residual[0].weight.grad is None
    assert not block.residual[2].weight.grad.any()


def test_the_shortcut_s_memory_is_not_changed_in_place() -> None:
    block, x = keyed(Residual(ALMOST_ONE), 0).train(), torch.randn(4, 3)
    with pytest.raises(RuntimeError, match="modified inplace"):
        block.drop_path.skip(x, block).relu_()


def test_a_skipping_network_trains_to_the_bits_of_a_multiplying_one() -> None:
    """Without batch norm both forms compute the same numbers: a product with 0 adds nothing but zeros to a gradient."""
    torch.manual_seed(0)
    skipping = nn.Sequential(*(Residual(0.5) for _ in range(6)), nn.Linear(3, 1)).train()
    multiplying, calling = copy.deepcopy(skipping), copy.deepcopy(skipping)
    for block in multiplying[:6]:
        block.drop_path.skips = False
    for block in calling[:6]:
        block.asks = False
    networks = (skipping, multiplying, calling)
    optimizers = [
        torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01) for network in networks
    ]
    x, dropped = torch.randn(4, 3), []
    for step in range(8):
        for network, optimizer in zip(networks, optimizers, strict=True):
            keyed(network, step)
            optimizer.zero_grad()
            network(x).square().sum().backward()
            optimizer.step()
        dropped += [block.drop_path.drops() for block in skipping[:6]]
    assert {True, False} == set(dropped)
    for other in (multiplying, calling):
        for weight, expected in zip(skipping.parameters(), other.parameters(), strict=True):
            assert torch.equal(weight, expected)


def test_a_skipped_branch_differentiates_twice_and_per_sample() -> None:
    block = keyed(Residual(ALMOST_ONE), 0).train().double()
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    weights = dict(block.named_parameters())
    (first,) = torch.autograd.grad(block(x).pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    torch.testing.assert_close(second, 6 * x.relu())

    def loss(weights: dict[str, torch.Tensor], sample: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(block, weights, sample[None]).pow(3).sum()

    detached = {name: weight.detach() for name, weight in weights.items()}
    by_weight, by_sample = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims=(None, 0))(
        detached, x.detach()
    )
    torch.testing.assert_close(by_sample, 3 * x.detach().relu() ** 2)
    for name, weight in weights.items():
        assert torch.equal(by_weight[name], torch.zeros(4, *weight.shape, dtype=torch.float64))
