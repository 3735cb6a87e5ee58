"""What a dense head is: raw outputs at every anchor, how they are matched with boxes, their losses, their boxes."""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from lit_cnn.detection.anchors import StartingBoxes
from lit_cnn.detection.decoding import LevelBoxes
from lit_cnn.detection.targets import BACKGROUND, Assignment, Normalizer


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


class OverlapHead(DenseHead):
    """A head whose anchors are matched with boxes by their IoU."""

    matcher: Callable[[Tensor], Tensor]
    """(M, A) IoU of boxes and anchors -> (A,) the box of each anchor, ``BACKGROUND`` or ``IGNORED``."""
    positive_iou: float
    """From which IoU on an anchor answers for a box."""

    def match(self, anchors: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """The matcher's box; a box that no anchor overlaps has none."""
        flat = torch.cat(list(anchors))
        if len(boxes) == 0:
            return torch.full((len(flat),), BACKGROUND, device=flat.device)
        overlaps = box_iou(boxes, flat)
        return torch.where(overlaps.amax(0) > 0, self.matcher(overlaps), BACKGROUND)

    def reached(self, anchors: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """Those with an anchor of an IoU of ``positive_iou``."""
        return box_iou(boxes, torch.cat(list(anchors))).amax(1) >= self.positive_iou
