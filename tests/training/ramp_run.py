"""A run whose weight, statistics and validation score are known beforehand, for tests of what watches a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

METRIC = "val/acc1"
"""What validation reports."""


class Ramp(pl.LightningModule):
    """Batch norm of one feature: after step n its bias is n, after batch k its mean is 10 k and its counter k.

    Args:
        scores: What validation reports as ``METRIC``, epoch by epoch.
    """

    def __init__(self, scores: Sequence[float]) -> None:
        super().__init__()
        self.scores = scores
        self.net = nn.BatchNorm1d(1, momentum=1.0)
        self.batches = 0
        self.validated: list[float] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.batches += 1
        self.net(10.0 * self.batches + torch.tensor([[-1.0], [1.0]]))
        return -self.net.bias.sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.validated.append(self.net.bias.item())

    def on_validation_epoch_end(self) -> None:
        self.log(METRIC, self.scores[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def train_ramp(
    folder: Path,
    callbacks: Sequence[pl.Callback],
    *,
    scores: Sequence[float] = (0.0,),
    batches: int = 1,
    resume: Path | None = None,
    **settings: Any,
) -> tuple[pl.Trainer, Ramp]:
    """Train an epoch of ``batches`` batches for each of ``scores``."""
    model = Ramp(scores)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=len(scores),
        logger=False,
        callbacks=list(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **{"num_sanity_val_steps": 0, **settings},
    )
    training, validation = (DataLoader(torch.zeros(number, 1)) for number in (batches, 1))
    trainer.fit(model, training, validation, ckpt_path=resume, weights_only=True)
    return trainer, model
