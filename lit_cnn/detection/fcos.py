"""FCOS (Tian et al. 2019, arXiv:1904.01355; the improved version, arXiv:2006.09214): each position inside a box, near
its center, says the class, the distances to the box's four sides and how central it is. Layers are torchvision's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOSClassificationHead, FCOSRegressionHead
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from lit_cnn.detection.anchors import Anchors
from lit_cnn.detection.decoding import LevelBoxes, by_level
from lit_cnn.detection.dense_head import DenseHead, HeadOutputs
from lit_cnn.detection.norms import make_norm
from lit_cnn.detection.targets import BACKGROUND, Assignment, Normalizer
from lit_cnn.detection.torchvision_internals import BoxLinearCoder


@dataclass(frozen=True)
class FCOSSettings:
    """FCOS's head and losses.

    Args:
        depth: Convolutions of each of the two branches, each with a group norm of 32 groups.
        prior_probability: Of an object at a position, with which the class branch starts.
        focal_alpha: Weight of the objects in the focal loss; the background's is 1 - alpha.
        focal_gamma: Exponent by which it neglects what is right already.
        center_radius: A position belongs to a box if it is within so many strides of its center.
        normalizer: By which number of matched positions the losses are divided: that of the image, batch (this
            process's) or global (all processes').
    """

    depth: int = 4
    prior_probability: float = 0.01
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    center_radius: float = 1.5
    normalizer: Normalizer = "batch"

    def __post_init__(self) -> None:
        for name in ("depth", "focal_gamma"):
            if getattr(self, name) < 0:
                raise ValueError(f"fcos.{name} must be at least 0, got {getattr(self, name)}")
        for name in ("prior_probability", "focal_alpha"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"fcos.{name} must be between 0 and 1, got {getattr(self, name)}")
        if self.center_radius <= 0:
            raise ValueError(f"fcos.center_radius must be positive, got {self.center_radius}")
        if self.normalizer not in get_args(Normalizer):
            raise ValueError(f"fcos.normalizer must be {' or '.join(get_args(Normalizer))}, got {self.normalizer!r}")


def _group_norm(channels: int) -> nn.Module:
    return make_norm("group", channels, "fcos")


class FCOSHead(DenseHead):
    """FCOS's branches, shared by the levels.

    Args:
        width: Channels of the maps.
        num_classes: K.
        strides: Of the maps in px.
        settings: Depth and losses.

    Raises:
        ValueError: If the width is not a multiple of 32, or below 64 an even number.
    """

    def __init__(self, width: int, num_classes: int, strides: Sequence[int], settings: FCOSSettings) -> None:
        super().__init__()
        self.settings, self.normalizer = settings, settings.normalizer
        self.anchors = Anchors([(stride,) for stride in strides], (1.0,), strides)
        self.classification_head = FCOSClassificationHead(
            width, 1, num_classes, settings.depth, settings.prior_probability, norm_layer=_group_norm
        )
        self.regression_head = FCOSRegressionHead(width, 1, settings.depth, norm_layer=_group_norm)
        self.box_coder = BoxLinearCoder(normalize_by_size=True)

    def forward(self, maps: list[Tensor]) -> HeadOutputs:
        return HeadOutputs(self.classification_head(maps), *self.regression_head(maps))

    def match(self, anchors: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """The smallest box that holds the position, whose center is near and whose size is the level's."""
        flat = torch.cat(list(anchors))
        if len(boxes) == 0:
            return torch.full((len(flat),), BACKGROUND, device=flat.device)
        side = (flat[:, 2] - flat[:, 0])[:, None]
        centers, middle = (flat[:, :2] + flat[:, 2:]) / 2, (boxes[:, :2] + boxes[:, 2:]) / 2
        near = (centers[:, None] - middle[None]).abs().amax(2) < self.settings.center_radius * side
        distances = torch.cat([centers[:, None] - boxes[None, :, :2], boxes[None, :, 2:] - centers[:, None]], 2)
        lower, upper = 4 * side, 8 * side
        lower[: len(anchors[0])] = 0
        upper[len(flat) - len(anchors[-1]) :] = torch.inf
        reach = distances.amax(2)
        fits = near & (distances.amin(2) > 0) & (reach > lower) & (reach < upper)
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        smallest, match = torch.where(fits, areas, torch.inf).min(1)
        return torch.where(smallest.isfinite(), match, BACKGROUND)

    def reached(self, anchors: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """Those with a position of their own."""
        return torch.isin(torch.arange(len(boxes), device=boxes.device), self.match(anchors, boxes))

    def losses(
        self, outputs: HeadOutputs, anchors: Sequence[Tensor], assignment: Assignment, factors: Tensor
    ) -> dict[str, Tensor]:
        settings, positive = self.settings, assignment.positive & (assignment.weights > 0)
        weights = assignment.weights * factors[:, None]
        wanted = assignment.classes(outputs.logits)
        focal = sigmoid_focal_loss(outputs.logits, wanted, settings.focal_alpha, settings.focal_gamma)
        flat = torch.cat(list(anchors)).expand(len(positive), -1, -1)[positive]
        true, found = assignment.boxes[positive], self.box_coder.decode(outputs.regression[positive], flat)
        assert outputs.centerness is not None
        central = self._centerness(flat, true)
        centerness = F.binary_cross_entropy_with_logits(outputs.centerness[positive][:, 0], central, reduction="none")
        return {
            "classification": (focal.sum(2) * weights).sum(),
            "box": (generalized_box_iou_loss(found, true) * weights[positive]).sum(),
            "centerness": (centerness * weights[positive]).sum(),
        }

    def _centerness(self, anchors: Tensor, boxes: Tensor) -> Tensor:
        """(P,) in [0, 1]: 1 at the center of the box, 0 at its sides (the paper's equation 3)."""
        left, top, right, bottom = self.box_coder.encode(anchors, boxes).unbind(1)
        horizontal = torch.minimum(left, right) / torch.maximum(left, right)
        return (horizontal * torch.minimum(top, bottom) / torch.maximum(top, bottom)).sqrt()

    def boxes(self, outputs: HeadOutputs, anchors: Sequence[Tensor]) -> list[list[LevelBoxes]]:
        assert outputs.centerness is not None
        scores = (outputs.logits.sigmoid() * outputs.centerness.sigmoid()).sqrt()
        found = self.box_coder.decode(outputs.regression, torch.cat(list(anchors)).expand_as(outputs.regression))
        return by_level(scores, found, anchors)
