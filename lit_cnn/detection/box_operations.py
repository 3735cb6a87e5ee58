"""Operations on an image together with its boxes."""

from typing import NamedTuple

import torch
from torch import Tensor

from lit_cnn.detection.canvas import box_areas, clamp_boxes


class Scene(NamedTuple):
    """An image and its boxes on the way through the operations, each of which keeps all boxes.

    Attributes:
        image: (3, h, w) uint8.
        boxes: (M, 4) float32 in its pixels, inside of it; those that left it are lines or points of its border.
        visible: (M,) float32, the share of each box that remains: over all operations so far, the product of the
            moved box's area inside the image and its whole area.
    """

    image: Tensor
    boxes: Tensor
    visible: Tensor

    @classmethod
    def of(cls, image: Tensor, boxes: Tensor) -> "Scene":
        """An image (3, h, w) with boxes (M, 4) of which parts may lie outside of it."""
        return cls(image, boxes, torch.ones(len(boxes))).moved(image, boxes)

    def moved(self, image: Tensor, boxes: Tensor) -> "Scene":
        """The scene after an operation that gave ``image`` and moved the boxes to ``boxes`` (M, 4), which are cut to
        it."""
        height, width = image.shape[-2:]
        inside, whole = clamp_boxes(boxes, width, height), box_areas(boxes)
        share = torch.where(whole > 0, box_areas(inside) / whole, 0.0)
        return Scene(image, inside, self.visible * share)

    def kept(self, share: float, side: float) -> Tensor:
        """(M,) bool, which boxes have positive sides of at least ``side`` pixels and a visible share of at least
        ``share``."""
        least = (self.boxes[:, 2:] - self.boxes[:, :2]).amin(1)
        return (self.visible >= share) & (least >= side) & (least > 0)


def flip_boxes(scene: Scene, dim: int) -> Scene:
    """Mirror along ``dim`` of the image (3, h, w): 2 exchanges left and right, 1 top and bottom."""
    boxes, side = scene.boxes.clone(), scene.image.shape[dim]
    first = 2 - dim
    boxes[:, [first, first + 2]] = side - scene.boxes[:, [first + 2, first]]
    return scene._replace(image=scene.image.flip(dim), boxes=boxes)
