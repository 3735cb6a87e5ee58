"""The boxes that a dense head starts from, at every position of every level of the pyramid."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator

Grid = tuple[int, int]
"""Height and width of a map."""


class StartingBoxes(Protocol):
    """Boxes at every position of every map."""

    def boxes(self, grids: Sequence[Grid], device: torch.device) -> list[Tensor]:
        """(A_level, 4) float32 for each level, row by row of the map, in pixels of the canvas."""


class Anchors:
    """Anchors of the maps of a pyramid: float32 whatever the maps' type, each centered at (column, row) x stride.

    torchvision divides the image's sides by the map's, which misplaces the anchors of a map whose side was rounded up,
    and gives coordinates of the map's type, which are whole multiples of 2 or 4 px under bfloat16.

    Args:
        sizes: For each level the sides in px of a square of the anchor's area.
        aspect_ratios: Heights over widths.
        strides: Of the levels, in px.

    Raises:
        ValueError: If a side of an anchor is 0 once it is rounded to whole pixels on both sides of its center.
    """

    def __init__(self, sizes: Sequence[Sequence[int]], aspect_ratios: Sequence[float], strides: Sequence[int]) -> None:
        self.strides = tuple(strides)
        ratios = (tuple(aspect_ratios),) * len(sizes)
        self.generator = AnchorGenerator(tuple(tuple(level) for level in sizes), ratios)
        for stride, corners in zip(self.strides, self.generator.cell_anchors, strict=True):
            if (corners[:, 2:] <= corners[:, :2]).any():
                raise ValueError(f"an anchor of stride {stride} has a side of 0 px: raise anchor_scale")

    @property
    def per_position(self) -> int:
        return self.generator.num_anchors_per_location()[0]

    def boxes(self, grids: Sequence[Grid], device: torch.device) -> list[Tensor]:
        """(h w per_position, 4) float32 for each level, row by row of the map, in pixels of the canvas."""
        self.generator.set_cell_anchors(torch.float32, device)
        strides: Any = [(stride, stride) for stride in self.strides]  # numbers serve where tensors are asked for
        return self.generator.grid_anchors([list(grid) for grid in grids], strides)
