"""Scaled weight standardization by hand."""

import pytest
import torch
import torch.nn.functional as F

from lit_cnn.architectures.layers.scaled_conv import GELU_GAIN, ScaledConv2d, ScaledGELU


def test_filters_have_mean_zero_and_the_gains_variance() -> None:
    conv = ScaledConv2d(8, 4, 3, groups=2, input_gain=2.0)
    with torch.no_grad():
        conv.gain.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]).view(4, 1, 1, 1))
        weight = conv.standardized_weight()
    fan_in = 4 * 9
    assert weight.mean(dim=(1, 2, 3)).abs().max() < 1e-6
    torch.testing.assert_close(fan_in * weight.var(dim=(1, 2, 3), correction=0), torch.tensor([4.0, 16.0, 36.0, 64.0]))


def test_epsilon_by_hand() -> None:
    conv = ScaledConv2d(1, 2, 3).double()
    with torch.no_grad():
        conv.weight[0] = torch.linspace(-1, 1, 9).view(1, 3, 3)
        conv.weight[1] = 1e-4 * torch.linspace(-1, 1, 9).view(1, 3, 3)
    variance = 5 / 12  # of nine evenly spaced numbers in [-1, 1]
    with torch.no_grad():
        floor = conv.standardized_weight()[:, 0, 2, 2]
        conv.epsilon = "added"
        added = conv.standardized_weight()[:, 0, 2, 2]
    assert floor.tolist() == pytest.approx([(9 * variance) ** -0.5, 1e-4 / 1e-4**0.5])
    assert added.tolist() == pytest.approx(
        [(9 * (variance + 1e-5)) ** -0.5, 1e-4 * (9 * (1e-8 * variance + 1e-5)) ** -0.5]
    )


@pytest.mark.parametrize("epsilon", ["floor", "added"])
def test_constant_filter_gives_zero_and_finite_gradients(epsilon: str) -> None:
    conv = ScaledConv2d(1, 1, 3, epsilon=epsilon)
    with torch.no_grad():
        conv.weight.fill_(0.5)
    conv(torch.randn(1, 1, 4, 4)).sum().backward()
    assert not conv.standardized_weight().any()
    assert conv.weight.grad is not None
    assert conv.weight.grad.isfinite().all()


def test_strided_convolution_is_padded_at_the_end() -> None:
    conv = ScaledConv2d(1, 1, 3, stride=2)
    x = torch.randn(1, 1, 4, 4)
    expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), conv.standardized_weight(), conv.bias, stride=2)
    assert torch.equal(conv(x), expected)


def test_gelu_keeps_the_variance_of_a_normal_variable() -> None:
    x = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    assert float(ScaledGELU()(x).var()) == pytest.approx(1.0, abs=0.01)
    assert float(ScaledGELU()(torch.tensor(1.0))) == pytest.approx(0.8413447 * GELU_GAIN, rel=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("epsilon", ["floor", "added"])
def test_gradient_by_finite_differences(epsilon: str, layout: torch.memory_format) -> None:
    """One filter of three is so small that the floor holds it."""
    torch.manual_seed(0)
    conv = ScaledConv2d(4, 3, 3, groups=1, input_gain=1.5, epsilon=epsilon).double().to(memory_format=layout)
    weight, gain = conv.weight.detach().clone(), torch.randn(3, 1, 1, 1, dtype=torch.float64)
    weight[1] *= 1e-4

    def applied(weight: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        held = {"weight": weight.contiguous(memory_format=layout), "gain": gain}
        return torch.func.functional_call(
            Standardized(conv), {f"conv.{name}": value for name, value in held.items()}, ()
        )

    assert torch.autograd.gradcheck(applied, (weight.requires_grad_(), gain.requires_grad_()), eps=1e-9, atol=1e-4)


class Standardized(torch.nn.Module):
    """The filters of a convolution as a module's output."""

    def __init__(self, conv: ScaledConv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self) -> torch.Tensor:
        return self.conv.standardized_weight()


@pytest.mark.parametrize("epsilon", ["floor", "added"])
def test_layouts_give_the_same_filters_in_their_own_order(epsilon: str) -> None:
    conv = ScaledConv2d(4, 8, 3, epsilon=epsilon)
    expected = conv.standardized_weight()
    conv = conv.to(memory_format=torch.channels_last)
    found = conv.standardized_weight()
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
