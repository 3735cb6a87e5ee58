"""Pictures of a run: the first augmented batch; of the best validation, the confusion matrix and the worst images."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lit_cnn.data.batch import Batch
from lit_cnn.reports.confusion import draw_confusion
from lit_cnn.reports.contact_sheet import caption, draw_contact_sheet
from lit_cnn.reports.worst_images import draw_worst
from lit_cnn.tracking import log_picture
from lit_cnn.training.losses import LossSettings, row_losses

SHOWN = 32
WORST = 16


class Pictures(pl.Callback):
    """Draw into the run folder and hand the pictures to the tracker.

    Args:
        folder: The run folder.
        tracker: The W&B logger, or None.
    """

    def __init__(self, folder: Path, tracker: Any = None) -> None:
        self.folder = folder
        self.tracker = tracker
        self._counts: Tensor | None = None
        self._worst: list[tuple[float, dict[str, Any]]] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        if trainer.global_step > 0 or batch_idx > 0 or not trainer.is_global_zero:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        images = data.denormalize(batch.images[:SHOWN]).cpu()
        captions = [caption(target.cpu(), data.class_names) for target in batch.targets[:SHOWN]]
        path = draw_contact_sheet(images, captions, self.folder / "first_batch.png", title="first training batch")
        log_picture(self.tracker, "first_batch", path, trainer.global_step)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        classes = trainer.datamodule.num_classes  # type: ignore[attr-defined]
        self._counts = torch.zeros(classes, classes, dtype=torch.int64, device=pl_module.device)
        self._worst = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        valid = batch.index >= 0
        logits, targets, images = outputs[valid].float(), batch.targets[valid], batch.images[valid]
        predicted = logits.argmax(dim=1)
        assert self._counts is not None
        self._counts.index_put_((targets, predicted), torch.ones_like(targets), accumulate=True)
        losses = row_losses(logits, targets, LossSettings())
        for row in losses.topk(min(WORST, len(losses))).indices.tolist():
            entry = {
                "image": images[row].cpu(),
                "true": int(targets[row]),
                "predicted": int(predicted[row]),
                "probability": float(logits[row].softmax(dim=0).max()),
            }
            self._worst.append((float(losses[row]), entry))
        self._worst = sorted(self._worst, key=lambda item: item[0], reverse=True)[:WORST]

    def draw_validation(self, trainer: pl.Trainer) -> None:
        """Draw the validation that has just ended: it is the best so far, and its weights become ``best.ckpt``."""
        if self._counts is None:
            return
        counts = trainer.strategy.reduce(self._counts, reduce_op="sum")
        if not trainer.is_global_zero:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        title = f"validation of best.ckpt, epoch {trainer.current_epoch + 1}"
        path = draw_confusion(counts.cpu(), data.class_names, self.folder / "confusion.png", title=title)
        log_picture(self.tracker, "confusion", path, trainer.global_step)
        if self._worst:
            log_picture(self.tracker, "worst_images", self._draw_worst(data, title), trainer.global_step)

    def _draw_worst(self, data: Any, title: str) -> Path:
        images = data.denormalize(torch.stack([entry["image"] for _, entry in self._worst]))
        return draw_worst(
            images,
            torch.tensor([loss for loss, _ in self._worst]),
            torch.tensor([entry["true"] for _, entry in self._worst]),
            torch.tensor([entry["predicted"] for _, entry in self._worst]),
            torch.tensor([entry["probability"] for _, entry in self._worst]),
            data.class_names,
            self.folder / "worst_images.png",
            title=title,
        )
