"""Faster R-CNN on a pyramid (Ren et al. 2015, arXiv:1506.01497; Lin et al. 2017, arXiv:1612.03144): a first head
proposes where an object may be, a second says of each proposal what it is and moves its sides.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lit_cnn.detection.boxes import BoxBatch, Detections
from lit_cnn.detection.decoding import DecodingSettings, select
from lit_cnn.detection.detector_network import DetectorNetwork, as_counted_from_0, sizes_of, without_autocast
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.pyramid import Pyramid
from lit_cnn.detection.region_head import RegionHead
from lit_cnn.detection.region_proposals import RegionProposals
from lit_cnn.detection.targets import split_images


class FirstStage(NamedTuple):
    """What the convolutions say of N images with A anchors.

    Attributes:
        maps: (N, width, h, w) of each level.
        objectness: (N, A) logits of an object at an anchor.
        regression: (N, A, 4), coded boxes.
    """

    maps: list[Tensor]
    objectness: Tensor
    regression: Tensor


class FasterRCNN(DetectorNetwork):
    """Pyramid, region proposals, and the head that reads each proposal.

    Args:
        pyramid: Maps of an image; the second stage reads those of the network alone.
        num_classes: K.
        canvas: Height and width of every image in px.
        settings: Both stages.
        decoding: Which boxes ``detect`` keeps; may be replaced at any time.
    """

    first_label: ClassVar[int] = 1
    """Column of class 0: the background has the one before."""

    def __init__(
        self,
        pyramid: Pyramid,
        num_classes: int,
        canvas: tuple[int, int],
        settings: FasterRCNNSettings,
        decoding: DecodingSettings,
    ) -> None:
        super().__init__(pyramid, canvas, decoding)
        self.settings = settings
        self.rpn = RegionProposals(pyramid.width, pyramid.strides, settings)
        columns = num_classes + self.first_label
        self.regions = RegionHead(pyramid.width, columns, pyramid.own_maps, canvas, settings)

    def forward(self, images: Tensor) -> FirstStage:
        """Maps and raw outputs of the first stage for normalized images (N, C, H, W): all that is worth compiling.

        Raises:
            ValueError: If the images are not of the canvas's size.
        """
        maps = self.maps(images)
        return FirstStage(maps, *self.rpn.outputs(maps))

    def losses(self, batch: BoxBatch) -> dict[str, Tensor]:
        first, normalizer = self(batch.images), self.settings.normalizer
        device, valid = first.objectness.device, batch.index >= 0
        with without_autocast(device):
            images = split_images(batch, self.first_label)
            anchors = self.rpn.anchors.boxes(sizes_of(first.maps), device)
            objectness, regression = first.objectness.float(), first.regression.float()
            losses = self.rpn.losses(objectness, regression, anchors, images, valid)
            proposals = self.rpn.propose(objectness, regression, anchors, self.canvas)
            samples = self.regions.draw(proposals, images, valid)
        logits, coded = self.regions(first.maps, [sample.boxes for sample in samples])
        with without_autocast(device):
            return losses | self.regions.losses(logits.float(), coded.float(), samples, valid, normalizer)

    def reached(self, boxes: Sequence[Tensor]) -> Tensor:
        """Those with an anchor of an IoU of ``positive_iou``, at which the second stage takes a proposal for them."""
        device = next(self.parameters()).device
        anchors = torch.cat(self.rpn.anchors.boxes(self.pyramid.grids(self.canvas), device))
        best = [box_iou(image.to(device), anchors).amax(1) for image in boxes]
        return torch.cat(best) >= self.settings.positive_iou

    def detect(self, images: Tensor) -> list[Detections]:
        first = self(images)
        device = first.objectness.device
        with without_autocast(device):
            anchors = self.rpn.anchors.boxes(sizes_of(first.maps), device)
            objectness, regression = first.objectness.float(), first.regression.float()
            proposals = self.rpn.propose(objectness, regression, anchors, self.canvas)
        logits, coded = self.regions(first.maps, proposals)
        with without_autocast(device):
            scored = self.regions.scored(logits.float(), coded.float(), proposals)
            found = [select([boxes], self.canvas, self.decoding) for boxes in scored]
        return [as_counted_from_0(detections, self.first_label) for detections in found]
