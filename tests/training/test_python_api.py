"""A script or a notebook: fits and validations in any order, Lightning's tuners, predictions, other data."""

from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.tuner import Tuner
from one_in import one_in
from script_run import digits, images_of, make_classifier, make_trainer, own_loader
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from lit_cnn import Classifier, ImageData
from lit_cnn.data.batch import Batch
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings

ORDERS = [("fit fit", False), ("fit validate fit", False), ("validate fit", False), ("predict fit", False)]


@pytest.mark.parametrize(("order", "averaged"), one_in(2, [*ORDERS, ("fit validate fit", True)]))
def test_one_model_is_fitted_and_validated_in_any_order(tmp_path: Path, order: str, averaged: bool) -> None:
    """Only a fit changes its weights."""
    model, data = make_classifier(), digits()
    model.configure_model(data)
    for task in order.split():
        before = {name: value.clone() for name, value in model.state_dict().items()}
        trainer = make_trainer(tmp_path, callbacks=[EMA(0.5)] if averaged else [])
        getattr(trainer, task)(model, datamodule=data)
        same = all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
        assert same == (task != "fit")


class Interruption(pl.Callback):
    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        raise RuntimeError("stopped in the notebook")


def test_the_batches_of_an_interrupted_epoch_do_not_count_in_the_next_fit(tmp_path: Path) -> None:
    model, data = make_classifier(), digits()
    with pytest.raises(RuntimeError, match="stopped in the notebook"):
        make_trainer(tmp_path, callbacks=[Interruption()]).fit(model, datamodule=data)
    assert model.train_metrics.rows == 64
    rows: list[int] = []
    model.train_metrics.compute = lambda: rows.append(int(model.train_metrics.rows)) or {"loss": torch.zeros(())}
    make_trainer(tmp_path).fit(model, datamodule=data)
    assert rows == [128]


@pytest.mark.parametrize(("channels", "classes", "name"), [(3, 10, "in_channels 1"), (1, 4, "num_classes 10")])
@pytest.mark.parametrize("task", ["fit", "validate"])
def test_data_of_another_shape_is_refused(tmp_path: Path, channels: int, classes: int, name: str, task: str) -> None:
    arrays = {}
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = np.zeros((64, 8, 8, channels), np.uint8).squeeze()
        arrays[f"{split}_labels"] = np.arange(64) % classes
    np.savez(tmp_path / "other.npz", **arrays)
    model = make_classifier()
    make_trainer(tmp_path).fit(model, datamodule=digits())
    other = ImageData("npz", str(tmp_path / "other.npz"), image_size=8, batch_size=32)
    with pytest.raises(ValueError, match=rf"built with {name} but the data has .*: make a new Classifier"):
        getattr(make_trainer(tmp_path), task)(model, datamodule=other)


@pytest.mark.slow
def test_the_learning_rate_that_lr_find_suggests_is_the_one_that_is_trained_with(tmp_path: Path) -> None:
    """Whatever the batch: the suggestion was found at this batch already."""
    data = digits(batch_size=32)
    model = make_classifier(optimizer=OptimizerSettings(learning_rate=0.1, base_batch_size=256))
    trainer = make_trainer(tmp_path, max_epochs=4, limit_train_batches=1.0)
    found = Tuner(trainer).lr_find(model, datamodule=data, num_training=30)
    assert found is not None
    assert len(found.results["lr"]) > 10
    assert model.learning_rate == found.suggestion()
    again = make_trainer(tmp_path)
    again.fit(model, datamodule=data)
    assert again.optimizers[0].param_groups[0]["initial_lr"] == pytest.approx(found.suggestion())


@pytest.mark.slow
def test_scale_batch_size_finds_a_batch_that_is_trained_with(tmp_path: Path) -> None:
    model, data, tuner = make_classifier(), digits(), Tuner(make_trainer(tmp_path))
    found = tuner.scale_batch_size(model, datamodule=data, init_val=256, max_trials=2, steps_per_trial=1)
    assert found == data.batch_size >= 256
    trainer = make_trainer(tmp_path, limit_train_batches=1.0)
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == data.train_size // found


def test_predict_returns_the_logits_of_the_validation_images(tmp_path: Path) -> None:
    model, data = make_classifier(), digits(batch_size=100)
    trainer = make_trainer(tmp_path, limit_predict_batches=1.0)
    predicted = torch.cat(trainer.predict(model, datamodule=data))
    model.eval()
    with torch.no_grad():
        expected = torch.cat([model(data.normalized(batch.images)) for batch in data.val_dataloader()])
    assert predicted.shape == (len(data.loaded.val), 10)
    torch.testing.assert_close(predicted, expected)


