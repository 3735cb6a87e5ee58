"""Faster R-CNN's second stage: what a proposal shows, and its box. Layers are torchvision's."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign, box_iou, clip_boxes_to_image

from lit_cnn.detection.decoding import LevelBoxes
from lit_cnn.detection.detector_network import without_autocast
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.region_proposals import QUADRATIC_BELOW
from lit_cnn.detection.sampling import BalancedSampler
from lit_cnn.detection.targets import BACKGROUND, ImageBoxes, Normalizer, assign, count_factors
from lit_cnn.detection.torchvision_internals import BoxCoder, Matcher

POINTS = 2
"""Along each side of a position of the pooled map, between which the map is interpolated."""
SMALLEST = 0.01
"""Side in px below which a box that was moved onto the canvas's border counts as none."""


class Sample(NamedTuple):
    """The P proposals of an image that the second stage's losses count.

    Attributes:
        boxes: (P, 4) float32 in pixels of the canvas.
        labels: (P,) int64, columns; 0 is the background's.
        true: (P, 4) float32, the true box; zeros for background.
        weights: (P,) float32, in every loss: the box's share, 1 for background.
    """

    boxes: Tensor
    labels: Tensor
    true: Tensor
    weights: Tensor


class RegionHead(nn.Module):
    """Two hidden linear layers on the pooled map of each proposal.

    Args:
        width: Channels of the maps.
        columns: Classes, the background among them, in column 0.
        levels: How many of the maps are read, from the finest on.
        canvas: Height and width of the images in px.
        settings: Of both stages.
    """

    def __init__(
        self, width: int, columns: int, levels: int, canvas: tuple[int, int], settings: FasterRCNNSettings
    ) -> None:
        super().__init__()
        self.canvas = canvas
        self.names = [str(number) for number in range(levels)]
        self.pool = MultiScaleRoIAlign(self.names, settings.pooled_side, sampling_ratio=POINTS)
        self.box_head = TwoMLPHead(width * settings.pooled_side**2, settings.hidden)
        self.box_predictor = FastRCNNPredictor(settings.hidden, columns)
        self.box_coder = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
        self.matcher = Matcher(settings.positive_iou, settings.positive_iou)
        self.sampler = BalancedSampler(settings.proposals_per_image, settings.positive_share)

    def forward(self, maps: Sequence[Tensor], proposals: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (P, columns) and coded boxes (P, columns, 4) of the P proposals of all images."""
        with without_autocast(maps[0].device):  # a proposal's corners are pooled at as float32
            taken = {name: level.float() for name, level in zip(self.names, maps, strict=False)}
            pooled = self.pool(taken, proposals, [self.canvas] * len(proposals))
        logits, coded = self.box_predictor(self.box_head(pooled.to(maps[0].dtype)))
        return logits, coded.view(*logits.shape, 4)

    def match(self, proposals: Tensor, boxes: Tensor) -> Tensor:
        """(P,) int64: for each proposal its row in ``boxes`` (M, 4) or ``BACKGROUND``."""
        if len(boxes) == 0 or len(proposals) == 0:
            return torch.full((len(proposals),), BACKGROUND, device=proposals.device)
        return self.matcher(box_iou(boxes, proposals))

    def draw(self, proposals: Sequence[Tensor], images: Sequence[ImageBoxes], valid: Tensor) -> list[Sample]:
        """What is counted of each image's proposals and true boxes, which are proposals as well."""
        candidates = []
        for number, (found, image) in enumerate(zip(proposals, images, strict=True)):
            boxes = torch.cat([found, image.boxes])
            assignment = assign([self.match(boxes, image.boxes)], [image], valid[number : number + 1])
            candidates.append(Sample(boxes, assignment.labels[0], assignment.boxes[0], assignment.weights[0]))
        positive = [(sample.labels > 0) & (sample.weights > 0) for sample in candidates]
        background = [(sample.labels == 0) & (sample.weights > 0) for sample in candidates]
        masks = self.sampler(positive, background)
        return [Sample(*(part[mask] for part in sample)) for sample, mask in zip(candidates, masks, strict=True)]

    def losses(
        self, logits: Tensor, coded: Tensor, samples: Sequence[Sample], valid: Tensor, normalizer: Normalizer
    ) -> dict[str, Tensor]:
        """0-dim losses of what was drawn, from float32 outputs for the P proposals of all N images.

        Args:
            logits: (P, columns).
            coded: (P, columns, 4).
            samples: Of each image.
            valid: (N,) bool, whether a loss may count the image.
            normalizer: Over what proposals are counted.
        """
        counts = torch.stack([sample.weights.sum() for sample in samples])
        factors = count_factors(counts, valid, normalizer, synchronize=self.training)
        boxes, labels, true, _ = (torch.cat(parts) for parts in zip(*samples, strict=True))
        weights = torch.cat([sample.weights * factor for sample, factor in zip(samples, factors, strict=True)])
        positive = torch.where(labels > 0)[0]
        entropy = F.cross_entropy(logits, labels, reduction="none")
        wanted = self.box_coder.encode_single(true[positive], boxes[positive])
        found = coded[positive, labels[positive]]
        box = F.smooth_l1_loss(found, wanted, beta=QUADRATIC_BELOW, reduction="none").sum(1)
        return {"classification": (entropy * weights).sum(), "box": (box * weights[positive]).sum()}

    def scored(self, logits: Tensor, coded: Tensor, proposals: Sequence[Tensor]) -> list[LevelBoxes]:
        """Scores and boxes of each image's proposals, from float32 outputs; the background scores 0."""
        scores = logits.softmax(1)
        boxes = self.box_coder.decode_single(coded.flatten(1), torch.cat(list(proposals))).view_as(coded)
        boxes = clip_boxes_to_image(boxes, self.canvas)
        kept = (boxes[..., 2:] - boxes[..., :2]).amin(2) >= SMALLEST
        kept[:, 0] = False
        sizes = [len(image) for image in proposals]
        parts = zip((scores * kept).split(sizes), boxes.split(sizes), strict=True)
        return [LevelBoxes(*image) for image in parts]
