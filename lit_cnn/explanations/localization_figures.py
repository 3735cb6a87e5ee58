"""Figures of localization by their protocols, and of boxes that need no network.

- Top-1 localization: the predicted class is right and the box of its map has an IoU above 0.5 with a true box of it
  (Russakovsky et al. 2015, "ImageNet Large Scale Visual Recognition Challenge", section 4.2, as accuracy). Of images.
- GT-known localization: the same with the map of the true class, whatever the network predicts.
- MaxBoxAcc: GT-known at an IoU of at least 0.5 with the threshold that is best on these very images; MaxBoxAccV2: of
  all regions' boxes the best counts, mean over IoU 0.3, 0.5 and 0.7 with the best threshold of each (Choe et al. 2020,
  "Evaluating Weakly Supervised Object Localization Methods Right", arXiv:2001.07437, and its extension
  arXiv:2007.04178).

An image with boxes of several classes counts once for each of them, except in top-1 localization.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lit_cnn.explanations.localization import LocalizedImage, Overlaps, swept

IOU = 0.5
IOUS = (0.3, 0.5, 0.7)
"""Of MaxBoxAccV2."""


@dataclass(frozen=True)
class LocalizationFigures:
    """Figures of one way to a box, each a share in [0, 1].

    Attributes:
        name: The way.
        top1: Top-1 localization.
        gt_known: GT-known localization.
        max_box_acc: MaxBoxAcc.
        max_box_acc_v2: MaxBoxAccV2.
        best_threshold: That of MaxBoxAcc, of equally good ones the lowest; None of boxes without a threshold.
    """

    name: str
    top1: float
    gt_known: float
    max_box_acc: float
    max_box_acc_v2: float
    best_threshold: float | None


def map_figures(name: str, images: Sequence[LocalizedImage], threshold: float) -> LocalizationFigures:
    """Those of the maps, whose boxes were found at ``threshold``."""
    thresholds = swept(threshold)
    overlaps = [image.overlaps for image in images]
    found = _figures(name, images, overlaps, thresholds.index(threshold))
    accuracy = (_stacked(overlaps, "largest") >= IOU).double().mean(dim=0)
    return LocalizationFigures(*found, best_threshold=thresholds[int(accuracy.argmax())])


def box_figures(
    name: str, images: Sequence[LocalizedImage], box_of: Callable[[LocalizedImage, Tensor], Tensor]
) -> LocalizationFigures:
    """Those of boxes without a threshold.

    Args:
        name: What they are called.
        images: N images.
        box_of: From an image and its true boxes (M, 4) of a class to boxes (B, 4) in pixels of the file, of which the
            best counts.
    """
    overlaps = []
    for image in images:
        own = {}
        for number, true in image.true.items():
            best = box_iou(box_of(image, true), true).max()[None]
            own[number] = Overlaps(best, best)
        overlaps.append(own)
    return LocalizationFigures(*_figures(name, images, overlaps, 0), best_threshold=None)


def best_threshold(images: Sequence[LocalizedImage], thresholds: Sequence[float]) -> float:
    """The threshold of the highest GT-known localization, of equally good ones the lowest; ``thresholds`` are those of
    the overlaps."""
    accuracy = (_stacked([image.overlaps for image in images], "largest") > IOU).double().mean(dim=0)
    return thresholds[int(accuracy.argmax())]


def whole_image(image: LocalizedImage, _true: Tensor) -> Tensor:
    """(1, 4) around all of it."""
    height, width = image.geometry.file
    return torch.tensor([[0, 0, width, height]], dtype=torch.float64)


def center_box(size: tuple[float, float]) -> Callable[[LocalizedImage, Tensor], Tensor]:
    """(1, 4) in the middle, of a width and height that are shares of the image's."""

    def box_of(image: LocalizedImage, _true: Tensor) -> Tensor:
        height, width = image.geometry.file
        wide, high = size[0] * width / 2, size[1] * height / 2
        box = [width / 2 - wide, height / 2 - high, width / 2 + wide, height / 2 + high]
        return torch.tensor([box], dtype=torch.float64)

    return box_of


def true_in_crop(image: LocalizedImage, true: Tensor) -> Tensor:
    """(M, 4) the true boxes as far as the crop shows them: no map of the crop can do better."""
    return image.geometry.to_file(image.geometry.to_crop(true))


def _figures(
    name: str, images: Sequence[LocalizedImage], overlaps: Sequence[Mapping[int, Overlaps]], place: int
) -> tuple[str, float, float, float, float]:
    """Name and figures but the best threshold, where ``place`` is that of the chosen threshold among T."""
    largest, best = _stacked(overlaps, "largest"), _stacked(overlaps, "any")
    pairs = zip(images, overlaps, strict=True)
    top1 = [image.right and float(own[image.predicted].largest[place]) > IOU for image, own in pairs]
    v2 = [float((best >= least).double().mean(dim=0).max()) for least in IOUS]
    return (
        name,
        sum(top1) / len(top1),
        float((largest[:, place] > IOU).double().mean()),
        float((largest >= IOU).double().mean(dim=0).max()),
        sum(v2) / len(v2),
    )


def _stacked(overlaps: Sequence[Mapping[int, Overlaps]], of: str) -> Tensor:
    """(P, T) of all pairs of an image and a true class."""
    return torch.stack([getattr(each, of) for own in overlaps for each in own.values()])
