"""Faster R-CNN's first stage: at each anchor whether there is an object, and its box. Layers, matching and suppression
are torchvision's."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import box_iou

from lit_cnn.detection.anchors import Anchors
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.sampling import BalancedSampler
from lit_cnn.detection.targets import BACKGROUND, Assignment, ImageBoxes, assign, count_factors
from lit_cnn.detection.torchvision_internals import concat_box_prediction_layers

QUADRATIC_BELOW = 1 / 9
"""Difference of a coded coordinate from which the box losses grow linearly, in both stages."""


class RegionProposals(RegionProposalNetwork):
    """torchvision's network of proposals with anchors of float32, keyed draws, and boxes that count by their share.

    Args:
        width: Channels of the maps.
        strides: Of the maps in px.
        settings: Of both stages.
    """

    def __init__(self, width: int, strides: Sequence[int], settings: FasterRCNNSettings) -> None:
        sizes = [[int(settings.anchor_scale * stride)] for stride in strides]
        anchors = Anchors(sizes, settings.aspect_ratios, strides)
        kept = {"training": settings.training_proposals, "testing": settings.proposals}
        super().__init__(
            anchors.generator,
            RPNHead(width, anchors.per_position),
            fg_iou_thresh=settings.anchor_positive_iou,
            bg_iou_thresh=settings.anchor_negative_iou,
            batch_size_per_image=settings.anchors_per_image,
            positive_fraction=settings.anchor_positive_share,
            pre_nms_top_n=kept,
            post_nms_top_n=kept,
            nms_thresh=settings.proposal_nms_threshold,
        )
        self.anchors = anchors
        self.normalizer = settings.normalizer
        self.sampler = BalancedSampler(settings.anchors_per_image, settings.anchor_positive_share)

    def outputs(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (N, A) of an object and coded boxes (N, A, 4) at the anchors of all levels, from the finest on."""
        objectness, regression = concat_box_prediction_layers(*self.head(maps))
        images = maps[0].shape[0]
        return objectness.view(images, -1), regression.view(images, -1, 4)

    def match(self, anchors: Tensor, boxes: Tensor) -> Tensor:
        """(A,) int64: for each anchor its row in ``boxes`` (M, 4), ``BACKGROUND`` or ``IGNORED``."""
        if len(boxes) == 0:
            return torch.full((len(anchors),), BACKGROUND, device=anchors.device)
        overlaps = box_iou(boxes, anchors)
        return torch.where(overlaps.amax(0) > 0, self.proposal_matcher(overlaps), BACKGROUND)

    def losses(
        self,
        objectness: Tensor,
        regression: Tensor,
        anchors: Sequence[Tensor],
        images: Sequence[ImageBoxes],
        valid: Tensor,
    ) -> dict[str, Tensor]:
        """0-dim losses of the anchors drawn.

        Args:
            objectness: (N, A) float32.
            regression: (N, A, 4) float32.
            anchors: (A_level, 4) of each level.
            images: True boxes of each image.
            valid: (N,) bool, whether a loss may count the image.
        """
        flat = torch.cat(list(anchors))
        assignment = assign([self.match(flat, image.boxes) for image in images], images, valid)
        weights = assignment.weights * self._drawn(assignment)
        factors = count_factors(weights.sum(1), valid, self.normalizer, synchronize=self.training)
        weights = weights * factors[:, None]
        wanted = assignment.positive.float()
        entropy = F.binary_cross_entropy_with_logits(objectness, wanted, reduction="none")
        counted = assignment.positive & (weights > 0)
        true = self.box_coder.encode_single(assignment.boxes[counted], flat.expand(len(wanted), -1, -1)[counted])
        box = F.smooth_l1_loss(regression[counted], true, beta=QUADRATIC_BELOW, reduction="none").sum(1)
        return {"objectness": (entropy * weights).sum(), "proposal_box": (box * weights[counted]).sum()}

    def _drawn(self, assignment: Assignment) -> Tensor:
        """(N, A) bool."""
        countable = assignment.weights > 0
        positive, background = assignment.positive & countable, ~assignment.positive & countable
        return torch.stack(self.sampler(list(positive), list(background)))

    @torch.no_grad()
    def propose(
        self, objectness: Tensor, regression: Tensor, anchors: Sequence[Tensor], canvas: tuple[int, int]
    ) -> list[Tensor]:
        """(P, 4) float32 for each image, in pixels of the canvas, best first."""
        flat = torch.cat(list(anchors))
        boxes = self.box_coder.decode_single(regression.flatten(0, 1), flat.repeat(len(regression), 1))
        sizes = [len(level) for level in anchors]
        return self.filter_proposals(boxes.view_as(regression), objectness, [canvas] * len(regression), sizes)[0]
