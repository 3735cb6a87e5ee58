"""Pictures of a detector's run: the first batch with its boxes; of the best validation the truth beside what was found,
the worst images, the curves of precision and recall and the confusion with the background.
"""

from typing import Any

import lightning.pytorch as pl

from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.detector import Detector
from lit_cnn.training.callbacks.run_pictures import RunPictures, is_first_batch

SHOWN = 16


class DetectionPictures(RunPictures):
    """The pictures of a detector's run; the arguments are those of ``RunPictures``."""

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: BoxBatch, batch_idx: int
    ) -> None:
        if not is_first_batch(trainer, batch_idx):
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        images = data.denormalize(batch.images[:SHOWN]).permute(0, 2, 3, 1).cpu().numpy()
        rows = [(batch.rows == number).cpu() for number in range(len(images))]
        boxes, labels = batch.boxes.cpu().numpy(), batch.labels.cpu().numpy()
        shown = {
            "images": images,
            "boxes": [boxes[row.numpy()] for row in rows],
            "labels": [labels[row.numpy()] for row in rows],
            "names": list(data.class_names),
            "title": "first training batch",
        }
        self.draw("box_sheet.draw_box_sheet", "first_batch", trainer.global_step, **shown)

    def draw_validation(self, trainer: pl.Trainer) -> None:
        module = trainer.lightning_module
        if not isinstance(module, Detector) or module.validated is None or not trainer.is_global_zero:
            return
