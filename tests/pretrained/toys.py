"""Small networks of one architecture, written differently."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Plain(nn.Module):
    """Stem, one residual block with a projection of the residual's shape, gate, gain, linear classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
        self.residual = nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.shortcut = nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.reduce, self.expand = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        self.gain = nn.Parameter(torch.zeros(()))
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        y = F.relu(self.residual(x))
        gate = self.expand(F.relu(self.reduce(y.mean((2, 3), keepdim=True)))).sigmoid()
        x = self.shortcut(x) + self.gain * gate * y
        return self.head(x.mean((2, 3)))


class FusedConvNorm(nn.Module):
    """Convolution and batch norm as one module with five tensors."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel) / kernel)
        self.gamma, self.beta = nn.Parameter(torch.ones(out_channels)), nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("moving_mean", torch.zeros(out_channels))
        self.register_buffer("moving_variance", torch.ones(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(x, self.kernel, padding=self.kernel.shape[-1] // 2)
        return F.batch_norm(y, self.moving_mean, self.moving_variance, self.gamma, self.beta, self.training)


class Fused(nn.Module):
    """``Plain`` with fused modules, a gate of linear layers and a gain of one entry."""

    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Parameter(torch.zeros(1))
        self.entry, self.body, self.around = FusedConvNorm(3, 8, 3), FusedConvNorm(8, 8, 1), FusedConvNorm(8, 8, 1)
        self.squeeze = nn.Sequential(OrderedDict(fc1=nn.Linear(8, 2), act=nn.ReLU(), fc2=nn.Linear(2, 8)))
        self.logits = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.entry(x))
        y = F.relu(self.body(x))
        gate = self.squeeze(y.mean((2, 3))).sigmoid()[:, :, None, None]
        x = self.around(x) + self.skip * gate * y
        return self.logits(x.mean((2, 3), keepdim=True)).flatten(1)


class ShortcutFirst(Plain):
    """``Plain`` with the other order of execution: nothing but the flow of data tells the two 1x1 apart."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        around = self.shortcut(x)
        y = F.relu(self.residual(x))
        gate = self.expand(F.relu(self.reduce(y.mean((2, 3), keepdim=True)))).sigmoid()
        return self.head((around + self.gain * gate * y).mean((2, 3)))


class WithHead(Plain):
    """``Plain`` with a second classifier in training and a layer that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.auxiliary = nn.Linear(8, 5)
        self.unused = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits = super().forward(x)
        return logits + self.auxiliary(self.stem(x).mean((2, 3))) if self.training else logits


def state_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
