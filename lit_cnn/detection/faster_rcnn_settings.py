"""What a recipe says of Faster R-CNN."""

from dataclasses import dataclass
from typing import get_args

from lit_cnn.detection.targets import Normalizer


@dataclass(frozen=True)
class FasterRCNNSettings:
    """Faster R-CNN's two stages.

    Args:
        anchor_scale: Side of a level's anchors in strides.
        aspect_ratios: Heights over widths of the anchors.
        anchor_positive_iou: An anchor belongs to the box it overlaps most if their IoU is at least this, or if no
            anchor overlaps the box more.
        anchor_negative_iou: Below this IoU with every box it is background; in between no loss counts it.
        anchors_per_image: Anchors of an image that the first stage's losses count, drawn at random.
        anchor_positive_share: Of them, at most so many have an object.
        proposal_nms_threshold: Of two proposals of a level whose IoU is larger, the one with the lower score is left
            out.
        training_proposals: In training, at most so many candidates of a level, and proposals of an image.
        proposals: The same outside of training.
        positive_iou: A proposal belongs to the box it overlaps most if their IoU is at least this, else to the
            background.
        proposals_per_image: Proposals of an image that the second stage's losses count, drawn at random.
        positive_share: Of them, at most so many have an object.
        pooled_side: Side of the map that the second stage reads of each proposal, in positions.
        hidden: Width of its two hidden linear layers.
        normalizer: By which number of counted anchors or proposals the losses are divided: that of the image, batch
            (this process's) or global (all processes').
    """

    anchor_scale: float = 8.0
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    anchor_positive_iou: float = 0.7
    anchor_negative_iou: float = 0.3
    anchors_per_image: int = 256
    anchor_positive_share: float = 0.5
    proposal_nms_threshold: float = 0.7
    training_proposals: int = 2000
    proposals: int = 1000
    positive_iou: float = 0.5
    proposals_per_image: int = 512
    positive_share: float = 0.25
    pooled_side: int = 7
    hidden: int = 1024
    normalizer: Normalizer = "batch"

    def __post_init__(self) -> None:
        object.__setattr__(self, "aspect_ratios", tuple(self.aspect_ratios))
        counts = (
            "anchors_per_image",
            "training_proposals",
            "proposals",
            "proposals_per_image",
            "pooled_side",
            "hidden",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"faster_rcnn.{name} must be at least 1, got {getattr(self, name)}")
        for name in ("anchor_positive_share", "proposal_nms_threshold", "positive_iou", "positive_share"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"faster_rcnn.{name} must be above 0 and at most 1, got {getattr(self, name)}")
        if self.anchor_scale <= 0:
            raise ValueError(f"faster_rcnn.anchor_scale must be positive, got {self.anchor_scale}")
        if not self.aspect_ratios or min(self.aspect_ratios) <= 0:
            raise ValueError(f"faster_rcnn.aspect_ratios must be positive, got {list(self.aspect_ratios)}")
        if not 0.0 <= self.anchor_negative_iou <= self.anchor_positive_iou <= 1.0:
            raise ValueError(
                "faster_rcnn.anchor_negative_iou must be in [0, 1] and not above faster_rcnn.anchor_positive_iou, "
                f"got {self.anchor_negative_iou} and {self.anchor_positive_iou}"
            )
        if self.normalizer not in get_args(Normalizer):
            known = " or ".join(get_args(Normalizer))
            raise ValueError(f"faster_rcnn.normalizer must be {known}, got {self.normalizer!r}")
