"""SSD's head (Liu et al. 2016, arXiv:1512.02325): at each default box the class, the background among them, and the
box. Layers and default boxes are torchvision's.

The class loss counts three default boxes of background for each that has an object, so a batch whose images are all
without boxes has a loss of 0 and a gradient of 0: SSD learns nothing from it.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSDHead as SSDLayers

from lit_cnn.detection.anchors import Grid
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.decoding import LevelBoxes, by_level
from lit_cnn.detection.dense_head import HeadOutputs, OverlapHead
from lit_cnn.detection.ssd_settings import SSDSettings
from lit_cnn.detection.targets import Assignment
from lit_cnn.detection.torchvision_internals import BoxCoder, SSDMatcher, default_boxes
from lit_cnn.training.announce import announce


class DefaultBoxes:
    """Boxes at the centers of the positions of each map, whose sides are shares of the canvas's.

    Args:
        settings: Scales and aspect ratios.
        canvas: Height and width of the images in px.
    """

    def __init__(self, settings: SSDSettings, canvas: tuple[int, int]) -> None:
        self.canvas = canvas
        ratios: list = [list(level) for level in settings.aspect_ratios]
        self._generator = DefaultBoxGenerator(ratios, scales=list(settings.scales))
        self.per_position = self._generator.num_anchors_per_location()

    def boxes(self, grids: Sequence[Grid], device: torch.device) -> list[Tensor]:
        """(h w per_position, 4) float32 for each map, row by row, in pixels of the canvas."""
        height, width = self.canvas
        shares = default_boxes(self._generator, grids, (height, width))
        centers, sides = shares[:, :2], shares[:, 2:]
        corners = torch.cat([centers - 0.5 * sides, centers + 0.5 * sides], 1) * torch.tensor([width, height] * 2)
        counts = [h * w * number for (h, w), number in zip(grids, self.per_position, strict=True)]
        return list(corners.to(device).split(counts))


class SSDHead(OverlapHead):
    """Two 3x3 convolutions on each map. All-empty batches have a loss of 0, as this file's first lines say.

    Args:
        channels: Of each map.
        num_classes: K.
        canvas: Height and width of the images in px.
        settings: Default boxes and losses.
    """

    first_label: ClassVar[int] = 1

    def __init__(
        self, channels: Sequence[int], num_classes: int, canvas: tuple[int, int], settings: SSDSettings
    ) -> None:
        super().__init__()
        self.settings, self.normalizer = settings, settings.normalizer
        self.positive_iou = settings.positive_iou
        self.anchors = DefaultBoxes(settings, canvas)
        self.layers = SSDLayers(list(channels), self.anchors.per_position, num_classes + self.first_label)
        self.box_coder = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
        self.matcher = SSDMatcher(settings.positive_iou)

    def forward(self, maps: list[Tensor]) -> HeadOutputs:
        outputs = self.layers(maps)
        return HeadOutputs(outputs["cls_logits"], outputs["bbox_regression"])

    def losses(
        self, outputs: HeadOutputs, anchors: Sequence[Tensor], assignment: Assignment, factors: Tensor
    ) -> dict[str, Tensor]:
        positive = assignment.positive & (assignment.weights > 0)
        weights = assignment.weights * factors[:, None]
        entropy = F.cross_entropy(outputs.logits.transpose(1, 2), assignment.labels, reduction="none")
        background = ~assignment.positive & (assignment.weights > 0)
        counted = positive | self._hardest(entropy.detach(), background, positive.sum(1, keepdim=True))
        flat = torch.cat(list(anchors)).expand(len(positive), -1, -1)[positive]
        wanted = self.box_coder.encode_single(assignment.boxes[positive], flat)
        box = F.smooth_l1_loss(outputs.regression[positive], wanted, reduction="none").sum(1)
        return {
            "classification": (entropy * weights * counted).sum(),
            "box": (box * weights[positive]).sum(),
        }

    def _hardest(self, entropy: Tensor, background: Tensor, objects: Tensor) -> Tensor:
        """(N, A) bool: the default boxes of ``background`` (N, A) of the largest losses, a number of them for each of
        the (N, 1) ``objects``."""
        order = entropy.masked_fill(~background, -torch.inf).argsort(dim=1, descending=True, stable=True)
        return background & (order.argsort(1) < self.settings.negatives_per_positive * objects)

    def boxes(self, outputs: HeadOutputs, anchors: Sequence[Tensor]) -> list[list[LevelBoxes]]:
        scores = outputs.logits.softmax(2)
        scores[..., 0] = 0.0  # the background is not detected
        flat = torch.cat(list(anchors))
        found = [self.box_coder.decode_single(coded, flat) for coded in outputs.regression]
        return by_level(scores, found, anchors)


def announce_images_without_boxes(train: AnnotatedSplit) -> None:
    """Say how many images of ``train`` SSD learns nothing from, if any: those without boxes, crowds aside."""
    empty = sum(bool(image.crowd.all()) for image in train.images)
    if empty:
        announce(f"{empty} of {len(train)} training images have no box: ssd learns nothing from them")
