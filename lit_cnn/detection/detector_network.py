"""What every detector's network is, whichever its heads: images of one canvas in, losses or detections out."""

import contextlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lit_cnn.architectures.network import Network
from lit_cnn.detection.boxes import BoxBatch, Detections
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.pyramid import BackboneMaps


class DetectorNetwork(nn.Module):
    """Maps of images of one size, and heads that subclasses add.

    The network's layers run under the caller's autocast; anchors, matching, losses and boxes are float32 always.

    Args:
        pyramid: Maps of an image.
        canvas: Height and width of every image in px.
        decoding: Which boxes ``detect`` keeps; may be replaced at any time.
    """

    def __init__(self, pyramid: BackboneMaps, canvas: tuple[int, int], decoding: DecodingSettings) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.canvas = canvas
        self.decoding = decoding

    @property
    def backbone(self) -> Network:
        """The catalog's network without its head; its parameters have the catalog's names."""
        return self.pyramid.backbone

    def maps(self, images: Tensor) -> list[Tensor]:
        """The pyramid's maps of normalized images (N, C, H, W).

        Raises:
            ValueError: If the images are not of the canvas's size.
        """
        if tuple(images.shape[-2:]) != self.canvas:
            height, width = images.shape[-2:]
            raise ValueError(
                f"this detector was built for a canvas of {self.canvas[0]}x{self.canvas[1]} pixels (height x width), "
                f"got images of {height}x{width}"
            )
        return self.pyramid(images.to(next(self.parameters()).dtype))

    def losses(self, batch: BoxBatch) -> dict[str, Tensor]:
        """The losses, 0-dim float32 each, whose sum is trained on.

        Images whose ``index`` is negative are not counted, and each box counts by its share.
        """
        raise NotImplementedError

    def reached(self, boxes: Sequence[Tensor]) -> Tensor:
        """Which true boxes the anchors fit, those that they do not fit being hardly learned.

        Args:
            boxes: (M, 4) float32 of each image, in pixels of the canvas.

        Returns:
            Bool, one for each box of all images.
        """
        raise NotImplementedError

    def detect(self, images: Tensor) -> list[Detections]:
        """What is found in each of the normalized images (N, C, H, W), in pixels of the canvas."""
        raise NotImplementedError


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """A block without autocast: under bfloat16 coordinates would be multiples of 2 or 4."""
    return torch.autocast(device.type, enabled=False)


def sizes_of(maps: Sequence[Tensor]) -> list[tuple[int, int]]:
    """Height and width of each map."""
    return [(x.shape[2], x.shape[3]) for x in maps]


def as_counted_from_0(found: Detections, first_label: int) -> Detections:
    """Detections whose labels are columns of a head, with the labels that every other part knows.

    Args:
        found: Of one image.
        first_label: Column of class 0.
    """
    return found._replace(labels=found.labels - first_label)
