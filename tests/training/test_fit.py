"""A run end to end on the digits: it learns, is exact on resume, and says what it validated."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import nn

from lit_cnn import Classifier, ImageData
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.data.mixing_settings import CutMix, Mixup
from lit_cnn.data.settings import Crop, Evaluation, RandAugment
from lit_cnn.training.callbacks.checkpoints import Checkpoints, RunInterrupted
from lit_cnn.training.callbacks.ema import EMA, warmed_up_decay
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule, ramp
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.optimizers import OptimizerSettings
from lit_cnn.training.runs import BEST, LAST, load_checkpoint, network_weights
from lit_cnn.training.schedules import ScheduleSettings


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
    return ImageData("digits", image_size=8, batch_size=128, workers=0, **{**settings, **changes})


class StopAfter(pl.Callback):
    """Ask for a stop as a signal would, at an optimizer step."""

    def __init__(self, checkpoints: Checkpoints, step: int) -> None:
        self.checkpoints, self.step = checkpoints, step

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.step - 1:
            self.checkpoints._note_signal(2, None)


def fit(
    folder: Path, *, epochs: int = 2, stop_after: int | None = None, resume: bool = False, decay: float = 0.9
) -> tuple[pl.Trainer, Classifier]:
    model, data, metrics = make_model(), make_data(), MetricsFile(folder)
    data.setup()
    record = {"recipe": {}, "class_names": data.class_names, "preprocessing": data.preprocessing.as_dict()}
    checkpoints = Checkpoints(folder, "val/acc1", record)
    callbacks: list[pl.Callback] = [EMA(decay), StochasticDepthSchedule(1.0), checkpoints]
    if stop_after is not None:
        callbacks.append(StopAfter(checkpoints, stop_after))
    path = folder / LAST if resume else None
    if path is not None:
        metrics.truncate_after(load_checkpoint(path)["global_step"] - 1)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=metrics,
        callbacks=callbacks,
        log_every_n_steps=4,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(model, data, ckpt_path=path, weights_only=True)
    metrics.save()
    return trainer, model


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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    fit(folder)
    return folder


@pytest.mark.parametrize("stop_after", [4, 11, 15])
def test_a_stopped_and_resumed_run_ends_bit_equal(whole: Path, tmp_path: Path, stop_after: int) -> None:
    """Weights, average, optimizer, schedule and metrics file, stopped mid-epoch and in an epoch's last step (11)."""
    with pytest.raises(RunInterrupted, match="SIGINT"):
        fit(tmp_path, stop_after=stop_after)
    assert load_checkpoint(tmp_path / LAST)["global_step"] == stop_after
    fit(tmp_path, resume=True)
    expected, found = load_checkpoint(whole / LAST), load_checkpoint(tmp_path / LAST)
    for key in ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "global_step", "best_score"):
        assert_equal_trees(expected[key], found[key], key)
    assert (tmp_path / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()


def test_the_checkpoint_says_what_it_holds(whole: Path) -> None:
    checkpoint = load_checkpoint(whole / BEST)
    assert checkpoint["network"] == {
        "architecture": "cifar_resnet20",
        "options": {"dropout": 0.2, "drop_path": 0.2},
        "num_classes": 10,
        "in_channels": 1,
    }
    assert checkpoint["class_names"] == [str(digit) for digit in range(10)]
    assert checkpoint["preprocessing"]["image_size"] == 8
    raw, averaged = network_weights(checkpoint, "raw"), network_weights(checkpoint, "ema")
    assert raw.keys() == averaged.keys()
    assert any(not torch.equal(raw[name], averaged[name]) for name in raw)


def test_metrics_under_mixing_are_soft_and_bounded(whole: Path) -> None:
    text = (whole / "metrics.csv").read_text()
    header = text.splitlines()[0].split(",")
    assert {"train/acc1_soft", "train/acc1_ceiling", "val/acc1", "val/acc1_raw", "val/acc5", "lr"} <= set(header)
    assert "train/acc1" not in header
    row = dict(zip(header, text.splitlines()[-1].split(","), strict=True))
    assert 0 < float(row["train/acc1_soft"]) <= float(row["train/acc1_ceiling"]) < 1


def test_another_seed_gives_other_weights() -> None:
    first, second = make_model(num_classes=10, in_channels=1), make_model(num_classes=10, in_channels=1, seed=1)
    for model in (first, second):
        model.configure_model()
    assert not torch.equal(first.net.features[0].conv.weight, second.net.features[0].conv.weight)


def test_ema_warm_up() -> None:
    assert warmed_up_decay(0.999, 0, True) == pytest.approx(0.1)
    assert warmed_up_decay(0.999, 90, True) == pytest.approx(0.91)
    assert warmed_up_decay(0.999, 10**6, True) == 0.999
    assert warmed_up_decay(0.999, 0, False) == 0.999


def test_ramp_of_stochastic_depth() -> None:
    assert [ramp(step, 4) for step in (0, 2, 4, 9)] == [0.0, 0.5, 1.0, 1.0]
    assert ramp(0, 0) == 1.0


def test_num_classes_that_contradicts_the_data() -> None:
    trainer = pl.Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False)
    with pytest.raises(ValueError, match=r"model.num_classes is 7 but the data has 10"):
        trainer.fit(make_model(num_classes=7), make_data())


def test_a_foreign_network_with_another_head_is_refused() -> None:
    trainer = pl.Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7))
    with pytest.raises(ValueError, match="7 outputs but the data has 10"):
        trainer.fit(Classifier(network), make_data())
