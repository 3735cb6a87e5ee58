"""Squeeze-and-excitation (Hu et al., 2017, arXiv:1709.01507)."""

from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from the global average of all: (N, C, H, W) -> (N, C, H, W).

    Args:
        channels: Channels of the map.
        hidden: Channels between the two 1x1 convolutions (with bias).
        activation: Activation after the first; ReLU in the paper.
    """

    def __init__(self, channels: int, hidden: int, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.activation = nn.ReLU(inplace=True) if activation is None else activation
        self.expand = nn.Conv2d(hidden, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(self.expand(self.activation(self.reduce(self.squeeze(x)))))
