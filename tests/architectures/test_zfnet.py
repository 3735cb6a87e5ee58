"""ZFNet has the maps of the paper's Figure 3 and the counts of an independent build."""

import pytest
import torch
import torch.nn.functional as F
from gradients import assert_trainable
from ordered_copy import assert_smallest_input, count
from torch import nn

from lit_cnn.architectures.layers.local_response_norm import ResponseNorm
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.zfnet import zfnet


def test_counts() -> None:
    with on_meta():
        assert count(zfnet(), 224) == (62_357_608, 1_168_032_896)  # architectures.json: pytorchcv 0.0.74


def test_multiply_adds_per_convolution_by_hand() -> None:
    with on_meta():
        network = zfnet().eval()
        x = torch.empty(1, 3, 224, 224)
        counted = []
        for stage in network.features:
            for layer in stage:
                x = layer(x)
                if isinstance(layer, nn.Conv2d):
                    counted.append(x[0].numel() * layer.weight[0].numel())
    assert counted == [
        110**2 * 96 * 3 * 49,
        26**2 * 256 * 96 * 25,
        13**2 * 384 * 256 * 9,
        13**2 * 384 * 384 * 9,
        13**2 * 256 * 384 * 9,
    ]


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        maps = zfnet().eval().stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [(96, 55, 55), (256, 13, 13), (256, 6, 6)]


def test_contrast_norm_follows_the_pool() -> None:
    network = zfnet(hidden=8).double().eval()
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    conv = network.features.stage1.conv1
    y = F.max_pool2d(F.relu(F.conv2d(x, conv.weight, conv.bias, 2, 1)), 3, 2, ceil_mode=True)
    y = F.local_response_norm(y, 5, alpha=5e-4, beta=0.75, k=2.0)
    torch.testing.assert_close(network.features.stage1(x), y)
    assert torch.equal(network(x), network.head(network.features(x)))
    norms = [name for name, module in network.named_modules() if isinstance(module, ResponseNorm)]
    assert norms == ["features.stage1.norm", "features.stage2.norm"]
    assert not any(isinstance(module, ResponseNorm) for module in zfnet(response_norm="none", hidden=8).modules())


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 47), ("small", 8)])
def test_smallest_input(stem: str, side: int) -> None:
    with on_meta():
        assert zfnet(stem=stem).smallest_input == side
        assert_smallest_input(zfnet(stem=stem))


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 64), ("small", 16)])
def test_every_parameter_learns(stem: str, side: int) -> None:
    assert_trainable(zfnet(num_classes=7, in_channels=1, hidden=64, stem=stem), side, in_channels=1)


def test_papers_initialization() -> None:
    layers = [module for module in zfnet(hidden=128).modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 8
    for layer in layers:
        assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
        assert not layer.bias.any()
