"""RetinaNet (Lin et al. 2017, arXiv:1708.02002): nine anchors at each position say the class and move to the box.

torchvision's head fixes the focal loss's exponent, the L1 loss, the divisor of each image and heads without norm; the
code that AutoAugment and RandAugment were measured with on COCO (Cubuk et al. 2019, arXiv:1909.13719, appendix A.3) has
others, so the head is ours; anchors, matching and box coding are torchvision's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.detection.anchors import Anchors
from lit_cnn.detection.decoding import LevelBoxes, by_level
from lit_cnn.detection.dense_head import HeadOutputs, OverlapHead
from lit_cnn.detection.norms import Norm, make_norm
from lit_cnn.detection.targets import Assignment, Normalizer
from lit_cnn.detection.torchvision_internals import BoxCoder, Matcher

BoxLoss = Literal["l1", "huber", "giou"]
"""l1 sums the absolute errors of the four coded coordinates, as torchvision; huber is the mean of the four Huber
losses, as the code of AutoAugment; giou is that of the decoded boxes (Rezatofighi et al. 2019, arXiv:1902.09630)."""


@dataclass(frozen=True)
class RetinaNetSettings:
    """RetinaNet's anchors, head and losses.

    Args:
        anchor_scale: Side of the smallest anchor of a level in strides.
        scales_per_level: Anchor sizes of a level, from 1 to almost 2 times the smallest.
        aspect_ratios: Heights over widths of the anchors.
        positive_iou: An anchor belongs to the box it overlaps most if their IoU is at least this, or if no anchor
            overlaps the box more.
        negative_iou: Below this IoU with every box it is background; in between no loss counts it.
        depth: 3x3 convolutions of each of the two branches.
        norm: After each of them: none as in the paper, batch (its own in each level) or group.
        prior_probability: Of an object at an anchor, with which the class branch starts.
        focal_alpha: Weight of the objects in the focal loss; the background's is 1 - alpha.
        focal_gamma: Exponent by which it neglects what is right already.
        box_loss: l1 (sum over the four coded coordinates), huber (mean over them) or giou.
        huber_delta: Where the Huber loss turns from quadratic to linear.
        box_weight: Factor on the box loss.
        normalizer: By which number of matched anchors the losses are divided: that of the image, batch (this
            process's) or global (all processes').
    """

    anchor_scale: float = 4.0
    scales_per_level: int = 3
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    positive_iou: float = 0.5
    negative_iou: float = 0.4
    depth: int = 4
    norm: Norm = "none"
    prior_probability: float = 0.01
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    box_loss: BoxLoss = "l1"
    huber_delta: float = 0.1
    box_weight: float = 1.0
    normalizer: Normalizer = "image"

    def __post_init__(self) -> None:
        object.__setattr__(self, "aspect_ratios", tuple(self.aspect_ratios))
        for name in ("anchor_scale", "scales_per_level", "huber_delta"):
            if getattr(self, name) <= 0:
                raise ValueError(f"retinanet.{name} must be positive, got {getattr(self, name)}")
        for name in ("depth", "focal_gamma", "box_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"retinanet.{name} must be at least 0, got {getattr(self, name)}")
        for name in ("prior_probability", "focal_alpha"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"retinanet.{name} must be between 0 and 1, got {getattr(self, name)}")
        if not self.aspect_ratios or min(self.aspect_ratios) <= 0:
            raise ValueError(f"retinanet.aspect_ratios must be positive, got {list(self.aspect_ratios)}")
        if not 0.0 <= self.negative_iou <= self.positive_iou <= 1.0:
            raise ValueError(
                "retinanet.negative_iou must be in [0, 1] and not above retinanet.positive_iou, "
                f"got {self.negative_iou} and {self.positive_iou}"
            )
        for name, known in (("norm", Norm), ("box_loss", BoxLoss), ("normalizer", Normalizer)):
            if getattr(self, name) not in get_args(known):
                raise ValueError(
                    f"retinanet.{name} must be {' or '.join(get_args(known))}, got {getattr(self, name)!r}"
                )


class Branch(nn.Module):
    """``depth`` 3x3 convolutions with norm and ReLU and one that gives the outputs, shared by the levels:
    maps (N, width, h, w) -> (N, anchors of all levels, outputs).

    A level's statistics differ from another's, so each has batch norms of its own, as in the code of AutoAugment.
    """

    def __init__(self, width: int, anchors: int, outputs: int, levels: int, settings: RetinaNetSettings) -> None:
        super().__init__()
        self.outputs = outputs
        bias = settings.norm == "none"
        self.convs = nn.ModuleList(Conv2d(width, width, 3, padding=1, bias=bias) for _ in range(settings.depth))
        sets = levels if settings.norm == "batch" else 1
        self.norms = nn.ModuleList(
            nn.ModuleList(make_norm(settings.norm, width, "retinanet") for _ in self.convs) for _ in range(sets)
        )
        self.last = Conv2d(width, anchors * outputs, 3, padding=1)
        for conv in (*self.convs, self.last):
            assert isinstance(conv, nn.Conv2d)
            nn.init.normal_(conv.weight, std=0.01)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)

    def forward(self, maps: list[Tensor]) -> Tensor:
        found = []
        for level, x in enumerate(maps):
            norms = self.norms[min(level, len(self.norms) - 1)]
            assert isinstance(norms, nn.ModuleList)
            for conv, norm in zip(self.convs, norms, strict=True):
                x = F.relu(norm(conv(x)))
            x = self.last(x).permute(0, 2, 3, 1)
            found.append(x.reshape(x.shape[0], -1, self.outputs))
        return torch.cat(found, 1)


class RetinaNetHead(OverlapHead):
    """RetinaNet's two branches.

    Args:
        width: Channels of the maps.
        num_classes: K.
        strides: Of the maps in px.
        settings: Anchors, depth, norm and losses.

    Raises:
        ValueError: If group norm cannot divide the width.
    """

    def __init__(self, width: int, num_classes: int, strides: Sequence[int], settings: RetinaNetSettings) -> None:
        super().__init__()
        self.settings, self.normalizer = settings, settings.normalizer
        self.positive_iou = settings.positive_iou
        steps = settings.scales_per_level
        sizes = [[int(settings.anchor_scale * s * 2 ** (k / steps)) for k in range(steps)] for s in strides]
        anchors = Anchors(sizes, settings.aspect_ratios, strides)
        self.anchors = anchors
        self.classification = Branch(width, anchors.per_position, num_classes, len(strides), settings)
        self.regression = Branch(width, anchors.per_position, 4, len(strides), settings)
        prior = settings.prior_probability
        nn.init.constant_(self.classification.last.bias, -math.log((1 - prior) / prior))  # type: ignore[arg-type]
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.matcher = Matcher(settings.positive_iou, settings.negative_iou, allow_low_quality_matches=True)

    def forward(self, maps: list[Tensor]) -> HeadOutputs:
        return HeadOutputs(self.classification(maps), self.regression(maps))

    def losses(
        self, outputs: HeadOutputs, anchors: Sequence[Tensor], assignment: Assignment, factors: Tensor
    ) -> dict[str, Tensor]:
        settings, positive = self.settings, assignment.positive & (assignment.weights > 0)
        weights = assignment.weights * factors[:, None]
        wanted = assignment.classes(outputs.logits)
        focal = sigmoid_focal_loss(outputs.logits, wanted, settings.focal_alpha, settings.focal_gamma)
        flat = torch.cat(list(anchors)).expand(len(positive), -1, -1)[positive]
        box = self._box_losses(outputs.regression[positive], flat, assignment.boxes[positive])
        return {
            "classification": (focal.sum(2) * weights).sum(),
            "box": settings.box_weight * (box * weights[positive]).sum(),
        }

    def _box_losses(self, coded: Tensor, anchors: Tensor, boxes: Tensor) -> Tensor:
        """(P,) losses of coded boxes (P, 4) at their anchors against true boxes."""
        if self.settings.box_loss == "giou":
            return generalized_box_iou_loss(self.box_coder.decode_single(coded, anchors), boxes)
        wanted = self.box_coder.encode_single(boxes, anchors)
        if self.settings.box_loss == "huber":
            return F.huber_loss(coded, wanted, reduction="none", delta=self.settings.huber_delta).mean(1)
        return (coded - wanted).abs().sum(1)

    def boxes(self, outputs: HeadOutputs, anchors: Sequence[Tensor]) -> list[list[LevelBoxes]]:
        flat = torch.cat(list(anchors))
        found = [self.box_coder.decode_single(coded, flat) for coded in outputs.regression]
        return by_level(outputs.logits.sigmoid(), found, anchors)
