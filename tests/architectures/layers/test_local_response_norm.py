"""Response normalization follows AlexNet's formula, and torch's layer where the two mean the same."""

import pytest
import torch
from torch import nn

from lit_cnn.architectures.layers.local_response_norm import ResponseNorm, make_response_norm


def test_papers_formula_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    y = ResponseNorm(size=5, alpha=0.1, beta=0.75, k=2.0)(torch.tensor(values, dtype=torch.float64).view(1, 6, 1, 1))
    for channel, value in enumerate(values):
        window = values[max(0, channel - 2) : channel + 3]
        expected = value / (2.0 + 0.1 * sum(other**2 for other in window)) ** 0.75
        assert float(y[0, channel]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("channels", [1, 3, 96])
def test_equals_torch(channels: int) -> None:
    x = torch.randn(2, channels, 5, 4, dtype=torch.float64)
    averaged = ResponseNorm(5, alpha=0.3, beta=0.75, k=1.0, average=True)(x)
    torch.testing.assert_close(averaged, nn.LocalResponseNorm(5, 0.3, 0.75, 1.0)(x))
    summed = ResponseNorm(5, alpha=0.3, beta=0.75, k=2.0)(x)
    torch.testing.assert_close(summed, nn.LocalResponseNorm(5, 5 * 0.3, 0.75, 2.0)(x))


def test_kinds() -> None:
    paper, caffe = make_response_norm("paper"), make_response_norm("caffe")
    assert (paper.size, paper.alpha, paper.beta, paper.k, paper.average) == (5, 1e-4, 0.75, 2.0, False)
    assert (caffe.size, caffe.alpha, caffe.beta, caffe.k, caffe.average) == (5, 1e-4, 0.75, 1.0, True)
    assert isinstance(make_response_norm("none"), nn.Identity)


def test_gradient() -> None:
    x = torch.randn(1, 7, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ResponseNorm(alpha=0.5), x)
