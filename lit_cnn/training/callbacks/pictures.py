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
from lit_cnn.reports.artist import Artist
from lit_cnn.tracking import log_picture
from lit_cnn.training.announce import announce
from lit_cnn.training.losses import LossSettings, row_losses
from lit_cnn.training.metrics_file import METRICS

SHOWN = 32
WORST = 16
END_SECONDS = 30.0
"""How long the end of a run waits for its pictures."""
STOP_SECONDS = 5.0
"""How long a run waits for them that was stopped or has failed."""


class Pictures(pl.Callback):
    """Draw into the run folder and hand the pictures to the tracker.

    Args:
        folder: The run folder.
        tracker: The W&B logger, or None.
        title: What the run is.
    """

    def __init__(self, folder: Path, tracker: Any = None, title: str = "") -> None:
        self.folder = folder
        self.tracker = tracker
        self.title = title
        self._artist = Artist()
        self._asked: dict[Path, int] = {}  # picture -> step, for the tracker
        self._failed = False
        self._counts: Tensor | None = None
        self._worst: list[tuple[float, dict[str, Any]]] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        if trainer.global_step > 0 or batch_idx > 0 or not trainer.is_global_zero:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        images = data.denormalize(batch.images[:SHOWN]).cpu().numpy()
        targets, names = batch.targets[:SHOWN].cpu().numpy(), list(data.class_names)
        shown = {"images": images, "targets": targets, "names": names, "title": "first training batch"}
        self._draw("contact_sheet.draw_targets", "first_batch", trainer.global_step, **shown)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the curves up to the epoch before, whose metrics are written by now."""
        self._draw_curves(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._draw_curves(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close(STOP_SECONDS)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._close(END_SECONDS)

    def _draw_curves(self, trainer: pl.Trainer) -> None:
        metrics = self.folder / METRICS
        if trainer.is_global_zero and trainer.current_epoch > 0 and metrics.is_file():
            self._draw("curves.draw_curves", "curves", None, metrics_csv=metrics, title=self.title)

    def _draw(self, function: str, name: str, step: int | None, **arguments: Any) -> None:
        """Have a picture drawn, and hand it to the tracker once it is; without a step it stays in the run folder."""
        self._collect()
        path = self.folder / f"{name}.png"
        if step is not None:
            self._asked[path] = step
        self._artist.draw(function, path, **arguments)

    def _collect(self) -> None:
        """Record the pictures that are done; of those that could not be drawn, the first says why."""
        for path, problem in self._artist.drawn():
            if problem is None and path in self._asked:
                log_picture(self.tracker, path.stem, path, self._asked.pop(path))
            elif problem is not None and not self._failed:
                self._failed = True
                announce(f"{path.name} could not be drawn: {problem}")

    def _close(self, seconds: float) -> None:
        self._artist.close(seconds)
        self._collect()

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
        if self._counts is None:
            return
        counts = trainer.strategy.reduce(self._counts, reduce_op="sum")
        if not trainer.is_global_zero:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        title = f"validation of best.ckpt, epoch {trainer.current_epoch + 1}"
        names, step = list(data.class_names), trainer.global_step
        self._draw(
            "confusion.draw_confusion", "confusion", step, matrix=counts.cpu().numpy(), class_names=names, title=title
        )
        if self._worst:
            self._draw(
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
