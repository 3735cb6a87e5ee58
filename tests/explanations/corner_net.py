"""A network whose maps are known by hand: class 0 is red and class 1 blue, in cells of 4 x 4 pixels."""

import torch
from torch import nn

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.network import GlobalPoolHead, Network

NAMES = ["red", "blue"]
CELL = 4


class CornerNet(Network):
    """The mean of each color in a cell, of which a class takes its own less half of the green: (N, 3, H, W) -> (N, 2).

    Made for pixels in [0, 1].
    """

    def __init__(self, gain: float = 16.0) -> None:
        super().__init__()
        mean = nn.Conv2d(3, 3, CELL, CELL, bias=False)
        self.features = nn.Sequential()
        self.features.add_module("stem", mean)
        self.features.add_module("stage1", nn.ReLU(inplace=True))
        self.head = GlobalPoolHead(3, 2, Dropout(0.5))
        with torch.no_grad():
            mean.weight.copy_(torch.eye(3).view(3, 3, 1, 1).expand(3, 3, CELL, CELL) / CELL**2)
            self.head.classifier.weight.copy_(gain * torch.tensor([[1.0, -0.5, 0.0], [0.0, -0.5, 1.0]]))
            self.head.classifier.bias.copy_(torch.tensor([0.25, 0.5]))
