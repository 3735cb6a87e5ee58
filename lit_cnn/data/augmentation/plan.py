"""What changes from epoch to epoch: the one function of the epoch that the loader's workers, mixing on the device, the
dropout rate and the cost of a recipe follow.

Progressive learning (Tan and Le 2021, arXiv:2104.00298, section 4.2 and Algorithm 1) divides training into stages of
equal length, in which image size, RandAugment's magnitude, the alphas of mixing and the dropout rate grow linearly
together.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lit_cnn.data.image_size import ImageSize, as_stated, sides_of, with_shorter_side
from lit_cnn.data.settings import require, require_image_size


@dataclass(frozen=True)
class Stage:
    """The settings of ``first_epoch`` and the epochs after it, up to the next stage.

    Args:
        first_epoch: first epoch of the stage.
        image_size: size in pixels of the training images, as data.image_size states it.
        magnitude: RandAugment's magnitude.
        mixup_alpha: mixup's alpha; 0 is off.
        cutmix_alpha: CutMix's alpha; 0 is off.
        share: how far the stage is on the way from the first values of progressive learning (0) to the recipe's own
            (1), which the dropout rate follows.
    """

    first_epoch: int
    image_size: ImageSize
    magnitude: float
    mixup_alpha: float
    cutmix_alpha: float
    share: float = 1.0

    def __post_init__(self) -> None:
        require(self.first_epoch >= 0, "stages.first_epoch", self.first_epoch, "0 or a later epoch")
        require_image_size("stages.image_size", self.image_size)
        for name in ("magnitude", "mixup_alpha", "cutmix_alpha"):
            require(getattr(self, name) >= 0, f"stages.{name}", getattr(self, name), "0 or positive")


@dataclass(frozen=True)
class EpochPlan:
    """From an epoch to its settings. Can be pickled.

    Args:
        stages: in the order of their first epochs, from 0 on.

    Raises:
        ValueError: if the first epochs do not increase from 0 on.
    """

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        firsts = [stage.first_epoch for stage in self.stages]
        if firsts[:1] != [0] or not all(early < late for early, late in pairwise(firsts)):
            raise ValueError(
                f"the stages of the data begin with epochs {firsts}, but the first must begin with epoch 0 and each "
                "other after the one before"
            )

    def at(self, epoch: int) -> Stage:
        """The settings of ``epoch``."""
        return self.stages[bisect.bisect_right(self.stages, epoch, key=lambda stage: stage.first_epoch) - 1]

    def without_mixing_from(self, epoch: int | None) -> "EpochPlan":
        """The plan with mixup and CutMix off from ``epoch`` on; None leaves it as it is."""
        if epoch is None:
            return self
        stages = []
        for first in sorted({epoch, *(stage.first_epoch for stage in self.stages)}):
            stage = replace(self.at(first), first_epoch=first)
            stages.append(stage if first < epoch else replace(stage, mixup_alpha=0.0, cutmix_alpha=0.0))
        return EpochPlan(tuple(stages))


def stage_shares(stages: int, includes_start: bool) -> tuple[float, ...]:
    """How far each stage is on the way from the first values (0) to the last (1).

    Stage i of M is at i / (M - 1) in the paper's Algorithm 1; without the start it is at (i + 1) / M, as in released
    code, which never trains on the first values themselves.
    """
    if stages == 1:
        return (1.0,)
    if includes_start:
        return tuple(number / (stages - 1) for number in range(stages))
    return tuple((number + 1) / stages for number in range(stages))


def between(first: float, last: float, share: float) -> float:
    """The value at ``share`` of the way from ``first`` to ``last``."""
    return first + (last - first) * share


def first_epochs(stages: int, epochs: int) -> tuple[int, ...]:
    """The epoch with which each of ``stages`` equally long stages begins; earlier ones are the longer by rounding."""
    return tuple(-(-number * epochs // stages) for number in range(stages))


def first_image_size(stated: ImageSize | None, last: ImageSize) -> ImageSize:
    """Size in pixels at share 0: ``stated``, of which one number is the shorter side of images of the aspect ratio of
    ``last``; None is ``last``."""
    if stated is None:
        return last
    return as_stated(with_shorter_side(sides_of(last), stated)) if isinstance(stated, int) else stated


def image_sizes(first: ImageSize, last: ImageSize, shares: Sequence[float]) -> list[ImageSize]:
    """Size in pixels of the training images at each share of the way."""
    (height, width), (high, wide) = sides_of(first), sides_of(last)
    sizes = [(round(between(height, high, share)), round(between(width, wide, share))) for share in shares]
    return [as_stated(size) for size in sizes]


def progressive_stages(first: Stage, last: Stage, shares: Sequence[float], epochs: int) -> tuple[Stage, ...]:
    """Equally long stages of a run of ``epochs`` epochs, on the way from the values of ``first`` to those of ``last``.

    Args:
        first: the values at share 0; its epoch does not matter.
        last: the values at share 1; its epoch does not matter.
        shares: of each stage (see ``stage_shares``).
        epochs: at least as many as there are stages.
    """
    sizes = image_sizes(first.image_size, last.image_size, shares)
    return tuple(
        Stage(
            first_epoch=begin,
            image_size=size,
            magnitude=between(first.magnitude, last.magnitude, share),
            mixup_alpha=between(first.mixup_alpha, last.mixup_alpha, share),
            cutmix_alpha=between(first.cutmix_alpha, last.cutmix_alpha, share),
            share=share,
        )
        for begin, size, share in zip(first_epochs(len(shares), epochs), sizes, shares, strict=True)
    )
