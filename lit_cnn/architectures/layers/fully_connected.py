"""The three linear layers that end AlexNet, ZFNet and VGG, and hold most of their parameters."""

from torch import nn

from lit_cnn.architectures.layers.dropout import Dropout


class FullyConnectedHead(nn.Sequential):
    """Two hidden layers with ReLU and dropout, and the classifier: (N, channels, H, W) -> (N, num_classes).

    A map of another side than ``side`` is averaged (or repeated) to it first, so that any image size works; at the
    paper's image size this changes nothing.

    Args:
        channels: Channels of the map.
        side: Height and width of the map that the first linear layer reads.
        hidden: Width of the two hidden layers.
        num_classes: Outputs.
        dropout: Rate after each hidden layer.

    Raises:
        ValueError: If nothing of the map or of a hidden layer would be left, under the names of VGG's options.
    """

    def __init__(self, channels: int, side: int, hidden: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        for name, value in (("map_size", side), ("hidden", hidden)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}: the classes would not depend on the image")
        self.pool = nn.AdaptiveAvgPool2d(side)
        self.flatten = nn.Flatten()
        self.hidden1 = nn.Linear(channels * side**2, hidden)
        self.activation1 = nn.ReLU(inplace=True)
        self.dropout1 = Dropout(dropout)
        self.hidden2 = nn.Linear(hidden, hidden)
        self.activation2 = nn.ReLU(inplace=True)
        self.dropout2 = Dropout(dropout)
        self.classifier = nn.Linear(hidden, num_classes)
