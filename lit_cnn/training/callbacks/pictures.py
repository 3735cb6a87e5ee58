"""Pictures of a run: the first augmented batch; of the best validation, the confusion matrix and the worst images; the
curves after every epoch. They are drawn in a process of their own while the training goes on, and never end a run.
"""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.batch import Batch
from lit_cnn.training.callbacks.run_pictures import RunPictures, is_first_batch
from lit_cnn.training.losses import LossSettings, row_losses

SHOWN = 32
WORST = 16
MOST_CLASSES = 4096
"""Classes up to which pairs of them are counted and drawn: 134 MB of counts, which grow with the square, in a picture
whose pixels they exceed by then."""


class Pictures(RunPictures):
    """The pictures of a run, of its classes and images; the arguments are those of ``RunPictures``."""

    def __init__(self, folder: Path, tracker: Any = None, title: str = "") -> None:
        super().__init__(folder, tracker, title)
        self._counts: Tensor | None = None
        self._worst: list[tuple[float, dict[str, Any]]] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        if not is_first_batch(trainer, batch_idx):
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        images = data.denormalize(batch.images[:SHOWN]).cpu().numpy()
        targets, names = batch.targets[:SHOWN].cpu().numpy(), list(data.class_names)
        shown = {"images": images, "targets": targets, "names": names, "title": "first training batch"}
        self.draw("contact_sheet.draw_targets", "first_batch", trainer.global_step, **shown)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        classes = trainer.datamodule.num_classes  # type: ignore[attr-defined]
        self._counts, self._worst = None, []
        if classes <= MOST_CLASSES:
            self._counts = torch.zeros(classes, classes, dtype=torch.int64, device=pl_module.device)

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
        if self._counts is not None:
            self._counts.index_put_((targets, predicted), torch.ones_like(targets), accumulate=True)
        losses, rows = row_losses(logits, targets, LossSettings()), batch.index[valid]
        for row in losses.topk(min(WORST, len(losses))).indices.tolist():
            entry = {
                "image": images[row].cpu(),
                "true": int(targets[row]),
                "predicted": int(predicted[row]),
                "probability": float(logits[row].softmax(dim=0).max()),
                "row": int(rows[row]),
            }
            self._worst.append((float(losses[row]), entry))
        self._worst = sorted(self._worst, key=lambda item: item[0], reverse=True)[:WORST]

    def draw_validation(self, trainer: pl.Trainer) -> None:
        """Draw the validation that has just ended: it is the best so far, and its weights become ``best.ckpt``."""
        if self._counts is None and not self._worst:
            return
        counts = None if self._counts is None else trainer.strategy.reduce(self._counts, reduce_op="sum")
        if not trainer.is_global_zero:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        title = f"validation of best.ckpt, epoch {trainer.current_epoch + 1}"
        names, step = list(data.class_names), trainer.global_step
        if counts is not None:
            matrix = counts.cpu().numpy()
            self.draw("confusion.draw_confusion", "confusion", step, matrix=matrix, class_names=names, title=title)
        if self._worst:
            self.draw(
                "worst_images.draw_worst", "worst_images", step, class_names=names, title=title, **self._shown(data)
            )

    def _shown(self, data: Any) -> dict[str, Any]:
        """The worst images as arrays, in pixels."""
        entries = [entry for _, entry in self._worst]
        return {
            "images": data.denormalize(torch.stack([entry["image"] for entry in entries])).numpy(),
            "losses": np.array([loss for loss, _ in self._worst]),
            "true": np.array([entry["true"] for entry in entries]),
            "predicted": np.array([entry["predicted"] for entry in entries]),
            "probabilities": np.array([entry["probability"] for entry in entries]),
            "files": _names(data, [entry["row"] for entry in entries]),
        }


def _names(data: Any, rows: list[int]) -> list[str]:
    """Paths of validation images, or their numbers where they are of no files."""
    paths = getattr(data.loaded.val, "paths", None)
    return [f"row {row}" if paths is None else str(paths[row]) for row in rows]
