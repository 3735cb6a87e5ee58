"""Progressive learning (Tan & Le 2021, section 4.2): what a stage makes of the recipe's own values."""

from dataclasses import replace

from lit_cnn.data.augmentation.mixing import MixingAlphas
from lit_cnn.data.augmentation.plan import Augmentation
from lit_cnn.data.settings import Stage


def first_epochs(stages: tuple[Stage, ...]) -> tuple[int, ...]:
    """First epoch of each part of the training; the part before the first stage, if any, begins with epoch 0."""
    firsts = tuple(stage.first_epoch for stage in stages)
    return firsts if firsts[:1] == (0,) else (0, *firsts)


def stage_at(stages: tuple[Stage, ...], epoch: int) -> Stage | None:
    """The stage to which ``epoch`` belongs; None before the first one, or without stages."""
    begun = [stage for stage in stages if stage.first_epoch <= epoch]
    return max(begun, key=lambda stage: stage.first_epoch, default=None)


def staged_augmentation(own: Augmentation, stage: Stage | None) -> Augmentation:
    """``own`` with the stage's image size and magnitude."""
    if stage is None:
        return own
    magnitude = own.rand_augment.magnitude if stage.magnitude is None else stage.magnitude
    return replace(own, image_size=stage.image_size, rand_augment=replace(own.rand_augment, magnitude=magnitude))


def staged_alphas(own: MixingAlphas, stage: Stage | None) -> MixingAlphas:
    """``own`` with the alphas that the stage states."""
    if stage is None:
        return own
    return MixingAlphas(
        own.mixup if stage.mixup_alpha is None else stage.mixup_alpha,
        own.cutmix if stage.cutmix_alpha is None else stage.cutmix_alpha,
    )
