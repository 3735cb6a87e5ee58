"""An epoch's line says images over seconds, the share spent waiting, and who holds the training up."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lit_cnn import ImageData
from lit_cnn.data.batch import PADDING, SKIPPED, Batch
from lit_cnn.training.callbacks import throughput
from lit_cnn.training.callbacks.throughput import Throughput


class Logged:
    """A logger and a clock that stand still until told."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.lines: list[str] = []
        self.seconds = 100.0

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.metrics.update(metrics, step=step)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Logged:
    logged = Logged()
    monkeypatch.setattr(throughput, "time", SimpleNamespace(perf_counter=lambda: logged.seconds))
    monkeypatch.setattr(throughput, "announce", logged.lines.append)
    return logged


def make_trainer(logged: Logged, world_size: int = 1, datamodule: ImageData | None = None) -> Any:
    return SimpleNamespace(
        world_size=world_size,
        sanity_checking=False,
        loggers=[logged],
        current_epoch=3,
        max_epochs=5,
        callback_metrics={"train/loss": 0.25, "val/acc1": 0.75},
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.05}, {"lr": 0.0}])],
        datamodule=datamodule,
        strategy=SimpleNamespace(reduce=lambda value, **_: value * world_size),
        global_step=7,
    )


def run_epoch(logged: Logged, trainer: Any, waits: list[float], works: list[float], index: list[int]) -> Throughput:
    """An epoch of batches of ``index``: the loader takes ``waits`` seconds for each and the network ``works``."""
    callback, module, row = Throughput(), SimpleNamespace(), torch.tensor(index)
    batch = Batch(torch.zeros(len(index), 1), row, row, row, torch.tensor(1.0))
    callback.on_train_epoch_start(trainer, module)
    for number, (wait, work) in enumerate(zip(waits, works, strict=True)):
        logged.seconds += wait
        callback.on_train_batch_start(trainer, module, batch, number)
        logged.seconds += work
        trainer.global_step += 1
        callback.on_train_batch_end(trainer, module, None, batch, number)
    logged.seconds += 50.0  # what lies between the epoch and its validation does not count
    callback.on_validation_start(trainer, module)
    callback.on_validation_end(trainer, module)
    trainer.current_epoch += 1
    callback.on_train_epoch_start(trainer, module)
    return callback


def test_images_per_second_are_images_over_seconds(logged: Logged) -> None:
    run_epoch(logged, make_trainer(logged), waits=[1.0, 2.0], works=[2.0, 3.0], index=[0, 1, 2, 3])
    assert logged.metrics == {
        "timing/images_per_second": 2 * 4 / 8.0,
        "timing/data_wait_share": 3.0 / 8.0,
        "epoch": 3,
        "step": 8,
    }
    assert logged.lines == [
        "epoch 4/5: loss 0.2500, val/acc1 75.00 %, rate 0.05, 0:00:58 to go, "
        "1 images/s, waiting for data 38 % of the time"
    ]


def test_a_validation_inside_an_epoch_is_not_counted_as_training(logged: Logged) -> None:
    trainer, callback, row = make_trainer(logged), Throughput(), torch.arange(4)
    batch = Batch(torch.zeros(4, 1), row, row, row, torch.tensor(1.0))
    callback.on_train_epoch_start(trainer, SimpleNamespace())
    for number in range(2):
        callback.on_train_batch_start(trainer, SimpleNamespace(), batch, number)
        logged.seconds += 2.0
        callback.on_train_batch_end(trainer, SimpleNamespace(), None, batch, number)
        callback.on_validation_start(trainer, SimpleNamespace())
        logged.seconds += 60.0
        callback.on_validation_end(trainer, SimpleNamespace())
        assert logged.metrics["timing/images_per_second"] == 2.0
    assert logged.lines == []  # one line for each epoch, when it has ended


def test_padding_is_no_image(logged: Logged) -> None:
    run_epoch(logged, make_trainer(logged), waits=[0.0], works=[1.0], index=[0, 1, PADDING])
    assert logged.metrics["timing/images_per_second"] == 2.0


def test_a_validation_without_training_before_it_reports_nothing(logged: Logged) -> None:
    trainer = make_trainer(logged)
    callback = run_epoch(logged, trainer, waits=[0.0], works=[1.0], index=[0, 1])
    assert len(logged.lines) == 1
    callback.on_validation_start(trainer, SimpleNamespace())
    assert len(logged.lines) == 1


def test_all_processes_train_at_the_same_time(logged: Logged) -> None:
    run_epoch(logged, make_trainer(logged, world_size=4), waits=[0.0], works=[0.5], index=[0, 1, 2])
    assert logged.metrics["timing/images_per_second"] == 4 * 3 / 0.5


def test_skipped_images_are_counted_over_all_processes(logged: Logged) -> None:
    run_epoch(logged, make_trainer(logged, world_size=2), [0.0, 0.0], [1.0, 1.0], index=[7, SKIPPED, SKIPPED])
    assert logged.lines[0].endswith(", 8 broken images skipped")


@pytest.mark.parametrize(
    ("wait", "work", "said"),
    [
        (0.0, 4.0, "1 images/s, waiting for data 0 % of the time; the network sets the pace"),
        (3.0, 1.0, "75 % of the time; the loader is the bottleneck (the network could take 4 images/s)"),
    ],
)
def test_the_line_names_who_holds_the_training_up(logged: Logged, wait: float, work: float, said: str) -> None:
    data = ImageData("digits", image_size=8, workers=0)
    run_epoch(logged, make_trainer(logged, datamodule=data), [wait], [work], index=[0, 1, 2, 3])
    assert said in logged.lines[0]


def test_each_epoch_is_reported_once(logged: Logged) -> None:
    """A validation that follows no training batch, as in the middle of a resume, has nothing to report."""
    trainer = make_trainer(logged)
    callback = Throughput()
    callback.on_train_start(trainer, SimpleNamespace())
    callback.on_validation_start(trainer, SimpleNamespace())
    assert logged.lines == []
