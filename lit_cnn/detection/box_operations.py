"""The image operations of RandAugment and AutoAugment on an image together with its boxes.

Operations on colors, and cutout, leave the boxes as they are. Rotation, shear and translation move each to the smallest
box around its four moved corners, as in AutoAugment for detection (Zoph et al. 2019, arXiv:1906.11172), cut to the
image. An operation inside boxes changes the pixels of each chosen box alone and leaves the boxes.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.operations import Fill, Step, apply
from lit_cnn.detection.canvas import box_areas, clamp_boxes


class BoxStep(NamedTuple):
    """One operation on an image with boxes.

    Attributes:
        step: What is done.
        inside: (M,) bool, the boxes inside each of which it is done, in their order; None does it to the whole image.
    """

    step: Step
    inside: Tensor | None = None


class Scene(NamedTuple):
    """An image and its boxes on the way through the operations, each of which keeps the number of boxes.

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


def apply_box_steps(scene: Scene, steps: Sequence[BoxStep], fill: Fill = None) -> Scene:
    """Apply operations in their order; a pixel takes its nearest origin.

    Args:
        scene: image and boxes, which are not changed.
        steps: what to do.
        fill: as of ``operations.apply``.
    """
    if not steps:
        return scene
    picture = functional.to_pil_image(scene.image)  # which is faster at these than tensors are
    for step, inside in steps:
        if inside is not None:
            picture = _apply_inside(picture, scene.boxes[inside], step, fill)
            continue
        picture = apply(picture, step, fill)
        matrix = forward_matrix(step, picture.height, picture.width)
        if matrix is not None:
            scene = scene.moved(scene.image, hulls(scene.boxes, matrix))
    return scene._replace(image=functional.pil_to_tensor(picture))


def forward_matrix(step: Step, height: int, width: int) -> Tensor | None:
    """(2, 3) from a place (x, y, 1) in pixels of an image to where ``operations.apply`` moves it; None where it moves
    nothing. Rotation turns about the center, shear leaves the upper left corner."""
    name, value, _ = step
    if name == "Rotate":
        cosine, sine = math.cos(math.radians(value)), math.sin(math.radians(value))
        across, down = width / 2, height / 2
        return torch.tensor(
            [
                [cosine, sine, across - cosine * across - sine * down],
                [-sine, cosine, down + sine * across - cosine * down],
            ]
        )
    if name == "ShearX":
        return torch.tensor([[1.0, -value, 0.0], [0.0, 1.0, 0.0]])
    if name == "ShearY":
        return torch.tensor([[1.0, 0.0, 0.0], [-value, 1.0, 0.0]])
    if name == "TranslateX":
        return torch.tensor([[1.0, 0.0, int(value)], [0.0, 1.0, 0.0]])
    if name == "TranslateY":
        return torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, int(value)]])
    return None


def hulls(boxes: Tensor, matrix: Tensor) -> Tensor:
    """(M, 4) smallest boxes around the corners of ``boxes`` (M, 4), moved by ``matrix`` (2, 3)."""
    corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]]
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    return torch.cat([moved.amin(1), moved.amax(1)], 1)


def _apply_inside(picture: Image.Image, boxes: Tensor, step: Step, fill: Fill) -> Image.Image:
    """A copy where the operation is applied to the pixels of each of ``boxes`` (M, 4) alone, in their order."""
    picture = picture.copy()
    for left, top, right, bottom in boxes.tolist():
        place = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
        if place[0] < place[2] and place[1] < place[3]:
            picture.paste(apply(picture.crop(place), step, fill), place[:2])
    return picture
