import torch
from torch import nn

from lit_cnn.training.optimization.max_norm import limit_filters_
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.optimizers import make_optimizer


def test_only_filters_above_the_limit_are_scaled_to_it() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(4, 4))
    with torch.no_grad():
        network[0].weight[0].fill_(0.5)
        network[0].weight[1].fill_(0.05)
        network[0].weight[2].zero_()
        network[1].weight.fill_(9.0)
    limit_filters_(network, 0.1)
    torch.testing.assert_close(network[0].weight[0], torch.full((2, 3, 3), 0.1))
    assert torch.equal(network[0].weight[1], torch.full((2, 3, 3), 0.05))
    assert torch.equal(network[0].weight[2], torch.zeros(2, 3, 3))
    assert torch.equal(network[1].weight, torch.full((4, 4), 9.0))


def test_frozen_filters_stay() -> None:
    network = nn.Conv2d(2, 3, 3).requires_grad_(False)
    network.weight.fill_(0.5)
    limit_filters_(network, 0.1)
    assert torch.equal(network.weight, torch.full((3, 2, 3, 3), 0.5))


def test_the_optimizer_renews_the_limit_after_every_update() -> None:
    network = nn.Conv2d(1, 2, 3)
    optimizer = make_optimizer(network, OptimizerSettings(learning_rate=5.0, filter_rms=0.1), 256)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.ones(1, 1, 5, 5)).sum().backward()
        optimizer.step()
        assert (network.weight.square().mean(dim=(1, 2, 3)).sqrt() <= 0.1 + 1e-6).all()
