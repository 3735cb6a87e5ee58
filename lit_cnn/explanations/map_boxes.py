"""From a map of evidence to boxes: what lies above a share of its maximum, and around each connected region of that the
tightest box (Zhou et al. 2016, arXiv:1512.04150, section 3.2)."""

from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

_EIGHT_NEIGHBORS = np.ones((3, 3), dtype=bool)
"""Positions that touch at a corner are connected, as in OpenCV's contours, which the protocols' code uses."""


class RegionBoxes(NamedTuple):
    """The connected regions of a map at a threshold.

    Attributes:
        boxes: (R, 4) float64, left, top, right, bottom in positions of the map, which spans [0, width] x [0, height].
        largest: Number of the region with the most positions, of equal ones the first from the top; None where R is 0.
    """

    boxes: Tensor
    largest: int | None


def region_boxes(levels: np.ndarray, threshold: float) -> RegionBoxes:
    """The tightest box around each connected region of a map.

    A region's levels are above 0 and at least the threshold, so that at a threshold of 1 the maximum is left and at 0
    all that speaks for the class. A map that is nowhere above 0 has no region.

    Args:
        levels: Float (H, W), of either sign.
        threshold: Share of the map's maximum, from 0 to 1.
    """
    least = threshold * levels.max()
    numbered, count = ndimage.label((levels > 0) & (levels >= least), structure=_EIGHT_NEIGHBORS)
    if not count:
        return RegionBoxes(torch.zeros(0, 4, dtype=torch.float64), None)
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in ndimage.find_objects(numbered)]
    return RegionBoxes(torch.tensor(boxes, dtype=torch.float64), int(sizes.argmax()))
