"""Detectors: a network of the catalog, a pyramid on it, and a head; where canvas, labels and precision are settled."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.network import Network
from lit_cnn.detection.boxes import BoxBatch, Detections
from lit_cnn.detection.decoding import DecodingSettings, select
from lit_cnn.detection.dense_head import DenseHead, HeadOutputs
from lit_cnn.detection.fcos import FCOSHead, FCOSSettings
from lit_cnn.detection.pyramid import Pyramid, PyramidSettings
from lit_cnn.detection.retinanet import RetinaNetHead, RetinaNetSettings
from lit_cnn.detection.targets import assign, image_factors, split_images

DETECTORS = ("fcos", "retinanet")


class DetectorNetwork(nn.Module):
    """Pyramid and dense head for images of one size.

    The pyramid and the convolutions of the head run under the caller's autocast; anchors, matching, losses and boxes
    are float32 always.

    Args:
        pyramid: Maps of an image.
        head: Reads them.
        canvas: Height and width of every image in px.
        decoding: Which boxes ``detect`` keeps; may be replaced at any time.
    """

    def __init__(self, pyramid: Pyramid, head: DenseHead, canvas: tuple[int, int], decoding: DecodingSettings) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.head = head
        self.canvas = canvas
        self.decoding = decoding

    @property
    def backbone(self) -> Network:
        """The catalog's network without its head; its parameters have the catalog's names."""
        return self.pyramid.backbone

    def forward(self, images: Tensor) -> tuple[HeadOutputs, list[tuple[int, int]]]:
        """Raw outputs of normalized images (N, C, H, W), and height and width of each level: all that is worth
        compiling.

        Raises:
            ValueError: If the images are not of the canvas's size.
        """
        if tuple(images.shape[-2:]) != self.canvas:
            height, width = images.shape[-2:]
            raise ValueError(
                f"this detector was built for a canvas of {self.canvas[0]}x{self.canvas[1]} pixels (height x width), "
                f"got images of {height}x{width}"
            )
        weight = next(self.parameters())
        maps = self.pyramid(images.to(weight.dtype))
        return self.head(maps), [(x.shape[2], x.shape[3]) for x in maps]

    def losses(self, batch: BoxBatch) -> dict[str, Tensor]:
        """The head's losses, 0-dim float32 each, whose sum is trained on.

        Images whose ``index`` is negative are not counted, and each box counts by its share.
        """
        raw, grids = self(batch.images)
        with float32_outputs(raw) as outputs:
            anchors = self.head.anchors.boxes(grids, outputs.logits.device)
            images, valid = split_images(batch, self.head.first_label), batch.index >= 0
            assignment = assign([self.head.match(anchors, image.boxes) for image in images], images, valid)
            factors = image_factors(assignment, valid, self.head.normalizer, synchronize=self.training)
            return self.head.losses(outputs, anchors, assignment, factors)

    def reached(self, boxes: Sequence[Tensor]) -> Tensor:
        """Which true boxes the anchors fit, those that they do not fit being hardly learned.

        Args:
            boxes: (M, 4) float32 of each image, in pixels of the canvas.

        Returns:
            Bool, one for each box of all images.
        """
        device = next(self.parameters()).device
        anchors = self.head.anchors.boxes(self.pyramid.grids(self.canvas), device)
        return torch.cat([self.head.reached(anchors, image.to(device)) for image in boxes])

    def detect(self, images: Tensor) -> list[Detections]:
        """What is found in each of the normalized images (N, C, H, W), in pixels of the canvas."""
        raw, grids = self(images)
        with float32_outputs(raw) as outputs:
            anchors = self.head.anchors.boxes(grids, outputs.logits.device)
            found = [select(levels, self.canvas, self.decoding) for levels in self.head.boxes(outputs, anchors)]
        return [detections._replace(labels=detections.labels - self.head.first_label) for detections in found]


@contextlib.contextmanager
def float32_outputs(outputs: HeadOutputs) -> Iterator[HeadOutputs]:
    """The outputs in float32, in a block without autocast: under bfloat16 coordinates would be multiples of 2 or 4."""
    with torch.autocast(outputs.logits.device.type, enabled=False):
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
        decoding: Which boxes are kept.
        in_channels: Channels of the images.

    Raises:
        ValueError: If a name is unknown, the network has no map of a stride of the pyramid, or a number does not fit.
    """
    if detector not in DETECTORS:
        raise ValueError(f"model.detector must be {' or '.join(DETECTORS)}, got {detector!r}")
    network = create_model(architecture, num_classes=0, in_channels=in_channels, **options.chosen())
    maps = Pyramid(network, architecture, pyramid)
    head: DenseHead
    if detector == "fcos":
        head = FCOSHead(maps.width, num_classes, maps.strides, fcos)
    else:
        head = RetinaNetHead(maps.width, num_classes, maps.strides, retinanet)
    return DetectorNetwork(maps, head, (canvas[0], canvas[1]), decoding)
