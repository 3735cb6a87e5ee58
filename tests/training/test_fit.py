"""A run end to end on the digits: it learns, is exact on resume, and says what it validated."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from digits_run import assert_same_end, fit, make_data, make_model
from one_in import one_in
from torch import nn

from lit_cnn import Classifier
from lit_cnn.run_folder.checkpoint import BEST, LAST, load_checkpoint, network_weights
from lit_cnn.training.callbacks.early_stopping import EarlyStopping
from lit_cnn.training.callbacks.ema import warmed_up_decay
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.sam import SamSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings
from lit_cnn.training.stopping import RunInterrupted


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    fit(folder)
    return folder


@pytest.mark.parametrize("stop_after", one_in(3, [11, 4, 15]))
def test_a_stopped_and_resumed_run_ends_bit_equal(whole: Path, tmp_path: Path, stop_after: int) -> None:
    """Weights, average, optimizer, schedule and metrics file, stopped mid-epoch and in an epoch's last step (11)."""
    with pytest.raises(RunInterrupted, match="SIGINT"):
        fit(tmp_path, stop_after=stop_after)
    assert load_checkpoint(tmp_path / LAST)["global_step"] == stop_after
    fit(tmp_path, resume=True)
    assert_same_end(whole, tmp_path)


COMPONENTS: dict[str, dict[str, Any]] = {
    "sam": {"model": {"sam": SamSettings(rho=0.05, ascent_fraction=0.25)}},
    "adaptive clipping": {"model": {"clipping": ClippingSettings("adaptive", 0.01)}},
    "plateau": {
        "model": {"schedule": ScheduleSettings("plateau", warmup_epochs=0.5, plateau_patience=1, step_factor=0.5)},
        "epochs": 4,
    },
    "filter limit": {"model": {"optimizer": OptimizerSettings(learning_rate=0.05, filter_rms=0.1)}},
    "rmsprop": {"model": {"optimizer": OptimizerSettings("rmsprop", 0.01, None)}},
    "lamb": {"model": {"optimizer": OptimizerSettings("lamb", 0.01, None, weight_decay=0.02)}},
    "muon": {"model": {"optimizer": OptimizerSettings("muon", 0.01, None, weight_decay=0.02)}},
    "binary cross-entropy": {"model": {"loss": LossSettings("binary_cross_entropy", target_threshold=0.2)}},
    "balanced classes": {"model": {"loss": LossSettings(class_weights="balanced")}},
    "accumulation": {"accumulate_grad_batches": 2},
    "fused kernel": {"model": {"optimizer": OptimizerSettings(learning_rate=0.05, kernel="fused")}},
    "bf16": {"precision": "bf16-mixed"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_resumes_bit_equal(name: str, tmp_path: Path) -> None:
    settings = COMPONENTS[name]
    fit(tmp_path / "whole", **settings)
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", stop_after=14, **settings)
    fit(tmp_path / "parts", resume=True, **settings)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_early_stopping_ends_a_run_and_counts_on_after_a_stop(tmp_path: Path) -> None:
    never = {"min_delta": 0.9}  # after the first validation nothing gains so much
    trainer, _ = fit(tmp_path / "whole", epochs=9, callbacks=(EarlyStopping(2, **never),))
    assert trainer.current_epoch == 3
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", epochs=9, stop_after=24, callbacks=(EarlyStopping(2, **never),))
    trainer, _ = fit(tmp_path / "parts", epochs=9, resume=True, callbacks=(EarlyStopping(2, **never),))
    assert trainer.current_epoch == 3
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_early_stopping_without_patience_never_stops(tmp_path: Path) -> None:
    trainer, _ = fit(tmp_path, epochs=3, callbacks=(EarlyStopping(None, 0.9),))
    assert trainer.current_epoch == 3


@pytest.mark.slow
def test_early_stopping_names_the_metrics_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs the metric 'val/f1' \(monitor\), but there are only val/acc1"):
        fit(tmp_path, epochs=1, callbacks=(EarlyStopping(1, monitor="val/f1"),))


def test_the_checkpoint_says_what_it_holds(whole: Path) -> None:
    checkpoint = load_checkpoint(whole / BEST)
    assert checkpoint["network"] == {
        "architecture": "cifar_resnet20",
        "options": {"dropout": 0.2, "drop_path": 0.2},
        "num_classes": 10,
        "in_channels": 1,
    }
    assert checkpoint["class_names"] == [str(digit) for digit in range(10)]
    assert checkpoint["preprocessing"]["image_size"] == [8, 8]
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


def test_num_classes_that_contradicts_the_data() -> None:
    trainer = pl.Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False)
    with pytest.raises(ValueError, match=r"model.num_classes is 7 but the data has 10"):
        trainer.fit(make_model(num_classes=7), make_data())


def test_a_foreign_network_with_another_head_is_refused() -> None:
    trainer = pl.Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False)
    linear = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7))
    convolution = nn.Sequential(nn.Conv2d(1, 7, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for network in (linear, convolution):
        with pytest.raises(ValueError, match="the network has 7 outputs but the data has 10"):
            trainer.fit(Classifier(network), make_data())


@pytest.mark.slow
def test_a_compiled_run_resumes_bit_equal_and_keeps_its_names(tmp_path: Path) -> None:
    torch.compiler.reset()
    settings: dict[str, Any] = {"model": {"compile": True}, "ramp_epochs": 0.0, "limit_train_batches": 4}
    fit(tmp_path / "whole", **settings)
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", stop_after=2, **settings)
    fit(tmp_path / "parts", resume=True, **settings)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    state = load_checkpoint(tmp_path / "whole" / LAST)
    plain = make_model(num_classes=10, in_channels=1)
    plain.configure_model()
    for weights in (state["state_dict"], state["current_model_state"]):
        assert {name for name in weights if name.startswith("net.")} == {
            f"net.{name}" for name in plain.net.state_dict()
        }


@pytest.mark.slow
def test_rates_that_change_every_step_cannot_be_compiled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ramp_epochs changes the network in every step.*set model\.compile false"):
        fit(tmp_path, model={"compile": True})


@pytest.mark.parametrize("channels_last", [True, False])
def test_convolutions_run_in_the_layout_asked_for(channels_last: bool) -> None:
    model = Classifier("cifar_resnet20", num_classes=3, in_channels=3, channels_last=channels_last)
    model.configure_model()
    layouts = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(
                lambda _module, _inputs, output: layouts.append(output.is_contiguous(memory_format=torch.channels_last))
            )
    model(torch.randn(2, 3, 16, 16).contiguous(memory_format=torch.channels_last))
    assert set(layouts) == {channels_last}


@pytest.mark.slow
def test_balanced_classes_weigh_by_the_training_images(tmp_path: Path) -> None:
    loss = LossSettings(class_weights="balanced")
    trainer, model = fit(tmp_path, epochs=1, max_steps=6, model={"loss": loss})
    counts = torch.bincount(trainer.datamodule.loaded.train.labels)
    assert len(set(counts.tolist())) > 1
    torch.testing.assert_close(model.class_weights, counts.sum() / (len(counts) * counts))
    assert not any("class_weights" in name for name in model.state_dict())


def test_balanced_classes_need_images_to_count() -> None:
    model = Classifier("cifar_resnet20", num_classes=3, in_channels=3, loss=LossSettings(class_weights="balanced"))
    with pytest.raises(ValueError, match="train with an ImageData"):
        model.configure_model()
