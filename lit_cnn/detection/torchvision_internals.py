"""What is used of torchvision's detectors that it does not document: an upgrade of torchvision is adapted to here."""

from torchvision.models.detection._utils import BoxCoder, BoxLinearCoder, Matcher, SSDMatcher
from torchvision.models.detection.rpn import concat_box_prediction_layers

__all__ = ["BoxCoder", "BoxLinearCoder", "Matcher", "SSDMatcher", "concat_box_prediction_layers"]
