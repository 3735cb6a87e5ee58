"""Depthwise convolutions compute what torch's do, and train in float32 under a CPU's autocast."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_cnn.architectures.layers.conv import Conv2d, convolve, same_size_conv
from lit_cnn.architectures.layers.depthwise import filter_gradient
from lit_cnn.architectures.layers.padding import SameConv2d


def depthwise(kernel: int, stride: int = 1) -> Conv2d:
    return same_size_conv(4, 4, kernel, stride=stride, groups=4)


LAYERS = {"same size": lambda: depthwise(3, 2), "tensorflow": lambda: SameConv2d(4, 4, 3, groups=4)}


def test_equals_torch() -> None:
    x = torch.randn(2, 4, 7, 7)
    layer = depthwise(3, 2)
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


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("kernel", "height", "width", "padding"),
    [
        *((5, 9, 7, 2), (5, 3, 4, 2), (7, 8, 9, 3), (5, 8, 8, 0)),
        *((kernel, 2, width, kernel // 2) for kernel in (5, 7, 9, 11) for width in (1, 2, 3)),
        *((5, 1, 1, 6), (7, 3, 1, 5)),
    ],
)
def test_wide_filters_have_torchs_gradients(kernel, height, width, padding, memory_format) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(2, 16, height, width), torch.randn(16, 1, kernel, kernel)
    found, expected = ([tensor.clone(memory_format=memory_format) for tensor in (x, weight)] for _ in range(2))
    for tensor in (*found, *expected):
        tensor.requires_grad_()
    ours = convolve(*found, None, (1, 1), (padding, padding), (1, 1), 16)
    theirs = F.conv2d(*expected, None, 1, padding, 1, 16)
    assert torch.equal(ours, theirs)
    assert "WideDepthwise" in str(ours.grad_fn)
    direction = torch.randn_like(ours)
    ours.backward(direction)
    theirs.backward(direction)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)
    in_strips = filter_gradient(found[0], direction, found[1], (padding, padding))
    assert torch.equal(in_strips, found[1].grad)


def test_frozen_filters_get_no_gradient_and_narrow_strided_or_multiplied_ones_stay_torchs() -> None:
    layer, x = depthwise(5).requires_grad_(False), torch.randn(1, 4, 8, 8, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    two_per_channel = Conv2d(4, 8, 5, padding=2, groups=4, bias=False)
    for other in (depthwise(3), depthwise(5, 2), two_per_channel):
        assert "Convolution" in str(other(x).grad_fn)
    with torch.no_grad():
        assert torch.equal(layer(x), F.conv2d(x, layer.weight, None, 1, 2, 1, 4))
