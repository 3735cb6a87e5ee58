import pytest
import torch
from torch import nn

from lit_cnn.training.optimization.sam import Ascent, SamSettings, frozen_statistics


def make_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def test_the_ascent_is_rho_long_along_the_gradient_and_leaves_gradients_alone() -> None:
    network, x = make_network(), torch.randn(5, 3)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    expected = torch.autograd.grad(network(x).square().sum(), list(network.parameters()))
    Ascent(network, 0.05).climb(network(x).square().sum())
    moves = torch.cat([(p.detach() - b).flatten() for p, b in zip(network.parameters(), before, strict=True)])
    direction = torch.cat([gradient.flatten() for gradient in expected])
    torch.testing.assert_close(moves, 0.05 * direction / direction.norm(), rtol=1e-4, atol=1e-7)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_loss_is_higher_there_and_the_way_back_is_exact() -> None:
    network, x = make_network(), torch.randn(5, 3)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    ascent, low = Ascent(network, 0.1), network(x).square().sum()
    ascent.climb(network(x).square().sum())
    assert network(x).square().sum() > low
    ascent.descend()
    assert all(torch.equal(p, b) for p, b in zip(network.parameters(), before, strict=True))
    network[0].weight.data.add_(1.0)
    moved = network[0].weight.detach().clone()
    ascent.descend()  # a second time moves nothing
    assert torch.equal(network[0].weight, moved)


def test_weights_that_thaw_move_from_then_on() -> None:
    network, x = make_network(), torch.randn(5, 3)
    before = network[0].weight.detach().clone()
    ascent = Ascent(network.requires_grad_(False), 0.1)
    network[2].requires_grad_(True)
    ascent.climb(network(x).square().sum())
    assert torch.equal(network[0].weight, before)
    ascent.descend()
    network.requires_grad_(True)
    ascent.climb(network(x).square().sum())
    assert not torch.equal(network[0].weight, before)
    ascent.descend()
    assert torch.equal(network[0].weight, before)


def test_frozen_statistics_normalize_by_the_batch_and_count_nothing() -> None:
    norm, x = nn.BatchNorm1d(3), torch.randn(8, 3) + 2
    expected = nn.BatchNorm1d(3)(x)
    with frozen_statistics(norm):
        torch.testing.assert_close(norm(x), expected)
    assert torch.equal(norm.running_mean, torch.zeros(3))
    assert norm.num_batches_tracked == 0
    norm(x)
    assert norm.num_batches_tracked == 1


@pytest.mark.parametrize("options", [{"rho": -0.1}, {"rho": 0.1, "ascent_fraction": 0.0}])
def test_wrong_settings_are_named(options: dict) -> None:
    with pytest.raises(ValueError, match=r"sam\.(rho|ascent_fraction) must be"):
        SamSettings(**options)
