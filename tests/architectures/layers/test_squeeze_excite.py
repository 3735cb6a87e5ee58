"""Squeeze-and-excitation, and the hand-written gradient of its product, against plain formulas."""

import pytest
import torch
import torch.nn.functional as F

from lit_cnn.architectures.layers.squeeze_excite import PixelConv2d, SqueezeExcite, scale_channels


def test_formula_by_hand() -> None:
    layer = SqueezeExcite(6, 2).double()
    x = torch.randn(3, 6, 4, 5, dtype=torch.float64)
    hidden = F.relu(F.conv2d(F.adaptive_avg_pool2d(x, 1), layer.reduce.weight, layer.reduce.bias))
    expected = x * torch.sigmoid(F.conv2d(hidden, layer.expand.weight, layer.expand.bias))
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)


def test_pixel_convolution_is_a_1x1_convolution() -> None:
    layer = PixelConv2d(5, 3).double()
    x = torch.randn(2, 5, 1, 1, dtype=torch.float64)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight, layer.bias), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradient_is_the_products(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, generator=generator).contiguous(memory_format=layout)
    gates = torch.rand(2, 3, 1, 1, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(scale_channels, (x.requires_grad_(), gates.requires_grad_()))
    assert scale_channels(x, gates).is_contiguous(memory_format=layout)


def test_gates_take_the_maps_precision() -> None:
    x, gates = torch.randn(2, 3, 4, 4, dtype=torch.bfloat16, requires_grad=True), torch.rand(2, 3, 1, 1)
    gates.requires_grad_()
    y = scale_channels(x, gates)
    assert y.dtype == torch.bfloat16
    y.sum().backward()
    assert x.grad is not None
    assert gates.grad is not None
    assert (x.grad.dtype, gates.grad.dtype) == (torch.bfloat16, torch.float32)


def test_half_precision_does_not_overflow() -> None:
    layer = SqueezeExcite(8, 4).half()
    assert torch.isfinite(layer(torch.ones(1, 8, 300, 300, dtype=torch.float16))).all()
