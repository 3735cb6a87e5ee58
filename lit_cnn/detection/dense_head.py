"""What a dense head is: raw outputs at every anchor, how they are matched with boxes, their losses, their boxes."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from lit_cnn.detection.anchors import StartingBoxes
from lit_cnn.detection.decoding import LevelBoxes
from lit_cnn.detection.targets import Assignment, Normalizer


class HeadOutputs(NamedTuple):
    """Raw outputs for N images at the A anchors of all levels, from the finest level on.

    Attributes:
        logits: (N, A, K) of the classes.
        regression: (N, A, 4), coded boxes.
        centerness: (N, A, 1) logits of FCOS; None of others.
    """

    logits: Tensor
    regression: Tensor
    centerness: Tensor | None = None


class DenseHead(nn.Module):
    """A head with ``HeadOutputs`` for maps (N, width, h, w) of each level."""

    first_label: ClassVar[int] = 0
    """Column of class 0: where a head keeps a column for the background, 1."""

    anchors: StartingBoxes
    normalizer: Normalizer

    def forward(self, maps: list[Tensor]) -> HeadOutputs:
        raise NotImplementedError

    def match(self, anchors: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """(A,) int64: for each anchor its row in ``boxes`` (M, 4), ``BACKGROUND`` or ``IGNORED``."""
        raise NotImplementedError

    def reached(self, anchors: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """(M,) bool: which ``boxes`` (M, 4) of one image an anchor answers for well enough to learn them."""
        raise NotImplementedError

    def losses(
        self, outputs: HeadOutputs, anchors: Sequence[Tensor], assignment: Assignment, factors: Tensor
    ) -> dict[str, Tensor]:
        """0-dim losses by name, from float32 outputs.

        Args:
            outputs: Of N images.
            anchors: (A_level, 4) of each level.
            assignment: What each anchor is to say.
            factors: (N,) on the sum of each image.
        """
        raise NotImplementedError

    def boxes(self, outputs: HeadOutputs, anchors: Sequence[Tensor]) -> list[list[LevelBoxes]]:
        """Scores and boxes of each level for each of the N images, from float32 outputs."""
        raise NotImplementedError
