"""Differences are relative to the reference, and constant tensors are made to tell."""

import torch
from torch import nn

from lit_cnn.pretrained.equality import (
    difference,
    evaluate,
    make_telling,
    needs_rehearsal,
    settle_statistics,
    tensors_of,
    tolerance,
)


def test_difference() -> None:
    assert difference(torch.tensor([2.0, -4.0]), torch.tensor([2.0, -3.0])) == (1.0, 0.25)
    assert difference(torch.zeros(2), torch.zeros(2)) == (0.0, 0.0)
    assert difference(torch.zeros(2), torch.zeros(3))[1] == float("inf")


def test_not_a_number_is_no_equality() -> None:
    broken = torch.tensor([1.0, float("nan")])
    for pair in ((broken, broken), (broken, torch.ones(2)), (torch.ones(2), broken)):
        assert difference(*pair) == (float("inf"), float("inf"))


def test_tolerances() -> None:
    assert (tolerance(torch.float64), tolerance(torch.float32), tolerance(torch.bfloat16)) == (1e-9, 1e-4, 1e-4)


def test_fresh_networks_need_a_rehearsal_until_every_tensor_tells() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    kernel = network[0].weight.clone()
    assert needs_rehearsal(network)
    make_telling(network, torch.Generator().manual_seed(0))
    assert not needs_rehearsal(network)
    assert torch.equal(network[0].weight, kernel)
    assert bool((network[1].running_var > 0).all())
    assert int(network[1].num_batches_tracked) == 0


def test_settled_statistics_keep_the_signal_of_a_deep_network_at_its_size() -> None:
    """Without them the signal of these fifty layers grows by more than 2^50, with rounding in its wake."""
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()) for _ in range(50)]
    network = nn.Sequential(*layers).double()
    for layer in layers:
        nn.init.normal_(layer[0].weight)
    images = torch.randn(2, 8, 6, 6, dtype=torch.float64)
    before = evaluate(network, images).abs().max()
    settle_statistics(network, images, torch.Generator().manual_seed(0))
    assert before > 2.0**50
    assert 0.1 < evaluate(network, images).abs().max() < 100.0


def test_settled_statistics_tell_the_channels_of_one_pixel_apart() -> None:
    network = nn.BatchNorm2d(5).double()
    pixel = torch.tensor([1.0, 2.0, -3.0, 0.5, 4.0], dtype=torch.float64).view(1, 5, 1, 1)
    settle_statistics(network, pixel, torch.Generator().manual_seed(0))
    outputs = evaluate(network, pixel).flatten()
    assert len({round(float(value), 6) for value in outputs}) == 5
    assert bool((network.running_var > 0).all())
    assert not torch.equal(evaluate(network, 1.1 * pixel).flatten(), outputs)


def test_a_scalar_tells_unless_it_is_fresh() -> None:
    for value, fresh in ((0.0, True), (1.0, True), (0.3, False)):
        network = nn.ParameterList([nn.Parameter(torch.tensor(value))])
        assert needs_rehearsal(network) is fresh


def test_shared_tensors_have_all_their_names() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    assert set(tensors_of(nn.Sequential(first, second))) == {"0.weight", "0.bias", "1.weight", "1.bias"}


def test_evaluation_keeps_the_mode() -> None:
    network = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5)).train()
    network[1].eval()
    assert torch.allclose(evaluate(network, torch.ones(2, 3)), torch.full((2, 3), 1 / (1 + 1e-5) ** 0.5))
    assert [module.training for module in network.modules()] == [True, True, False]
