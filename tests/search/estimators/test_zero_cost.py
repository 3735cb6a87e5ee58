"""Scores without training are what their papers define, and leave the network as it was."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.cells import Block, CellGenome, CellNetwork, plan_cells
from lit_cnn.profiling.counting import count_network
from lit_cnn.search.estimators.zero_cost import madds, naswot, params, synflow

GENOME = CellGenome((Block("separable_3x3", 0, "identity", 1), Block("avg_pool_3x3", 2, "conv_1x7_7x1", 0)), (3,))


def cells(drop_path: float = 0.0) -> CellNetwork:
    torch.manual_seed(0)
    rows = plan_cells(GENOME, GENOME, 1, 4, stem="small")
    return CellNetwork(rows, stem="small", stem_width=12, num_classes=10, dropout=drop_path, drop_path=drop_path)


def images() -> Tensor:
    return torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))


SCORES: dict[str, Callable[[nn.Module], float]] = {
    "params": params,
    "madds": lambda network: madds(network, 16),
    "synflow": lambda network: synflow(network, 16),
    "naswot": lambda network: naswot(network, images()),
}


@pytest.mark.parametrize("name", SCORES)
def test_a_score_leaves_weights_statistics_modes_and_gradients_as_they_were(name: str) -> None:
    network = cells(0.5).train()
    network.features.cell1.eval()
    before, modes = copy.deepcopy(network.state_dict()), [module.training for module in network.modules()]
    first = SCORES[name](network)
    assert SCORES[name](network) == first
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("name", SCORES)
def test_a_score_knows_neither_dropout_nor_drop_path(name: str) -> None:
    assert SCORES[name](cells(0.5).train()) == SCORES[name](cells(0.0))


def test_counts_are_those_of_the_profile() -> None:
    counted = count_network(cells(), 16)
    assert params(cells()) == counted.params
    assert madds(cells(), 16) == counted.madds


def test_synflow_of_two_layers_is_worked_out_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3, bias=False))
    network[0].weight.data, network[0].bias.data = torch.tensor([-2.0, 3.0]).view(2, 1, 1, 1), torch.tensor([1.0, -1])
    network[1].weight.data.fill_(7.0)  # without effect
    network[3].weight.data.fill_(-0.5)
    # outputs of the convolution: 2 + 1 and 3 + 1 at 4 pixels; R = 3 · 0.5 · 4 · (3 + 4) = 42 = what the linear layer
    # passes on; the convolution's share of it without the bias: 3 · 0.5 · 4 · (2 + 3) = 30
    assert synflow(network, 2, in_channels=1) == pytest.approx(42 + 30)


def test_synflow_is_the_same_for_other_signs_and_statistics() -> None:
    one, other = cells(), cells()
    with torch.no_grad():
        for layer in other.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight *= -1
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_var *= 5
    assert synflow(one, 16) == synflow(other, 16) > 0


def test_naswot_sees_the_maps_that_are_rectified_outside_modules() -> None:
    """Cells of pools have no ReLU module: the stem's output is rectified, and each cell's."""
    normal = CellGenome((Block("max_pool_3x3", 0, "identity", 1),), (2,))
    reduction = CellGenome((Block("max_pool_3x3", 0, "avg_pool_3x3", 1),), (2,))
    torch.manual_seed(0)
    network = CellNetwork(plan_cells(normal, reduction, 1, 4, stem="small"), stem="small", stem_width=4)
    seen: list[Tensor] = []
    for child in network.features.children():
        child.register_forward_hook(lambda _, __, output: seen.append((output > 0).flatten(1)))
    score = naswot(network, images())
    assert len(seen) == 6
    codes = torch.cat(seen, 1)
    agreement = (codes[:, None] == codes).double().sum(2)
    assert score == pytest.approx(float(torch.linalg.slogdet(agreement).logabsdet))


def test_naswot_of_equal_images_is_minus_infinity() -> None:
    assert naswot(cells(), images()[:1].repeat(2, 1, 1, 1)) == float("-inf")


def test_naswot_refuses_networks_without_cells() -> None:
    with pytest.raises(ValueError, match="naswot scores networks of cells only, got ResNet: use synflow"):
        naswot(create_model("cifar_resnet20"), images())
