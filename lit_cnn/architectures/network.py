"""What every network of the catalog is: features that end in a map, and a head that ends in logits."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from torch import Tensor, nn

Key = TypeVar("Key")
Row = TypeVar("Row")

Stem = Literal["imagenet", "small"]
"""How the first layers reduce the image: as on ImageNet, or hardly, for images of about 32 to 64 px."""


class Network(nn.Module):
    """A classifier ``head(features(x))``.

    ``features`` is a Sequential with one named child per stage, so that a detector can take the map after each.
    Input (N, in_channels, H, W); output (N, num_classes) logits.
    """

    smallest_input: int = 1
    """Smallest usable height and width in pixels."""

    features: nn.Sequential
    head: nn.Module

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map (N, C, H', W').

        Raises:
            ValueError: If the height or the width of ``x`` is below ``smallest_input``.
        """
        self.check_input(x)
        return self.features(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.forward_features(x))

    def stages(self, x: Tensor) -> list[Tensor]:
        """The maps after each stage (children of ``features`` other than its stem), from fine to coarse."""
        self.check_input(x)
        outputs = []
        for name, stage in self.features.named_children():
            x = stage(x)
            if name != "stem":
                outputs.append(x)
        return outputs

    def check_input(self, x: Tensor) -> None:
        if min(x.shape[-2:]) < self.smallest_input:
            height, width = x.shape[-2:]
            raise ValueError(
                f"{type(self).__name__} needs images of at least {self.smallest_input}x{self.smallest_input} pixels, "
                f"got {height}x{width}"
            )


class GlobalPoolHead(nn.Sequential):
    """Global average pooling, dropout, one linear layer: (N, C, H, W) -> (N, num_classes)."""

    def __init__(self, channels: int, num_classes: int, dropout: nn.Module) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = dropout
        self.classifier = nn.Linear(channels, num_classes)


def find_row(table: Mapping[Key, Row], key: Key, what: str) -> Row:
    """The row of ``key``.

    Args:
        table: Rows of the paper, by depth or by name of the variant.
        key: The one wanted.
        what: What ``key`` is, for the message, such as "a ResNet's depth".

    Raises:
        ValueError: If the paper has no such row.
    """
    if key not in table:
        raise ValueError(f"{what} must be one of {', '.join(str(known) for known in table)}, got {key}")
    return table[key]
