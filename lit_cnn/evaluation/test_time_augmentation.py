"""Views of an image: the crops, scales and mirror images whose predictions are averaged.

Every protocol resizes the shorter side, cuts crops of the network's image size, and is stated by its paper for squares
of 224 px; other image sizes scale it in proportion. Where the image size is not a square, its square of a scale is a
box of that aspect ratio with this shorter side (see ``Preprocessing``). Only ``multi_scale`` passes whole images, of
any size and aspect ratio, through the network up to its pooling. Where that ends in global pooling and a linear layer,
this is the average over all positions; VGG's dense evaluation instead turns its linear layers into convolutions, while
ours pools the map to the side its first linear layer reads.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from lit_cnn.data.image_size import Sides, as_stated, center
from lit_cnn.data.preprocessing import Preprocessing, resized_images
from lit_cnn.data.resizing import ResizedImages
from lit_cnn.evaluation.choices import ViewKind

_LOOSE = 0.875
"""Side of the crop / shorter side where the checkpoint's own length leaves too little room around the crop."""
_GRID = 5


def default_scales(kind: ViewKind, preprocessing: Preprocessing) -> tuple[int, ...]:
    """Shorter sides in pixels.

    center and flip take the checkpoint's; ten takes it too, or image_size / 0.875 where the image would not be larger
    than the crop (32 -> 37); googlenet 8/7, 9/7, 10/7 and 11/7 of image_size (256 to 352 for 224, Szegedy et
    al. 2014, section 7); grid and multi_scale 7/8, 1 and 9/8 of the shorter side (VGG's S - 32, S and S + 32 at
    S = 256, Simonyan and Zisserman 2014, section 4.2), where grid starts from image_size / 0.875 at least, so that
    7/8 of it has room for the crops.
    """
    size, own = min(preprocessing.image_size), preprocessing.resize
    loose = round(size / _LOOSE)
    if kind == "googlenet":
        return tuple(round(size * (7 + step) / 7) for step in (1, 2, 3, 4))
    if kind in ("grid", "multi_scale"):
        middle = max(own, loose) if kind == "grid" else own
        return tuple(round(middle * eighths / 8) for eighths in (7, 8, 9))
    return (loose,) if kind == "ten" and own <= size else (own,)


@dataclass(frozen=True)
class Views:
    """From uint8 images (n, C, H, W) to their views; picklable.

    Args:
        kind: center: the center crop. flip: it and its mirror image. ten: four corners and center of the central
            square, mirrored (Krizhevsky et al. 2012, section 4.1). grid: 5 x 5 crops evenly over the image,
            mirrored (VGG, section 3.2). googlenet: the squares at both ends and the middle of the image, of each the
            four corners, the center and the square itself resized, mirrored: 4 x 3 x 6 x 2 = 144 crops (Szegedy et al.
            2014, section 7). multi_scale: the whole image (He et al. 2015, section 3.4), or the central square of one
            whose sides differ more than 50-fold.
        preprocessing: Of the checkpoint.
        scales: Shorter sides in pixels.
        flip: Add the mirror image of each view; the other kinds than center and multi_scale have them anyway.
        padding: Black pixels added on each side before the crops of ten are cut, as in a training that pads.

    Raises:
        ValueError: If a scale is not positive or smaller than the crops.
    """

    kind: ViewKind
    preprocessing: Preprocessing
    scales: tuple[int, ...]
    flip: bool = False
    padding: int = 0

    def __post_init__(self) -> None:
        size = self.preprocessing.image_size
        smallest = 1 if self.kind == "multi_scale" else min(size)
        if not self.scales or min(self.scales) < smallest:
            raise ValueError(
                f"--scales {' '.join(str(scale) for scale in self.scales)} has a shorter side below the {smallest} px "
                f"that the views {self.kind} need; only multi_scale takes smaller ones than the crop of "
                f"{as_stated(size)} px"
            )

    def __call__(self, images: Tensor, rows: Tensor) -> list[Tensor]:
        """One uint8 tensor (n, views, C, height, width) for each size of view; ``rows`` are not used."""
        views = []
        for scale in self.scales:
            scaled = replace(self.preprocessing, resize=scale)
            crops = self._crops(resized_images(images, scaled), scaled.box)
            views.append(torch.cat([crops, crops.flip(-1)], 1) if self._mirrors else crops)
        return views if self.kind == "multi_scale" else [torch.cat(views, 1)]

    @property
    def _mirrors(self) -> bool:
        return self.flip or self.kind not in ("center", "multi_scale")

    def _crops(self, resized: ResizedImages, box: Sides) -> Tensor:
        if self.kind == "ten":
            return self._ten(resized, box)
        if self.kind == "grid":
            return self._grid(resized)
        if self.kind == "googlenet":
            return self._googlenet(resized, box)
        if self.kind == "multi_scale":
            return (resized.center(*box) if resized.in_parts else resized.whole)[:, None]
        return resized.center(*self.preprocessing.image_size)[:, None]

    def _ten(self, resized: ResizedImages, box: Sides) -> Tensor:
        (top, left), padding = center(resized.sides, box), self.padding
        square = resized.window(top - padding, left - padding, box[0] + 2 * padding, box[1] + 2 * padding)
        return torch.stack(functional.five_crop(square, list(self.preprocessing.image_size)), 1)

    def _grid(self, resized: ResizedImages) -> Tensor:
        size = self.preprocessing.image_size
        tops, lefts = (
            [round(step * (side - crop) / (_GRID - 1)) for step in range(_GRID)]
            for side, crop in zip(resized.sides, size, strict=True)
        )
        return torch.stack([resized.window(top, left, *size) for top in tops for left in lefts], 1)

    def _googlenet(self, resized: ResizedImages, box: Sides) -> Tensor:
        size, mode = list(self.preprocessing.image_size), InterpolationMode(self.preprocessing.interpolation)
        crops: list[Tensor] = []
        for top, left in _both_ends_and_middle(resized.sides, box):
            square = resized.window(top, left, *box)
            crops += [*functional.five_crop(square, size), functional.resize(square, size, mode, antialias=True)]
        return torch.stack(crops, 1)


def make_views(
    kind: ViewKind,
    preprocessing: Preprocessing,
    scales: tuple[int, ...] | None = None,
    flip: bool = False,
    padding: int = 0,
) -> Views:
    """Views at the given shorter sides in pixels, or at the kind's own (``default_scales``).

    ``padding`` is that of a training on padded images: where nothing else is asked for, the crops of ten are then cut
    from the image padded in the same way instead of from a larger one.
    """
    if kind == "ten" and padding and not scales:
        return Views(kind, preprocessing, default_scales("center", preprocessing), flip, padding)
    return Views(kind, preprocessing, tuple(scales or default_scales(kind, preprocessing)), flip)


def _both_ends_and_middle(sides: Sides, box: Sides) -> list[tuple[int, int]]:
    """Top and left of the boxes at both ends and in the middle of the side that is longer than the box's; one where
    there is none."""
    down, across = sides[0] - box[0], sides[1] - box[1]
    return list(dict.fromkeys([(0, 0), (down // 2, across // 2), (down, across)]))
