"""What a script or a notebook does with a Classifier and a Trainer of its own, for tests of what it may expect."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from lit_cnn import Classifier, ImageData


def digits(**settings: Any) -> ImageData:
    return ImageData("digits", **{"image_size": 8, "batch_size": 64, "workers": 0, **settings})


def make_classifier(**settings: Any) -> Classifier:
    return Classifier(**{"architecture": "cifar_resnet8", **settings})


def make_trainer(folder: Path, **settings: Any) -> pl.Trainer:
    """A Trainer of two batches of each kind, without checkpoints of its own."""
    few = {"max_epochs": 1, "limit_train_batches": 2, "limit_val_batches": 2, "num_sanity_val_steps": 0}
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return pl.Trainer(**{"accelerator": "cpu", "devices": 1, "default_root_dir": folder, **few, **quiet, **settings})


def own_loader(count: int = 16, classes: int = 10, channels: int = 1) -> DataLoader:
    """Pairs of images, constant in each and of its class's level, and classes."""
    labels = torch.arange(count) % classes
    return DataLoader(TensorDataset(images_of(labels, channels), labels), batch_size=8)


def images_of(labels: Tensor, channels: int = 1) -> Tensor:
    return labels.float().view(-1, 1, 1, 1).expand(len(labels), channels, 8, 8) / 10
