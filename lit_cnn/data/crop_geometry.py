"""Where the evaluation's crop lies in its image file: boxes and maps between the two.

Resize and crop move points along each axis by a scale and an offset alone, so points are moved exactly; only the levels
of a map are interpolated.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_cnn.data.image_size import Sides, center, covering
from lit_cnn.data.preprocessing import Preprocessing


@dataclass(frozen=True)
class CropGeometry:
    """The way from a file to the evaluation's crop.

    Points and boxes are in pixels, where an image spans [0, width] x [0, height].

    Args:
        file: Height and width of the file.
        resized: Height and width to which it is resized.
        top: Of the crop in the resized image; negative where the crop is higher than it.
        left: Of the crop in the resized image.
        crop: Height and width of the crop.
    """

    file: Sides
    resized: Sides
    top: int
    left: int
    crop: Sides

    @classmethod
    def of(cls, file: Sides, preprocessing: Preprocessing) -> "CropGeometry":
        """That of a file of height and width ``file`` under ``evaluate_images``."""
        squashed, crop = preprocessing.resize_mode == "squash", preprocessing.image_size
        resized = preprocessing.box if squashed else covering(file, preprocessing.box)
        return cls(file, resized, *center(resized, crop), crop)

    def to_file(self, boxes: Tensor) -> Tensor:
        """(M, 4) in pixels of the file from (M, 4) left, top, right, bottom in pixels of the crop; clamped to the file,
        which a crop larger than the resized image exceeds."""
        moved = (boxes + self._offset(boxes)) / self._scale(boxes)
        return moved.clamp(min=0).minimum(_corners(self.file, boxes))

    def to_crop(self, boxes: Tensor) -> Tensor:
        """(M, 4) in pixels of the crop from (M, 4) in pixels of the file; clamped to the crop, so that a box outside of
        it becomes a line or a point of its border."""
        moved = boxes * self._scale(boxes) - self._offset(boxes)
        return moved.clamp(min=0).minimum(_corners(self.crop, boxes))

    def map_to_file(self, crop_map: Tensor, sides: Sides | None = None) -> Tensor:
        """A map of the crop as a map of the file.

        Args:
            crop_map: Float (h, w), spread over the crop, of any size.
            sides: Height and width of the result, which is spread over the whole file; None: those of the file.

        Returns:
            (*sides), bilinear between the centers of the map's positions, and 0 where the crop does not show the file.
        """
        height, width = sides or self.file
        rows = self._places(height, 0, self.top)
        columns = self._places(width, 1, self.left)
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        levels = F.grid_sample(
            crop_map.double()[None, None], grid[None], mode="bilinear", padding_mode="border", align_corners=False
        )
        shown = (grid.abs() <= 1).all(dim=-1)
        return (levels[0, 0] * shown).to(crop_map.dtype)

    def _places(self, count: int, axis: int, start: int) -> Tensor:
        """(count,) the centers of ``count`` equal parts of the file's side, on the crop's side as [-1, 1]."""
        resized = (torch.arange(count, dtype=torch.float64) + 0.5) * self.resized[axis] / count
        return 2 * (resized - start) / self.crop[axis] - 1

    def _scale(self, like: Tensor) -> Tensor:
        """(4,) pixels of the resized image per pixel of the file."""
        return _corners(self.resized, like) / _corners(self.file, like)

    def _offset(self, like: Tensor) -> Tensor:
        """(4,) of the crop in the resized image."""
        return _corners((self.top, self.left), like)


def _corners(sides: Sides, like: Tensor) -> Tensor:
    """(4,) width, height, width, height."""
    return torch.tensor([sides[1], sides[0]], dtype=like.dtype).repeat(2)
