"""What a recipe says of SSD."""

from dataclasses import dataclass
from typing import get_args

from lit_cnn.detection.targets import Normalizer


@dataclass(frozen=True)
class SSDSettings:
    """SSD's maps, default boxes and losses.

    Args:
        aspect_ratios: Of each map, fine to coarse, width over height of default boxes without the two square ones;
            each has its inverse as well.
        scales: Sides of the default boxes of each map, and one more, as shares of the canvas's sides.
        positive_iou: A default box belongs to the box it overlaps most if their IoU is at least this, and to a box
            that it overlaps more than all others do.
        negatives_per_positive: Default boxes of background that an image's class loss counts, those it gets most
            wrong, for each with an object.
        normalizer: By which number of matched default boxes the losses are divided: that of the image, batch (this
            process's) or global (all processes').
    """

    aspect_ratios: tuple[tuple[float, ...], ...] = ((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (2.0,), (2.0,))
    scales: tuple[float, ...] = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)
    positive_iou: float = 0.5
    negatives_per_positive: float = 3.0
    normalizer: Normalizer = "batch"

    def __post_init__(self) -> None:
        object.__setattr__(self, "aspect_ratios", tuple(tuple(level) for level in self.aspect_ratios))
        object.__setattr__(self, "scales", tuple(self.scales))
        if not self.aspect_ratios or min(min(level, default=1.0) for level in self.aspect_ratios) <= 0:
            stated = [list(level) for level in self.aspect_ratios]
            raise ValueError(f"ssd.aspect_ratios must be lists of positive numbers, one for each map, got {stated}")
        if len(self.scales) != len(self.aspect_ratios) + 1 or min(self.scales) <= 0:
            raise ValueError(
                f"ssd.scales must be {len(self.aspect_ratios) + 1} positive numbers, one more than ssd.aspect_ratios "
                f"has lists, got {list(self.scales)}"
            )
        if not 0.0 < self.positive_iou <= 1.0:
            raise ValueError(f"ssd.positive_iou must be above 0 and at most 1, got {self.positive_iou}")
        if self.negatives_per_positive <= 0:
            raise ValueError(f"ssd.negatives_per_positive must be positive, got {self.negatives_per_positive}")
        if self.normalizer not in get_args(Normalizer):
            known = " or ".join(get_args(Normalizer))
            raise ValueError(f"ssd.normalizer must be {known}, got {self.normalizer!r}")
