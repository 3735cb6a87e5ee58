"""All that happens to a training image and its boxes, in its order, as a function of (seed, epoch, index, repeat).

The image is resized, mirrored and distorted before the canvas cuts it or pads it: the padding neither counts in an
operation on colors nor moves into view. (The TPU code of RetinaNet distorts before it resizes.)
"""

from dataclasses import dataclass, field, fields
from typing import NamedTuple, get_args

import torch
from torch import Tensor

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.flip import Flip, mirrors
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.settings import require, require_probability, require_range
from lit_cnn.detection.box_mixup import BoxMixup
from lit_cnn.detection.box_operations import Scene, flip_boxes
from lit_cnn.detection.box_policies import BoxPolicy, auto_augment_boxes, rand_augment_boxes
from lit_cnn.detection.boxes import AnnotatedImage
from lit_cnn.detection.canvas import Canvas, resize


@dataclass(frozen=True)
class ScaleJitter:
    """Random size of the image on the canvas, as in the TPU code of RetinaNet and torchvision's ScaleJitter.

    Args:
        range: smallest and largest size; 1 just fits into the canvas. The factor is uniform between the two. A larger
            image is cut at a random place, a smaller one leaves more of the canvas empty, right of it and below.
    """

    range: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        require_range("scale_jitter.range", self.range, float("inf"))


@dataclass(frozen=True)
class Visibility:
    """Which boxes a training image keeps: what a cut, shear, translation or rotation moved outside is gone.

    Args:
        share: least share of a moved box's area that remains in the image; 0 keeps every box with any area.
        side: least side of what remains in pixels of the canvas.
    """

    share: float = 0.1
    side: float = 1.0

    def __post_init__(self) -> None:
        require_probability("visibility.share", self.share)
        require(self.side >= 0, "visibility.side", self.side, "0 or a positive number of pixels")


@dataclass(kw_only=True, eq=False)
class BoxAugmentation:
    """The fields of a detection recipe's ``data`` section that change training images, in the order in which they
    apply. Each default is the switched-off state, except for flip and visibility.

    Args:
        scale_jitter: random size.
        flip: random mirroring.
        auto_augment: v0 is AutoAugment's policy for detection (Zoph et al. 2019), or none.
        rand_augment: RandAugment; rotation, shear and translation move the boxes.
        visibility: which boxes remain after these.
        mixup: convex combinations of two images with the boxes of both.
    """

    scale_jitter: ScaleJitter = field(default_factory=ScaleJitter)
    flip: Flip = field(default_factory=Flip)
    auto_augment: BoxPolicy = "none"
    rand_augment: RandAugment = field(default_factory=RandAugment)
    visibility: Visibility = field(default_factory=Visibility)
    mixup: BoxMixup = field(default_factory=BoxMixup)


class Augmented(NamedTuple):
    """A training image on the canvas with its true boxes.

    Attributes:
        image: (3, H, W) uint8.
        boxes: (M, 4) float32 in pixels of the canvas, inside of it, with positive sides.
        labels: (M,) int64.
        scale: Pixels of the canvas per pixel of the file.
        offset: (x, y) on the canvas of the file's upper left corner, were the image neither mirrored nor distorted.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    scale: float
    offset: tuple[float, float]


class BoxTransform:
    """The augmentation of one image and its boxes as a function of its key; draws nothing from ambient generators. Can
    be pickled.

    Args:
        augmentation: what applies, mixup aside (see ``mix_boxes``).
        canvas: what the image becomes.
        seed: first part of the key.

    Raises:
        ValueError: If the policy has another name.
    """

    def __init__(self, augmentation: BoxAugmentation, canvas: Canvas, seed: int) -> None:
        own = {each.name: getattr(augmentation, each.name) for each in fields(BoxAugmentation)}
        self.augmentation, self.canvas, self.seed = BoxAugmentation(**own), canvas, seed
        policy = self.augmentation.auto_augment
        require(policy in get_args(BoxPolicy), "auto_augment", policy, f"one of {', '.join(get_args(BoxPolicy))}")

    def __call__(self, image: Tensor, annotated: AnnotatedImage, epoch: int, index: int, repeat: int) -> Augmented:
        """The augmented image with the boxes to find in it: those of crowds are left out, as are those that
        ``Visibility`` drops.

        Args:
            image: (3, h, w) uint8, decoded in full or at a reduced scale.
            annotated: its boxes, in pixels of the file.
            epoch: epoch.
            index: row of the split.
            repeat: copy.
        """
        draws = Draws(self.seed, epoch, torch.tensor([index]), torch.tensor([repeat]))
        objects = torch.from_numpy(~annotated.crowd)
        boxes = torch.from_numpy(annotated.boxes).float().reshape(-1, 4)[objects]
        labels = torch.from_numpy(annotated.labels)[objects]
        sides = (annotated.height, annotated.width)
        scale = self.canvas.fitting_scale(sides) * self._zoom(draws)
        resized, (across, down) = resize(image, sides, scale)
        scene = Scene.of(resized, self.canvas.boxes_to_canvas(boxes, scale, (across, down)))
        scene = self._mirrored(scene, draws)
        scene = auto_augment_boxes(scene, self.augmentation.auto_augment, draws)
        scene = rand_augment_boxes(scene, self.augmentation.rand_augment, self.canvas.fill, draws)
        scene, (left, top) = self._cut(scene, draws)
        kept = scene.kept(self.augmentation.visibility.share, self.augmentation.visibility.side)
        return Augmented(scene.image, scene.boxes[kept], labels[kept], scale, (across - left, down - top))

    def _zoom(self, draws: Draws) -> float:
        """Size of the image, 1 where it just fits."""
        low, high = self.augmentation.scale_jitter.range
        return low if low == high else low + (high - low) * draws("scale-jitter", 1).item()

    def _mirrored(self, scene: Scene, draws: Draws) -> Scene:
        for dim, chosen in mirrors(self.augmentation.flip, draws):
            if chosen.item():
                scene = flip_boxes(scene, dim + 3)
        return scene

    def _cut(self, scene: Scene, draws: Draws) -> tuple[Scene, tuple[int, int]]:
        """The scene on the canvas, and the left and top of the cut."""
        height, width = scene.image.shape[-2:]
        below, right = max(height - self.canvas.height, 0), max(width - self.canvas.width, 0)
        top = left = 0
        if below or right:
            down, across = draws("cut", 2)[0].tolist()
            top, left = int(down * (below + 1)), int(across * (right + 1))
        image = self.canvas.place(scene.image, top, left)
        moved = scene.boxes - torch.tensor([left, top, left, top], dtype=torch.float32)
        return scene.moved(image, moved), (left, top)
