"""The typed fields ``mixup``, ``cutmix`` and ``mixing`` of a recipe's ``data`` section."""

from dataclasses import dataclass

from lit_cnn.data.settings import require, require_probability


@dataclass
class Mixup:
    """mixup (Zhang et al. 2017): convex combinations of two images and their targets.

    Args:
        alpha: the share is drawn from Beta(alpha, alpha) once per optimizer step (see mixing.per_image); 0 is off.
        probability: share of the optimizer steps, or images, that mix.
    """

    alpha: float = 0.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "mixup.alpha", self.alpha, "0 (off) or positive")
        require_probability("mixup.probability", self.probability)


@dataclass
class CutMix:
    """CutMix (Yun et al. 2019): a box of another image, targets mixed by area.

    Args:
        alpha: the share is drawn from Beta(alpha, alpha) once per optimizer step (see mixing.per_image); 0 is off.
        probability: share of the optimizer steps, or images, that mix.
    """

    alpha: float = 0.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "cutmix.alpha", self.alpha, "0 (off) or positive")
        require_probability("cutmix.probability", self.probability)


@dataclass
class Mixing:
    """How mixup and CutMix share the optimizer steps, or the images.

    NFNet (Brock et al. 2021) mixes first, half of the batch by mixup and the other half by CutMix: first and per_image
    with switch_probability 0.5.

    Args:
        switch_probability: probability of CutMix instead of mixup where both are on.
        stop_epoch: first epoch without any mixing; null mixes to the end.
        first: mix the cropped and flipped images before colours, shear, AutoAugment, RandAugment, cutout and erasing
            instead of after them.
        per_image: draw share, box, whether to mix, and mixup or CutMix for each image instead of once per optimizer
            step.
    """

    switch_probability: float = 0.5
    stop_epoch: int | None = None
    first: bool = False
    per_image: bool = False

    def __post_init__(self) -> None:
        require_probability("mixing.switch_probability", self.switch_probability)
        valid = self.stop_epoch is None or self.stop_epoch >= 0
        require(valid, "mixing.stop_epoch", self.stop_epoch, "null or an epoch number")
