"""Wide convolutions that train on a CPU of AVX2 have torch's gradients, calculated as a product of matrices."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers import matrix_gradient
from lit_cnn.architectures.layers.conv import Conv2d, same_size_conv
from lit_cnn.architectures.layers.matrix_gradient import CHANNELS, filter_gradient


@pytest.fixture(autouse=True)
def on_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_gradient, "has_avx2_only", lambda: True)


def wide_images(count: int = 2, side: int = 5) -> Tensor:
    return torch.randn(count, CHANNELS, side, side).to(memory_format=torch.channels_last)


def gradients(layer: nn.Module, x: Tensor, direction: Tensor) -> list[Tensor]:
    output = layer(x)
    return [output, *torch.autograd.grad(output, [x, *layer.parameters()], direction)]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), ((1, 3), 1, (0, 1)), (2, 2, 0), (5, 1, 0)],
)
def test_gradients_are_torchs(kernel, stride, padding, bias, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(matrix_gradient, "ROWS", 30)  # of five images one at a time, or a few and a rest
    layer, x = Conv2d(CHANNELS, CHANNELS + 1, kernel, stride, padding, bias=bias), wide_images(5).requires_grad_()
    assert "MatrixGradient" in str(layer(x).grad_fn)
    direction = torch.randn_like(layer(x))
    found = gradients(layer, x, direction)
    monkeypatch.setattr(matrix_gradient, "CHANNELS", 1000)
    expected = gradients(layer, x, direction)
    assert torch.equal(found[0], expected[0])
    for one, other in zip(found[1:], expected[1:], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


def test_an_input_of_one_position_and_a_gradient_of_another_layout() -> None:
    x, grad = torch.randn(3, CHANNELS, 1, 1), torch.randn(3, CHANNELS, 1, 1).expand(3, CHANNELS, 1, 1)
    found = filter_gradient(x, grad, (3, 3), (1, 1), (1, 1))
    centers = torch.einsum("no,nc->oc", grad.flatten(1), x.flatten(1))
    torch.testing.assert_close(found[..., 1, 1], centers, rtol=1e-4, atol=1e-4)
    assert found.sum() == pytest.approx(float(centers.sum()), rel=1e-3)


def test_frozen_filters_and_images_that_need_no_gradient() -> None:
    layer, x = same_size_conv(CHANNELS, CHANNELS, 3), wide_images()
    layer(x).sum().backward()
    assert x.grad is None
    assert layer.weight.grad is not None
    layer.requires_grad_(False).weight.grad = None
    layer(x.requires_grad_()).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None


def test_a_second_derivative_is_torchs() -> None:
    torch.manual_seed(0)
    layer, x = same_size_conv(CHANNELS, CHANNELS, 1).double(), wide_images(1, 2).double()

    def penalty(convolve) -> Tensor:
        (slope,) = torch.autograd.grad(convolve(layer.weight).pow(2).sum(), layer.weight, create_graph=True)
        return torch.autograd.grad(slope.pow(2).sum(), layer.weight)[0]

    ours = penalty(lambda weight: matrix_gradient.MatrixGradient.apply(x, weight, None, (1, 1), (0, 0)))
    torch.testing.assert_close(ours, penalty(lambda weight: F.conv2d(x, weight)))


def test_gradients_of_single_images_by_vmap() -> None:
    torch.manual_seed(0)
    layer, x = same_size_conv(CHANNELS, CHANNELS, 3), wide_images(3, 3)

    def loss(weight: Tensor, image: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, image[None]).pow(2).sum()

    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(layer.weight.detach(), x)
    for one, image in zip(found, x, strict=True):
        weight = layer.weight.detach().requires_grad_()
        torch.testing.assert_close(one, torch.autograd.grad(loss(weight, image), weight)[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "layer",
    [
        same_size_conv(CHANNELS // 2 - 1, CHANNELS, 3),
        same_size_conv(CHANNELS // 2, CHANNELS - 1, 3),
        same_size_conv(CHANNELS - 1, CHANNELS, 1),
        same_size_conv(2 * CHANNELS, 2 * CHANNELS, 3, groups=2),
        Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2),
        same_size_conv(CHANNELS, CHANNELS, 3).bfloat16(),
    ],
    ids=["few inputs", "few outputs", "few for 1 x 1", "groups", "dilation", "bfloat16"],
)
def test_others_stay_torchs(layer: Conv2d) -> None:
    x = torch.randn(2, layer.in_channels, 4, 4, dtype=layer.weight.dtype).to(memory_format=torch.channels_last)
    assert "Convolution" in str(layer(x).grad_fn)


def test_other_layouts_autocast_and_other_cpus_stay_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = same_size_conv(CHANNELS, CHANNELS, 3), wide_images()
    assert "Convolution" in str(layer(x.contiguous()).grad_fn)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    monkeypatch.setattr(matrix_gradient, "has_avx2_only", lambda: False)
    assert "Convolution" in str(layer(x).grad_fn)


@pytest.mark.slow
def test_compiles_as_one_graph() -> None:
    torch.manual_seed(0)
    layer, x = same_size_conv(CHANNELS, CHANNELS, 3), wide_images().requires_grad_()
    direction = torch.randn_like(layer(x))
    compiled = torch.compile(layer, fullgraph=True)
    for one, other in zip(gradients(compiled, x, direction), gradients(layer, x, direction), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)