def test_predict_takes_pairs_and_images_alone(tmp_path: Path) -> None:
    model = make_classifier(num_classes=10, in_channels=1)
    images = images_of(torch.arange(16) % 10)
    alone = (DataLoader(images, batch_size=8), DataLoader(TensorDataset(images), batch_size=8))
    first, *others = (torch.cat(make_trainer(tmp_path).predict(model, loader)) for loader in (own_loader(), *alone))
    assert first.shape == (16, 10)
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("task", ["fit", "validate", "predict"])
def test_the_loaders_of_an_image_data_without_it_are_refused(tmp_path: Path, task: str) -> None:
    data = digits()
    data.setup()
    loaders = [data.train_dataloader(), data.val_dataloader()] if task == "fit" else [data.val_dataloader()]
    with pytest.raises(ValueError, match="not yet normalized: pass the ImageData itself to the trainer, as datamodule"):
        getattr(make_trainer(tmp_path), task)(make_classifier(num_classes=10, in_channels=1), *loaders)


def test_an_average_of_weights_is_validated_on_an_own_loader(tmp_path: Path) -> None:
    model = make_classifier(num_classes=10, in_channels=1)
    trainer = make_trainer(tmp_path, callbacks=[EMA(0.5, validate_raw=True)])
    trainer.fit(model, own_loader(), own_loader())
    assert trainer.callback_metrics["val/loss"] != trainer.callback_metrics["val/loss_raw"]


def test_max_steps_alone_ends_a_run_on_an_own_loader(tmp_path: Path) -> None:
    model = make_classifier(num_classes=10, in_channels=1)
    trainer = make_trainer(tmp_path, max_epochs=None, max_steps=3, limit_train_batches=1.0)
    trainer.fit(model, own_loader(), own_loader())
    assert trainer.global_step == 3


class Endless(torch.utils.data.IterableDataset):
    def __iter__(self):
        while True:
            yield torch.zeros(1, 8, 8), torch.tensor(0)


def test_a_loader_without_a_length_needs_one_for_the_schedule(tmp_path: Path) -> None:
    loader = DataLoader(Endless(), batch_size=4)
    model = make_classifier(num_classes=10, in_channels=1)
    with pytest.raises(ValueError, match="set limit_train_batches for a loader without a length"):
        make_trainer(tmp_path, max_epochs=None, max_steps=3, limit_train_batches=None).fit(model, loader, own_loader())
    trainer = make_trainer(tmp_path, max_epochs=None, max_steps=3, limit_train_batches=2)
    trainer.fit(Classifier("cifar_resnet8", num_classes=10, in_channels=1), loader, own_loader())
    assert trainer.global_step == 3


class Rows(pl.Callback):
    """Notes which images each batch holds."""

    def __init__(self) -> None:
        self.trained: list[list[int]] = []
        self.validated: list[int] = []

    def on_train_batch_start(self, trainer: pl.Trainer, module: object, batch: Batch, number: int) -> None:
        self.trained.append(batch.index.tolist())

    def on_validation_batch_start(
        self, trainer: pl.Trainer, module: object, batch: Batch, number: int, dataloader_idx: int = 0
    ) -> None:
        self.validated += batch.index[batch.index >= 0].tolist()


def test_overfit_batches_repeats_the_same_batches(tmp_path: Path) -> None:
    rows = Rows()
    trainer = make_trainer(
        tmp_path, max_epochs=2, limit_train_batches=1.0, limit_val_batches=1.0, overfit_batches=2, callbacks=[rows]
    )
    trainer.fit(make_classifier(), datamodule=digits())
    assert trainer.global_step == 4
    assert rows.trained[:2] == rows.trained[2:]
    assert rows.trained[0] != rows.trained[1]


def test_lightning_leaves_the_samplers_of_several_devices_alone() -> None:
    """It would keep every second batch of what is one rank's already (its ``use_distributed_sampler``)."""
    data = digits()
    for sampler in (data.train_dataloader().sampler, data.val_dataloader().sampler):
        assert isinstance(sampler, DistributedSampler)


@pytest.mark.slow
@pytest.mark.parametrize("warmup_epochs", [0.0, 1.0, 5.0])
def test_a_run_of_one_step_trains_at_the_peak_rate(tmp_path: Path, warmup_epochs: float) -> None:
    """Warm-up starts at a rate of 0, which would leave the weights as they were."""
    model, data = make_classifier(schedule=ScheduleSettings(warmup_epochs=warmup_epochs)), digits()
    trainer = make_trainer(tmp_path, limit_train_batches=1)
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == 1
    (optimizer,) = trainer.optimizers
    scheduler = trainer.lr_scheduler_configs[0].scheduler
    assert scheduler.lr_lambdas[0](0) == 1.0
    assert optimizer.param_groups[0]["lr"] > 0
