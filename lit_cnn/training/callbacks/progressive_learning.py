"""Progressive learning: small, weakly regularized images first, larger and harder ones later.

Tan and Le 2021, arXiv:2104.00298, section 4.2 and Algorithm 1: training is divided into stages of equal length; from
stage to stage the image size, RandAugment's magnitude, mixup's alpha and the dropout rate grow linearly together.
"""

import lightning.pytorch as pl

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import Stage


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


def first_epochs(stages: int, epochs: int) -> tuple[int, ...]:
    """The epoch with which each of ``stages`` equally long stages begins; earlier ones are the longer by rounding."""
    return tuple(-(-number * epochs // stages) for number in range(stages))


def between(first: float, last: float, share: float) -> float:
    """The value at ``share`` of the way from ``first`` to ``last``."""
    return first + (last - first) * share


class ProgressiveLearning(pl.Callback):
    """Raise image size and regularization together, from the values given here to the recipe's own.

    Args:
        stages: Stages of equal length; 1 trains with the recipe's own values throughout.
        image_size: Side in pixels of the first stage's images; null keeps data.image_size.
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
        image_size: int | None = None,
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
        if stages == 1 and (image_size is not None or any(value is not None for value in given.values())):
            raise ValueError("progressive_learning has first values but a single stage: set stages to 2 or more")
        self.stages, self.image_size, self.includes_start = stages, image_size, includes_start
        self.magnitude, self.mixup, self.cutmix, self.dropout = magnitude, mixup, cutmix, dropout
        self._rates: list[tuple[Dropout, float]] = []
        self._begins: tuple[int, ...] = ()

    def plan(self, data: ImageData, epochs: int) -> tuple[Stage, ...]:
        """The data's stages in a run of ``epochs`` epochs.

        Raises:
            ValueError: If the run has fewer epochs than stages.
        """
        if epochs < self.stages:
            raise ValueError(
                f"progressive_learning.stages is {self.stages}, more than the run's {epochs} epochs: train longer or "
                "set fewer stages"
            )
        return tuple(
            Stage(
                first_epoch=begin,
                image_size=round(between(self.image_size or data.image_size, data.image_size, share)),
                magnitude=self._on_the_way(self.magnitude, data.rand_augment.magnitude, share),
                mixup_alpha=self._on_the_way(self.mixup, data.mixup.alpha, share),
                cutmix_alpha=self._on_the_way(self.cutmix, data.cutmix.alpha, share),
            )
            for begin, share in zip(first_epochs(self.stages, epochs), self._shares, strict=True)
        )

    @property
    def _shares(self) -> tuple[float, ...]:
        return stage_shares(self.stages, self.includes_start)

    @staticmethod
    def _on_the_way(first: float | None, last: float, share: float) -> float | None:
        return None if first is None else between(first, last, share)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Tell the data its stages before its loader is made."""
        if stage != "fit" or self.stages == 1:
            return
        data, epochs = trainer.datamodule, trainer.max_epochs  # type: ignore[attr-defined]
        if not isinstance(data, ImageData) or epochs is None or epochs < 1:
            raise ValueError("progressive_learning needs data.image_size to change and trainer.max_epochs to be set")
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return  # a single batch, at the recipe's own values: the most memory that the run will need
        data.stages = self.plan(data, epochs)
        self._begins = tuple(stage.first_epoch for stage in data.stages)

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
        if self.dropout is None or not self._begins:
            return
        number = sum(begin <= epoch for begin in self._begins) - 1
        for module, rate in self._rates:
            module.rate = between(self.dropout, rate, self._shares[number])

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for module, rate in self._rates:
            module.rate = rate
