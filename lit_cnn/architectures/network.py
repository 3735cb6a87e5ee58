"""What every network of the catalog is: features that end in a map, and a head that ends in logits."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from lit_cnn.architectures.meta import copy_on_meta, run_on_meta

Key = TypeVar("Key")
Row = TypeVar("Row")

Stem = Literal["imagenet", "small"]
"""How the first layers reduce the image: as on ImageNet, or hardly, for images of about 32 to 64 px."""


Head = Literal["fully_connected", "global_average"]
"""What ends a network whose paper's claim is about it: linear layers that read every position of the last map, or its
average over the positions and one linear layer."""


class StageInfo(NamedTuple):
    """One of the maps that ``Network.stages`` returns: its channels, and pixels of the image per pixel of the map."""

    channels: int
    stride: int


class Network(nn.Module):
    """A classifier ``head(features(x))``.

    ``features`` is a Sequential with one named child per stage, so that a detector can take the map after each.
    Input (N, in_channels, H, W); output (N, num_classes) logits.
    """

    smallest_input: int = 1
    """Smallest usable height and width in pixels."""

    auxiliary_heads: tuple[str, ...] = ()
    """Names of the modules, None where they are left out, that end in a ``classifier`` too, in training alone."""

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

    def keep_stages(self, number: int) -> None:
        """Drop what lies behind the first ``number`` maps of ``stages``, and every head: a detector's backbone.

        What is left keeps its names; the network no longer has logits.
        """
        for name, _ in list(self.named_children()):
            if name != "features":
                setattr(self, name, nn.Identity())
        names = [name for name, _ in self.features.named_children() if name != "stem"]
        for name in names[number:]:
            delattr(self.features, name)

    @property
    def feature_info(self) -> list[StageInfo]:
        """Channels and stride of each map of ``stages``, found on the meta device: no pixel is computed."""
        stem = self.features[0]
        in_channels = next(parameter.shape[1] for parameter in stem.parameters() if parameter.dim() == 4)
        side = 2**16  # so large that unpadded edges and a rest of the last stride change no stride by half a pixel
        network = copy_on_meta(self).eval()
        maps = run_on_meta(network.stages, torch.empty(1, in_channels, side, side, device="meta"))
        return [StageInfo(x.shape[1], round(side / x.shape[-1])) for x in maps]

    @property
    def classifier(self) -> nn.Module:
        """The last linear layer; an ``nn.Identity`` in a network without classes."""
        return self.head.get_submodule("classifier")

    @property
    def num_classes(self) -> int:
        """Outputs; 0 in a network that ends in features."""
        return getattr(self.classifier, "out_features", 0)

    @property
    def num_features(self) -> int:
        """Width of what the classifier reads.

        Raises:
            ValueError: In a network without classes, whose classifier does not say.
        """
        width = getattr(self.classifier, "in_features", None)
        if width is None:
            raise ValueError(f"this {type(self).__name__} has no classifier: its outputs are the features")
        return width

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh linear layer in the place of the classifier, with PyTorch's initial weights, and of those of
        auxiliary heads.

        Args:
            num_classes: Outputs; 0 leaves the features (N, num_features), without auxiliary heads.

        Raises:
            ValueError: If it is negative, or the classifier has been taken away before.
        """
        if num_classes < 0:
            raise ValueError(f"num_classes must be at least 0, got {num_classes}")
        _ = self.num_features  # says where there is no classifier
        if num_classes == 0:
            self.head.register_module("classifier", nn.Identity())
            for name in self.auxiliary_heads:
                setattr(self, name, None)
            return
        for head in (self.head, *(getattr(self, name) for name in self.auxiliary_heads)):
            if head is not None:
                head.register_module("classifier", _fresh_classifier(head.get_submodule("classifier"), num_classes))

    def check_input(self, x: Tensor) -> None:
        if min(x.shape[-2:]) < self.smallest_input:
            height, width = x.shape[-2:]
            raise ValueError(
                f"{type(self).__name__} needs images of at least {self.smallest_input}x{self.smallest_input} pixels, "
                f"got {height}x{width}"
            )


def _fresh_classifier(old: nn.Module, num_classes: int) -> nn.Linear:
    """One that reads what the old one does, on its device."""
    assert isinstance(old, nn.Linear)
    like = old.weight
    return nn.Linear(old.in_features, num_classes, bias=old.bias is not None, device=like.device, dtype=like.dtype)


class GlobalPoolHead(nn.Sequential):
    """Global average pooling, dropout, one linear layer: (N, C, H, W) -> (N, num_classes)."""

    def __init__(self, channels: int, num_classes: int, dropout: nn.Module) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = dropout
        self.classifier = nn.Linear(channels, num_classes)


def check_stages(depths: Sequence[int], widths: Sequence[int]) -> None:
    """Refuse a table of stages whose depths and widths do not belong together.

    Raises:
        ValueError: If their numbers differ or one is not positive.
    """
    if len(depths) != len(widths):
        raise ValueError(
            f"widths must have one number per stage, {len(depths)} here, got {len(widths)}: {tuple(widths)}"
        )
    for name, numbers in (("depths", depths), ("widths", widths)):
        if any(number < 1 for number in numbers):
            raise ValueError(f"{name} must be at least 1, got {tuple(numbers)}")


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
