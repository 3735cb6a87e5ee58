"""MobileNetV2 has the counts of, and computes what, torchvision's does."""

import pytest
import torch
import torchvision
from gradients import assert_trainable
from one_in import one_in
from ordered_copy import count, largest_difference
from torch import nn

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.mbconv import MBConv
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.mobilenet_v2 import mobilenet_v2


@pytest.mark.parametrize(
    ("width", "params", "madds"), [(1.0, 3_504_872, 300_774_272), (1.4, 6_108_776, 582_195_824)]
)  # architectures.json: torchvision 0.29.1 and timm 1.0.31
def test_counts(width: float, params: int, madds: int) -> None:
    with on_meta():
        assert count(mobilenet_v2(width), 224) == (params, madds)


@pytest.mark.parametrize("width", one_in(3, [0.35, 1.0, 1.4]))
def test_equals_torchvision(width: float) -> None:
    theirs = torchvision.models.mobilenet_v2(width_mult=width, dropout=0.0)
    assert largest_difference(mobilenet_v2(width, dropout=0.0), theirs, 64) <= 1e-9


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        maps = mobilenet_v2().eval().stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (16, 112, 112),
        (24, 56, 56),
        (32, 28, 28),
        (64, 14, 14),
        (96, 14, 14),
        (160, 7, 7),
        (320, 7, 7),
        (1280, 7, 7),
    ]


def test_bottleneck_ends_linear() -> None:
    block = mobilenet_v2(0.5).features.stage4[1]
    assert not any(isinstance(layer, nn.ReLU6) for layer in block.project)
    assert sum(isinstance(layer, nn.ReLU6) for layer in block.modules()) == 2
    x = torch.randn(1, 16, 4, 4)
    assert torch.equal(block.eval()(x), x + block.project(block.filter(block.expand(x))))


def test_drop_path_is_linear_over_depth() -> None:
    blocks = [module for module in mobilenet_v2(drop_path=0.17).modules() if isinstance(module, MBConv)]
    assert [block.drop_path.rate for block in blocks] == pytest.approx([0.01 * number for number in range(1, 18)])
    assert sum(block.skip for block in blocks) == 10
    assert [m.rate for m in mobilenet_v2().modules() if isinstance(m, Dropout)] == [0.2]


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    network = mobilenet_v2(num_classes=7, in_channels=1, dropout=0.0, stem=stem)
    assert_trainable(network, 33, in_channels=1)


def test_one_pixel_is_enough() -> None:
    network = mobilenet_v2(0.35)
    assert network.smallest_input == 1
    x = torch.randn(2, 3, 1, 1)
    assert network.train()(x).isfinite().all()
    assert torch.equal(network.eval()(x), network.head(network.features(x)))
