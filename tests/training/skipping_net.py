"""A network without batch norm whose blocks write down what they skip, for runs in processes of their own."""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth, linear_rates


class Block(nn.Module):
    """x + residual(x); each pass in training adds "1" (skipped) or "0" to the file ``skipped-RANK``."""

    def __init__(self, width: int, drop_path: float) -> None:
        super().__init__()
        self.residual = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU())
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        dropped = self.drop_path.drops()
        if self.training:
            with Path(f"skipped-{os.environ.get('LOCAL_RANK', 0)}").open("a") as file:
                file.write(f"{dropped:d}")
        return self.drop_path.skip(x, self) if dropped else x + self.drop_path.keep(self.residual(x))


class SkippingNet(nn.Sequential):
    """Six blocks whose rates rise linearly to one half; every process builds the same."""

    def __init__(self, num_classes: int) -> None:
        torch.manual_seed(0)
        super().__init__(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            *(Block(8, rate) for rate in linear_rates(0.5, 6)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, num_classes),
        )
