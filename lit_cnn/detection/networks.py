"""Detectors: a network of the catalog, a pyramid on it, and a head; where canvas, labels and precision are settled."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.detection.boxes import BoxBatch, Detections
from lit_cnn.detection.decoding import DecodingSettings, select
from lit_cnn.detection.dense_head import DenseHead, HeadOutputs
from lit_cnn.detection.detector_network import DetectorNetwork, as_counted_from_0, sizes_of, without_autocast
from lit_cnn.detection.faster_rcnn import FasterRCNN
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.fcos import FCOSHead, FCOSSettings
from lit_cnn.detection.pyramid import BackboneMaps, Pyramid, PyramidSettings
from lit_cnn.detection.retinanet import RetinaNetHead, RetinaNetSettings
from lit_cnn.detection.ssd import SSDHead
from lit_cnn.detection.ssd_maps import ssd_maps
from lit_cnn.detection.ssd_settings import SSDSettings
from lit_cnn.detection.targets import assign, image_factors, split_images

DETECTORS = ("fcos", "retinanet", "faster_rcnn", "ssd")


class DenseDetector(DetectorNetwork):
    """Pyramid and dense head.

    Args:
        pyramid: Maps of an image.
        head: Reads them.
        canvas: Height and width of every image in px.
        decoding: Which boxes ``detect`` keeps; may be replaced at any time.
    """

    def __init__(
        self, pyramid: BackboneMaps, head: DenseHead, canvas: tuple[int, int], decoding: DecodingSettings
    ) -> None:
        super().__init__(pyramid, canvas, decoding)
        self.head = head

    def forward(self, images: Tensor) -> tuple[HeadOutputs, list[tuple[int, int]]]:
        """Raw outputs of normalized images (N, C, H, W), and height and width of each level: all that is worth
        compiling.

        Raises:
            ValueError: If the images are not of the canvas's size.
        """
        maps = self.maps(images)
        return self.head(maps), sizes_of(maps)

    def losses(self, batch: BoxBatch) -> dict[str, Tensor]:
        raw, grids = self(batch.images)
        with float32_outputs(raw) as outputs:
            anchors = self.head.anchors.boxes(grids, outputs.logits.device)
            images, valid = split_images(batch, self.head.first_label), batch.index >= 0
            assignment = assign([self.head.match(anchors, image.boxes) for image in images], images, valid)
            factors = image_factors(assignment, valid, self.head.normalizer, synchronize=self.training)
            return self.head.losses(outputs, anchors, assignment, factors)

    def reached(self, boxes: Sequence[Tensor]) -> Tensor:
        device = next(self.parameters()).device
        anchors = self.head.anchors.boxes(self.pyramid.grids(self.canvas), device)
        return torch.cat([self.head.reached(anchors, image.to(device)) for image in boxes])

    def detect(self, images: Tensor) -> list[Detections]:
        raw, grids = self(images)
        with float32_outputs(raw) as outputs:
            anchors = self.head.anchors.boxes(grids, outputs.logits.device)
            found = [select(levels, self.canvas, self.decoding) for levels in self.head.boxes(outputs, anchors)]
        return [as_counted_from_0(detections, self.head.first_label) for detections in found]


@contextlib.contextmanager
def float32_outputs(outputs: HeadOutputs) -> Iterator[HeadOutputs]:
    """The outputs in float32, in a block without autocast."""
    with without_autocast(outputs.logits.device):
        centerness = None if outputs.centerness is None else outputs.centerness.float()
        yield HeadOutputs(outputs.logits.float(), outputs.regression.float(), centerness)


def create_detector(
    detector: str,
    architecture: str,
    num_classes: int,
    canvas: tuple[int, int],
    options: NetworkOptions = NetworkOptions(),
    pyramid: PyramidSettings = PyramidSettings(),
    fcos: FCOSSettings = FCOSSettings(),
    retinanet: RetinaNetSettings = RetinaNetSettings(),
    faster_rcnn: FasterRCNNSettings = FasterRCNNSettings(),
    ssd: SSDSettings = SSDSettings(),
    decoding: DecodingSettings = DecodingSettings(),
    in_channels: int = 3,
) -> DetectorNetwork:
    """Build a detector with fresh weights.

    Args:
        detector: A name of ``DETECTORS``.
        architecture: Name of the catalog's network below the pyramid.
        num_classes: K, without a background.
        canvas: Height and width of the images in px.
        options: Options of the network.
        pyramid: Maps that the head reads.
        fcos: FCOS's head and losses.
        retinanet: RetinaNet's anchors, head and losses.
        faster_rcnn: Faster R-CNN's anchors, proposals, heads and losses.
        ssd: SSD's default boxes and losses; of the pyramid it takes the strides.
        decoding: Which boxes are kept.
        in_channels: Channels of the images.

    Raises:
        ValueError: If a name is unknown, the network has no map of a stride of the pyramid, or a number does not fit.
    """
    if detector not in DETECTORS:
        raise ValueError(f"model.detector must be {' or '.join(DETECTORS)}, got {detector!r}")
    network = create_model(architecture, num_classes=0, in_channels=in_channels, **options.chosen())
    size = (canvas[0], canvas[1])
    if detector == "ssd":
        chain = ssd_maps(network, architecture, pyramid.strides, len(ssd.aspect_ratios), size)
        return DenseDetector(chain, SSDHead(chain.channels, num_classes, size, ssd), size, decoding)
    maps = Pyramid(network, architecture, pyramid)
    if detector == "faster_rcnn":
        return FasterRCNN(maps, num_classes, size, faster_rcnn, decoding)
    head: DenseHead
    if detector == "fcos":
        head = FCOSHead(maps.width, num_classes, maps.strides, fcos)
    else:
        head = RetinaNetHead(maps.width, num_classes, maps.strides, retinanet)
    return DenseDetector(maps, head, size, decoding)
