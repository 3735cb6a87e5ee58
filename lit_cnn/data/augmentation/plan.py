"""What happens to a single training image, and in which epoch."""

import bisect
from dataclasses import dataclass, field
from itertools import pairwise

from lit_cnn.data.erasing_settings import Cutout, RandomErasing
from lit_cnn.data.settings import (
    AutoAugmentPolicy,
    ColorJitter,
    Crop,
    Flip,
    RandAugment,
    Shear,
)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """All that happens to a single training image, in this order; ``fill`` is the data set's mean as uint8 levels.
    What is left out after the flips does not happen.

    Raises:
        ValueError: if the crop may be smaller than ``image_size``.
    """

    image_size: int
    crop: Crop
    flip: Flip
    color_jitter: ColorJitter = field(default_factory=ColorJitter)
    shear: Shear = field(default_factory=Shear)
    auto_augment: AutoAugmentPolicy = "none"
    rand_augment: RandAugment = field(default_factory=RandAugment)
    cutout: Cutout = field(default_factory=Cutout)
    random_erasing: RandomErasing = field(default_factory=RandomErasing)
    fill: tuple[int, ...]

    def __post_init__(self) -> None:
        self.crop.require_fit(self.image_size)


@dataclass(frozen=True)
class AugmentationPlan:
    """The augmentation as a function of the epoch: progressive learning without new loaders. Can be pickled.

    Args:
        first_epochs: increasing first epochs of the augmentations; the first is 0.
        augmentations: equally many.

    Raises:
        ValueError: if the epochs do not increase from 0 on.
    """

    first_epochs: tuple[int, ...]
    augmentations: tuple[Augmentation, ...]

    def __post_init__(self) -> None:
        increasing = all(early < late for early, late in pairwise(self.first_epochs))
        if self.first_epochs[:1] != (0,) or not increasing or len(self.augmentations) != len(self.first_epochs):
            raise ValueError(
                f"The stages of the augmentation begin with epochs {list(self.first_epochs)}, but each stage must "
                "begin after the one before, the first with epoch 0."
            )

    def number(self, epoch: int) -> int:
        """Which of the augmentations applies in ``epoch``."""
        return bisect.bisect_right(self.first_epochs, epoch) - 1

    def at(self, epoch: int) -> Augmentation:
        """The augmentation of ``epoch``."""
        return self.augmentations[self.number(epoch)]
