"""Progressive learning: small, weakly regularized images first, larger and harder ones later.

Tan and Le 2021, arXiv:2104.00298, section 4.2 and Algorithm 1. What a stage is, and which epoch belongs to which:
``data/augmentation/plan.py``.
"""

import math
from dataclasses import replace

import lightning.pytorch as pl

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.data.augmentation.plan import EpochPlan, Stage, between, first_image_size, progressive_stages, stage_shares
from lit_cnn.data.image_size import ImageSize, sides_of
from lit_cnn.data.module import ImageData
from lit_cnn.training.announce import announce
from lit_cnn.training.run_length import steps_of_epoch, steps_of_run


class ProgressiveLearning(pl.Callback):
    """Raise image size and regularization together, from the values given here to the recipe's own.

    Args:
        stages: Stages of equal length; 1 trains with the recipe's own values throughout.
        image_size: Size in pixels of the first stage's images: [height, width], or the shorter side of images of the
            aspect ratio of data.image_size; null keeps that.
        magnitude: RandAugment's magnitude in the first stage; null keeps data.rand_augment.magnitude.
        mixup: mixup's alpha in the first stage; null keeps data.mixup.alpha.
        cutmix: CutMix's alpha in the first stage; null keeps data.cutmix.alpha.
        dropout: Dropout rate of the first stage; null keeps the network's.
        includes_start: Whether the first stage has these values (the paper), or is already one of ``stages`` equal
            steps above them (the released code: 171 px instead of 128 on the way to 300 in four stages).
    """

    def __init__(
        self,
        stages: int = 1,
        image_size: ImageSize | None = None,
        magnitude: float | None = None,
        mixup: float | None = None,
        cutmix: float | None = None,
        dropout: float | None = None,
        includes_start: bool = True,
    ) -> None:
        given = {"magnitude": magnitude, "mixup": mixup, "cutmix": cutmix, "dropout": dropout}
        if stages < 1:
            raise ValueError(f"progressive_learning.stages must be at least 1, got {stages}")
        for name, value in given.items():
            if value is not None and value < 0:
                raise ValueError(f"progressive_learning.{name} must be at least 0, got {value}")
        if image_size is not None and min(sides_of(image_size)) < 1:
            raise ValueError(f"progressive_learning.image_size must be at least 1, got {image_size}")
        if stages == 1 and (image_size is not None or any(value is not None for value in given.values())):
            raise ValueError("progressive_learning has first values but a single stage: set stages to 2 or more")
        self.stages, self.image_size, self.includes_start = stages, image_size, includes_start
        self.magnitude, self.mixup, self.cutmix, self.dropout = magnitude, mixup, cutmix, dropout
        self._rates: list[tuple[Dropout, float]] = []
        self._plan: EpochPlan | None = None

    def plan(self, data: ImageData, epochs: int) -> tuple[Stage, ...]:
        """The data's stages in a run of ``epochs`` epochs, of which each has at most one."""
        stages = min(self.stages, epochs)
        if stages < self.stages:
            announce(f"progressive_learning.stages is {stages} instead of {self.stages}, one for each epoch of the run")
        last = data.own_stage
        first = replace(
            last,
            image_size=first_image_size(self.image_size, last.image_size),
            magnitude=last.magnitude if self.magnitude is None else self.magnitude,
            mixup_alpha=last.mixup_alpha if self.mixup is None else self.mixup,
            cutmix_alpha=last.cutmix_alpha if self.cutmix is None else self.cutmix,
        )
        return progressive_stages(first, last, stage_shares(stages, self.includes_start), epochs)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Give the data its stages before its loader is made."""
        if stage != "fit" or self.stages == 1:
            return
        data, epochs = trainer.datamodule, trainer.max_epochs  # type: ignore[attr-defined]
        if not isinstance(data, ImageData) or epochs is None or epochs < 1:
            raise ValueError("progressive_learning needs data.image_size to change and trainer.max_epochs to be set")
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return  # a single batch, at the recipe's own values: the most memory that the run will need
        steps = steps_of_epoch(trainer, data.steps_per_epoch)
        total = steps_of_run(trainer, steps)
        if steps and total:  # as the learning rate's schedule, which a run of max_steps passes through, too
            epochs = math.ceil(total / steps)
        data.stages = self.plan(data, epochs)
        self._plan = data.epoch_plan

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._rates = [(module, module.rate) for module in pl_module.modules() if isinstance(module, Dropout)]
        if self.dropout is not None and not any(rate > 0 for _, rate in self._rates):
            raise ValueError(
                "progressive_learning.dropout is set but the network has no dropout: set model.options.dropout"
            )

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._set_dropout(trainer.current_epoch)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run resumed inside an epoch gets no ``on_train_epoch_start`` for it."""
        self._set_dropout(trainer.current_epoch)

    def _set_dropout(self, epoch: int) -> None:
        if self.dropout is None or self._plan is None:
            return
        share = self._plan.at(epoch).share
        for module, rate in self._rates:
            module.rate = between(self.dropout, rate, share)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for module, rate in self._rates:
            module.rate = rate
