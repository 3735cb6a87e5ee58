"""Masks are a function of (seed, step, position), have the stated rate, and keep the expectation."""

import pytest
import torch
from torch import nn

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.keyed import set_random_key
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth

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


@pytest.mark.parametrize("layer", LAYERS)
def test_a_batch_without_images_stays_one(layer: nn.Module) -> None:
    set_random_key(layer.train(), seed=0, step=0, positions=torch.arange(0))
    assert layer(torch.ones(0, 3, 2)).shape == (0, 3, 2)


def test_layers_of_one_network_draw_different_masks() -> None:
    network = nn.ModuleList([Dropout(0.5), Dropout(0.5)]).train()
    set_random_key(network, seed=0, step=0, positions=torch.arange(8))
    x = torch.ones(8, 64)
    assert not torch.equal(network[0](x), network[1](x))


def test_without_a_key_the_default_generator_decides() -> None:
    layer = Dropout(0.5).train()
    x = torch.ones(4, 64)
    torch.manual_seed(0)
    first, second = layer(x), layer(x)
    torch.manual_seed(0)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rates_outside_the_range_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\)"):
        Dropout(rate)
