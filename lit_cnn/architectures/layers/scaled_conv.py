"""Convolution with scaled weight standardization (Brock, De, Smith, 2021, arXiv:2101.08692) and scaled GELU."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.padding import pad_same

GELU_GAIN = 1.7015043497085571
"""γ: the factor that gives gelu of a standard normal variable variance 1 (released code)."""

Epsilon = Literal["floor", "added"]
"""How a filter with hardly any variance stays finite: "floor" bounds fan-in · variance by 1e-4 from below (DeepMind's
code), "added" adds 1e-5 to the variance, which changes every filter a little (timm)."""


class ScaledGELU(nn.Module):
    """γ gelu(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x) * GELU_GAIN


class ScaledConv2d(nn.Conv2d):
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
        super().__init__(in_channels, out_channels, kernel, stride, 0 if stride > 1 else kernel // 2, groups=groups)
        self.gain = nn.Parameter(torch.ones(out_channels, 1, 1, 1))
        self.input_gain = input_gain
        self.epsilon = epsilon

    def standardized_weight(self) -> Tensor:
        """The filters that are applied, (C', C / groups, k, k)."""
        filters = self.weight.flatten(1)
        scale = self.gain.flatten(1) * self.input_gain
        if self.epsilon == "added":
            fan_in = filters.shape[1]
            scaled = F.layer_norm(filters, (fan_in,), eps=1e-5) * (scale * fan_in**-0.5)
        else:
            # The norm of a centred filter is sqrt(fan-in · variance).
            centred = filters - filters.mean(dim=1, keepdim=True)
            scaled = centred * (scale / torch.linalg.vector_norm(centred, dim=1, keepdim=True).clamp(min=1e-2))
        return scaled.view_as(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            x = pad_same(x, self.kernel_size[0], self.stride[0])
        return self._conv_forward(x, self.standardized_weight(), self.bias)
