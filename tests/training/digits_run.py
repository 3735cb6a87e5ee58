"""A short run on the digits with everything random switched on, for tests of what a run must keep."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from lit_cnn import Classifier, ImageData
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.stochastic_depth import Gate
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.mixing import CutMix, Mixup
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.settings import Evaluation
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings
from lit_cnn.training.stopping import StopRequest


def make_model(**changes: Any) -> Classifier:
    options = NetworkOptions(drop_path=0.2, dropout=0.2)
    settings: dict[str, Any] = {
        "options": options,
        "loss": LossSettings(label_smoothing=0.1),
        "optimizer": OptimizerSettings(learning_rate=0.05, base_batch_size=None, weight_decay=1e-4),
        "schedule": ScheduleSettings(warmup_epochs=0.5),
    }
    return Classifier("cifar_resnet20", **{**settings, **changes})


def make_data(**changes: Any) -> ImageData:
    settings: dict[str, Any] = {
        "crop": Crop(kind="pad", padding=1),
        "rand_augment": RandAugment(layers=1, magnitude=3),
        "mixup": Mixup(alpha=0.2),
        "cutmix": CutMix(alpha=1.0),
        "evaluation": Evaluation(crop_ratio=1.0),
    }
    return ImageData("digits", **{"image_size": 8, "batch_size": 128, "workers": 0, **settings, **changes})


class StopAfter(pl.Callback):
    """Ask for a stop as a signal would, at an optimizer step."""

    def __init__(self, checkpoints: Checkpoints, step: int) -> None:
        self.checkpoints, self.step = checkpoints, step

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.step - 1 and not self.checkpoints.stop.asked:  # once, in accumulated batches too
            self.checkpoints.stop.note(2)


def fit(
    folder: Path,
    *,
    epochs: int = 2,
    stop_after: int | None = None,
    resume: bool = False,
    decay: float = 0.9,
    ramp_epochs: float = 1.0,
    gate: Gate = "sample",
    skips: bool = True,
    max_seconds: float | None = None,
    model: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    callbacks: tuple[pl.Callback, ...] = (),
    **trainer_settings: Any,
) -> tuple[pl.Trainer, Classifier]:
    """Train in ``folder``, 11 steps an epoch; ``model`` and ``data`` change settings, ``callbacks`` come on top.

    Without ``skips`` it is a run of a version that multiplied dropped branches.
    """
    classifier, images, metrics = make_model(**(model or {})), make_data(**(data or {})), MetricsFile(folder)
    checkpoints = Checkpoints(folder, "val/acc1", {"recipe": {}}, stop=StopRequest(max_seconds))
    schedule = StochasticDepthSchedule(ramp_epochs, gate)
    schedule.load_state_dict({"skips": skips})
    every: list[pl.Callback] = [EMA(decay, validate_raw=True), schedule, *callbacks, checkpoints]
    if stop_after is not None:
        every.append(StopAfter(checkpoints, stop_after))
    path = folder / LAST if resume else None
    if path is not None:
        metrics.truncate_after(load_checkpoint(path)["global_step"] - 1)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=metrics,
        callbacks=every,
        log_every_n_steps=4,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **trainer_settings,
    )
    trainer.fit(classifier, images, ckpt_path=path, weights_only=True)
    metrics.save()
    return trainer, classifier


STATE = ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "global_step", "best_score")
"""Entries of a checkpoint that an interrupted and resumed run must end with, to the bit."""


def assert_same_end(expected: Path, found: Path) -> None:
    """The last checkpoints and the metrics of two run folders are equal to the bit."""
    first, second = load_checkpoint(expected / LAST), load_checkpoint(found / LAST)
    for key in STATE:
        assert_equal_trees(first[key], second[key], key)
    assert (found / "metrics.csv").read_bytes() == (expected / "metrics.csv").read_bytes()


def assert_equal_trees(first: Any, second: Any, where: str = "checkpoint") -> None:
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_equal_trees(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second), where
        for index, pair in enumerate(zip(first, second, strict=True)):
            assert_equal_trees(*pair, f"{where}[{index}]")
    else:
        assert first == second, where
