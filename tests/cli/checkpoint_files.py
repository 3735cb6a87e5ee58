"""Checkpoints of untrained networks for tests, written by the code that writes those of a run."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import nn

from lit_cnn import Classifier
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.training.callbacks.checkpoints import Checkpoints

PREPROCESSING = {
    "image_size": [16, 16],
    "resize": 16,
    "resize_mode": "shorter_side",
    "interpolation": "bilinear",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "in_channels": 3,
    "levels": None,
    "background": [255, 255, 255],
    "color_profile": "convert",
}


def write_checkpoint(
    path: Path,
    class_names: list[str],
    *,
    architecture: str | nn.Module = "cifar_resnet20",
    preprocessing: dict[str, Any] = PREPROCESSING,
    recipe: dict[str, Any] | None = None,
    seed: int = 0,
    **changes: Any,
) -> Path:
    """Write the checkpoint of a network at its first step; ``changes`` replace entries afterwards."""
    channels = preprocessing["in_channels"]
    classifier = Classifier(architecture, num_classes=len(class_names), in_channels=channels, seed=seed)
    classifier.configure_model()
    classifier.class_names, classifier.preprocessing = class_names, Preprocessing.from_dict(preprocessing)
    record = {"recipe": recipe or {}}
    trainer = pl.Trainer(accelerator="cpu", logger=False, callbacks=[Checkpoints(path.parent, "val/acc1", record)])
    trainer.strategy.connect(classifier)
    trainer.save_checkpoint(path)
    if changes:
        torch.save({**torch.load(path, weights_only=True), **changes}, path)
    return path
