"""Depthwise convolutions compute what torch's do, and train in float32 under a CPU's autocast."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.depthwise import DepthwiseConv2d, same_size_conv
from lit_cnn.architectures.layers.padding import SameConv2d

LAYERS = {"same size": lambda: DepthwiseConv2d(4, 3, stride=2), "tensorflow": lambda: SameConv2d(4, 4, 3, groups=4)}


def test_equals_torch() -> None:
    x = torch.randn(2, 4, 7, 7)
    layer = DepthwiseConv2d(4, 3, stride=2)
    assert torch.equal(layer(x), F.conv2d(x, layer.weight, None, 2, 1, 1, 4))
    assert layer(x).shape == (2, 4, 4, 4)


@pytest.mark.parametrize("name", LAYERS)
def test_training_under_autocast_rounds_once_and_inference_computes_in_bfloat16(name: str) -> None:
    torch.manual_seed(0)
    layer, x = LAYERS[name](), torch.randn(2, 4, 8, 8).bfloat16()
    seen: list[Tensor] = []
    single = layer(x.float()).detach()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x.requires_grad_())
        with torch.no_grad():
            seen.append(layer(x))
    assert found.dtype == seen[0].dtype == torch.bfloat16
    assert torch.equal(found, single.bfloat16())
    assert not torch.equal(seen[0], found)  # filters rounded to bfloat16 give other sums
    found.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16


def test_grouped_and_full_convolutions_stay_torchs() -> None:
    assert type(same_size_conv(8, 8, 3, groups=4)) is nn.Conv2d
    assert type(same_size_conv(1, 1, 3, groups=1)) is nn.Conv2d
    assert type(same_size_conv(8, 8, 3, groups=8)) is DepthwiseConv2d
