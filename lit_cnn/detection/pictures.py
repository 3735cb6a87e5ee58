"""Pictures of a detector's run: the first batch with its boxes; of the best validation true boxes next to found ones,
the worst images, precision over recall and the confusion with the background; the curves after every epoch.
"""

from typing import Any

import lightning.pytorch as pl

from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.detector import Detector
from lit_cnn.detection.drawing import Picture, first_batch, validation_pictures
from lit_cnn.tracking import BoxedImage, Boxes, log_boxes
from lit_cnn.training.callbacks.run_pictures import RunPictures, is_first_batch


class DetectionPictures(RunPictures):
    """The pictures of a detector's run; the arguments are those of ``RunPictures``."""

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: BoxBatch, batch_idx: int
    ) -> None:
        if is_first_batch(trainer, batch_idx):
            data: Any = trainer.datamodule  # type: ignore[attr-defined]
            self._draw(first_batch(data.denormalize(batch.images), batch, data.class_names), trainer.global_step)

    def draw_validation(self, trainer: pl.Trainer) -> None:
        module = trainer.lightning_module
        if not trainer.is_global_zero or not isinstance(module, Detector):
            return
        if module.validated is None or module.thresholds is None:
            return
        title = f"validation of best.ckpt, epoch {trainer.current_epoch + 1}"
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        for picture in validation_pictures(module.validated, module.thresholds, title, data.pixel_format):
            self._draw(picture, trainer.global_step)
            if picture.name == "found_boxes":
                images = boxed_images(picture.arguments)
                log_boxes(self.tracker, "boxes", images, picture.arguments["names"], trainer.global_step)

    def _draw(self, picture: Picture, step: int) -> None:
        self.draw(picture.function, picture.name, step, **picture.arguments)


def boxed_images(sheet: dict[str, Any]) -> list[BoxedImage]:
    """The images of ``truth_and_found``, where each is there twice, with both its true and its found boxes."""
    shown = []
    for true in range(0, len(sheet["images"]), 2):
        found = true + 1
        scores = sheet["scores"][found]
        layers = {
            "true boxes": Boxes(sheet["boxes"][true].tolist(), list(sheet["labels"][true])),
            "found boxes": Boxes(
                sheet["boxes"][found].tolist(), list(sheet["labels"][found]), () if scores is None else scores.tolist()
            ),
        }
        caption = f"{sheet['captions'][true]}: {sheet['captions'][found]}"
        shown.append(BoxedImage(sheet["images"][true], layers, caption))
    return shown
