"""AlexNet has the counts of the original with two groups; its one-tower twin computes what torchvision's does."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from gradients import assert_trainable
from ordered_copy import assert_smallest_input, count, largest_difference
from torch import nn

from lit_cnn.architectures.alexnet import AlexNet, alexnet, alexnet_one_tower
from lit_cnn.architectures.meta import on_meta


def test_counts() -> None:
    with on_meta():
        assert count(alexnet(), 227) == (60_965_224, 724_406_816)  # architectures.json: BVLC Caffe's prototxt
        assert count(alexnet_one_tower(), 224) == (61_100_840, 714_188_480)  # architectures.json: torchvision 0.29.1


def test_parameters_per_layer_by_hand() -> None:
    with on_meta():
        layers = [module for module in alexnet().modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert [sum(parameter.numel() for parameter in layer.parameters()) for layer in layers] == [
        96 * 3 * 121 + 96,
        256 * 48 * 25 + 256,
        384 * 256 * 9 + 384,
        384 * 192 * 9 + 384,
        256 * 192 * 9 + 256,
        4096 * 256 * 36 + 4096,
        4096 * 4096 + 4096,
        1000 * 4096 + 1000,
    ]


@pytest.mark.parametrize("hidden", [64, pytest.param(4096, marks=pytest.mark.slow)])
def test_equals_torchvision(hidden: int) -> None:
    theirs = torchvision.models.alexnet(dropout=0.0)
    if hidden < 4096:
        for position, (inputs, outputs) in {1: (9216, hidden), 4: (hidden, hidden), 6: (hidden, 1000)}.items():
            theirs.classifier[position] = nn.Linear(inputs, outputs)
    assert largest_difference(alexnet_one_tower(dropout=0.0, hidden=hidden), theirs, 96) <= 1e-9


def test_first_stages_by_hand() -> None:
    network = alexnet(hidden=8).double().eval()
    x = torch.randn(1, 3, 99, 99, dtype=torch.float64)
    for stage, convolve in ((network.features.stage1, {"stride": 4}), (network.features.stage2, {"padding": 2})):
        conv = next(module for module in stage if isinstance(module, nn.Conv2d))
        groups = 2 if "padding" in convolve else 1
        y = F.relu(F.conv2d(x, conv.weight, conv.bias, groups=groups, **convolve))
        y = F.max_pool2d(F.local_response_norm(y, 5, alpha=5e-4, beta=0.75, k=2.0), 3, 2)
        torch.testing.assert_close(stage(x), y)
        x = y


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = alexnet().eval()
        maps = network.stages(torch.empty(1, 3, 227, 227))
        assert network.features.stage1.conv1(torch.empty(1, 3, 227, 227)).shape[1:] == (96, 55, 55)
        tower = alexnet_one_tower().eval().stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [(96, 27, 27), (256, 13, 13), (256, 6, 6)]
    assert [tuple(x.shape[1:]) for x in tower] == [(64, 27, 27), (192, 13, 13), (256, 6, 6)]


def test_224_px_works_too() -> None:
    network = alexnet(num_classes=5, hidden=8).eval()
    x = torch.randn(1, 3, 224, 224)
    assert network.features(x).shape[1:] == (256, 5, 5)
    assert torch.equal(network(x), network.head(network.features(x)))


@pytest.mark.parametrize(
    ("network", "side"), [(alexnet, 67), (alexnet_one_tower, 63)]
)  # torchvision's metadata says 63 for the latter
def test_smallest_input(network: type[AlexNet], side: int) -> None:
    with on_meta():
        assert network().smallest_input == side
        assert_smallest_input(network())
        assert network(stem="small").smallest_input == 15
        assert_smallest_input(network(stem="small"))


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    side = 67 if stem == "imagenet" else 16
    assert_trainable(alexnet(num_classes=7, in_channels=1, hidden=64, stem=stem), side, in_channels=1)
    assert_trainable(alexnet_one_tower(num_classes=7, in_channels=1, hidden=64, stem=stem), side, in_channels=1)


def test_papers_initialization() -> None:
    network = alexnet(hidden=128)
    layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert [layer.bias[0].item() for layer in layers] == [0, 1, 0, 1, 1, 1, 1, 0]
    for layer in layers:
        assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
        assert layer.bias.unique().numel() == 1


def test_response_norm_can_be_chosen() -> None:
    caffe = alexnet(response_norm="caffe", hidden=8).features.stage1.norm
    assert caffe.average
    assert caffe.k == 1.0
    assert not hasattr(alexnet(response_norm="none", hidden=8).features.stage1, "norm")
