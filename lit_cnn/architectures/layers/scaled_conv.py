"""Convolution with scaled weight standardization (Brock, De, Smith, 2021, arXiv:2101.08692) and scaled GELU."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.padding import SameConv2d
from lit_cnn.torch_internals import is_channels_last, needs_plain_formula, takes_own_gradients

GELU_GAIN = 1.7015043497085571
"""γ: the factor that gives gelu of a standard normal variable variance 1 (released code)."""

Epsilon = Literal["floor", "added"]
"""How a filter with hardly any variance stays finite: "floor" bounds fan-in · variance by 1e-4 from below (DeepMind's
code), "added" adds 1e-5 to the variance, which changes every filter a little (timm)."""

SMALLEST_NORM = 1e-2
"""Of a centerd filter, which is sqrt(fan-in · variance), under "floor"."""


class ScaledGELU(nn.Module):
    """γ gelu(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x) * GELU_GAIN


class _FlooredStandardization(torch.autograd.Function):
    """scale · (W - mean) / max(norm, SMALLEST_NORM) with the norm of W - mean, of each row of W (C', fan-in).

    The gradient is written by hand, because autograd would keep two copies of all weights for it and read them twice as
    often. With the unit vector u = (W - mean) / norm it is scale / norm · (g - mean(g) - u (u · g)); the last term is
    absent at the floor. A backward pass that is differentiated itself (``create_graph``, ``torch.func``) takes the
    plain formula. Also returns mean, 1 / max(norm, SMALLEST_NORM) and whether the norm is above the floor, each of
    shape (C', 1).
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(filters: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, centerd, norm = _centerd(filters)
        inverse = norm.clamp(min=SMALLEST_NORM).reciprocal()
        return centerd.mul_(scale * inverse), mean, inverse, norm > SMALLEST_NORM

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs, *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        filters, scale, mean, inverse, above = ctx.saved_tensors
        if needs_plain_formula(grad):
            centerd, norm = _centerd(filters)[1:]
            inverse = norm.clamp(min=SMALLEST_NORM).reciprocal()
            along = (grad * centerd).sum(dim=1, keepdim=True)
            straight = grad - grad.mean(dim=1, keepdim=True)
            return scale * inverse * straight - scale * inverse**3 * along * above * centerd, along * inverse
        total = grad.sum(dim=1, keepdim=True)
        along = torch.bmm(grad[:, None], filters[:, :, None])[:, 0] - total * mean  # (W - mean) · g
        of_grad, of_filter = scale * inverse, -scale * inverse**3 * along * above
        offset = of_grad * total / filters.shape[1] + of_filter * mean
        return torch.addcmul(-offset, grad, of_grad).addcmul_(filters, of_filter), along * inverse


class ScaledConv2d(SameConv2d):
    """Convolution, with bias, by ``gain`` · (W - mean) / sqrt(fan-in · variance), each filter on its own.

    Padding is TensorFlow's: (N, C, H, W) -> (N, C', ceil(H / stride), ceil(W / stride)).

    Args:
        input_gain: A constant factor of the input, folded into the weights, where it is cheaper than on the map.
        epsilon: "floor" or "added".
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        input_gain: float = 1.0,
        epsilon: Epsilon = "floor",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel, stride=stride, groups=groups, bias=True)
        self.gain = nn.Parameter(torch.ones(out_channels, 1, 1, 1))
        self.input_gain = input_gain
        self.epsilon = epsilon

    def standardized_weight(self) -> Tensor:
        """The filters that are applied, (C', C / groups, k, k)."""
        # Statistics of a filter ask for no order of its entries: take that of the memory, which needs no copy.
        channels_last = is_channels_last(self.weight)
        stored = self.weight.permute(0, 2, 3, 1) if channels_last else self.weight
        filters, scale = stored.flatten(1), self.gain.flatten(1) * self.input_gain
        if self.epsilon == "added":
            scaled = _standardize(filters, scale)
        elif takes_own_gradients():
            scaled, *_ = _FlooredStandardization.apply(filters, scale)
        else:
            scaled = _floored(filters, scale)
        scaled = scaled.view(stored.shape)
        return scaled.permute(0, 3, 1, 2) if channels_last else scaled

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.standardized_weight())


def _centerd(filters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, difference from it and its norm of each row of (C', fan-in)."""
    mean = filters.mean(dim=1, keepdim=True)
    centerd = filters - mean
    return mean, centerd, torch.linalg.vector_norm(centerd, dim=1, keepdim=True)


def _floored(filters: Tensor, scale: Tensor) -> Tensor:
    """scale · (W - mean) / max(norm, SMALLEST_NORM) in plain operations."""
    _, centerd, norm = _centerd(filters)
    return centerd * (scale * norm.clamp(min=SMALLEST_NORM).reciprocal())


def _standardize(filters: Tensor, scale: Tensor) -> Tensor:
    """scale · (W - mean) / sqrt(fan-in · (variance + 1e-5)) of each row: group norm with one group per filter, torch's
    fastest kernel for it."""
    rows, fan_in = filters.shape
    return F.group_norm(filters[None], rows, weight=scale.flatten() * fan_in**-0.5, eps=1e-5)[0]
