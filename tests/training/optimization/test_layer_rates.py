import pytest
import torch
from torch import nn

import lit_cnn
from lit_cnn.architectures.meta import on_meta
from lit_cnn.training.optimization.layer_rates import layers, learning_rate, rate_factors
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.optimizers import make_optimizer
from lit_cnn.training.optimization.parameter_groups import parameter_groups


@pytest.mark.parametrize(
    ("name", "count"),
    [("cifar_resnet8", 4), ("resnet50", 17), ("efficientnet_lite0", 18), ("mobilenet_v2", 19), ("vgg16", 5)],
)
def test_a_layer_is_the_stem_or_a_block(name: str, count: int) -> None:
    with on_meta():
        found = layers(lit_cnn.create_model(name))
    assert len(found) == count


@pytest.mark.parametrize(
    "name", ["resnet18", "vgg11_bn", "googlenet", "nasnet_a_mobile", "nfnet_f0", "shufflenet_v1_g3_2.0x"]
)
def test_rates_fall_from_the_head_to_the_image_and_no_parameter_is_left_out(name: str) -> None:
    with on_meta():
        network = lit_cnn.create_model(name)
    factors = rate_factors(network, 0.8, 5.0)
    assert set(factors) == {id(parameter) for parameter in network.parameters()}
    assert factors[id(network.classifier.weight)] == 5.0
    first = next(network.features.parameters())
    count = len(layers(network))
    assert factors[id(first)] == pytest.approx(0.8**count)
    for number, layer in enumerate(layers(network)):
        expected = 0.8 ** (count - number)
        assert all(factors[id(parameter)] == pytest.approx(expected) for parameter in layer.parameters())


def test_a_foreign_network_is_cut_at_its_children() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    factors = rate_factors(network, 0.5, 1.0)
    assert [factors[id(each.weight)] for each in (network[0], network[2], network[4])] == [0.25, 0.5, 1.0]


def test_one_step_moves_each_layer_by_its_own_rate() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    settings = OptimizerSettings(learning_rate=0.1, base_batch_size=None, momentum=0.0, layer_decay=0.5, head_factor=3)
    optimizer = make_optimizer(network, settings, 8)
    assert learning_rate(optimizer) == 0.1
    before = [parameter.detach().clone() for parameter in network.parameters()]
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    moved = [float((old - new.detach()).mean()) for old, new in zip(before, network.parameters(), strict=True)]
    assert moved == pytest.approx([0.025, 0.025, 0.05, 0.05, 0.3, 0.3])


def test_with_one_rate_for_all_the_groups_are_those_of_before() -> None:
    groups = parameter_groups(lit_cnn.create_model("cifar_resnet8"), OptimizerSettings(weight_decay=0.1))
    assert [group["name"] for group in groups] == ["decayed", "not_decayed"]
    assert not any("rate_factor" in group for group in groups)


@pytest.mark.parametrize("settings", [{"layer_decay": 0.0}, {"layer_decay": 1.1}, {"head_factor": 0.0}])
def test_impossible_factors_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match=f"optimizer.{next(iter(settings))} must be above 0"):
        OptimizerSettings(**settings)
