"""What is used of torchvision's detectors that it does not document: an upgrade of torchvision is adapted to here."""

from torchvision.models.detection._utils import BoxCoder, BoxLinearCoder, Matcher

__all__ = ["BoxCoder", "BoxLinearCoder", "Matcher"]
