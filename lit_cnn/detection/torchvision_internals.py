"""What is used of torchvision's detectors that it does not document: an upgrade of torchvision is adapted to here."""

from collections.abc import Sequence

from torch import Tensor
from torchvision.models.detection._utils import BoxCoder, BoxLinearCoder, Matcher, SSDMatcher
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.rpn import concat_box_prediction_layers

__all__ = ["BoxCoder", "BoxLinearCoder", "Matcher", "SSDMatcher", "concat_box_prediction_layers", "default_boxes"]


def default_boxes(generator: DefaultBoxGenerator, grids: Sequence[tuple[int, int]], sides: tuple[int, int]) -> Tensor:
    """SSD's default boxes (B, 4) on the CPU as (x, y, width, height) of their centers, in shares of the image.

    Args:
        generator: Scales and aspect ratios.
        grids: Height and width of each map.
        sides: Of the image, which only fixed steps need.
    """
    return generator._grid_default_boxes([list(grid) for grid in grids], list(sides))
