"""What lit_cnn/lightning_internals.py reads of Lightning is there, and means what is said of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lit_cnn.lightning_internals import (
    LoopPosition,
    launched_processes,
    loop_position,
    open_training_loader,
    trainer_of,
    validation_due,
)

MOVED = "Lightning no longer has {}: adapt {} in lit_cnn/lightning_internals.py, and see what its loops keep instead"


class Watched(pl.LightningModule):
    """Two epochs of two batches, with the position that each hook sees."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[tuple[str, LoopPosition]] = []

    def note(self, hook: str) -> None:
        self.seen.append((hook, loop_position(self.trainer)))

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        return self.layer(batch[0]).sum()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def on_train_start(self) -> None:
        self.note("start")

    def on_train_batch_end(self, *args: Any) -> None:
        self.note("batch")

    def on_validation_epoch_end(self) -> None:
        self.note("validated")


def make_trainer(folder: Path, **options: Any) -> pl.Trainer:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "num_sanity_val_steps": 0}
    return pl.Trainer(max_epochs=2, accelerator="cpu", default_root_dir=folder, **{**quiet, "devices": 1, **options})


class Foretold(pl.Callback):
    """Note after which batches of the run a validation is due, and after which there was one."""

    def __init__(self, stops_at: int | None) -> None:
        self.stops_at = stops_at
        self.batches = 0
        self.due: list[int] = []
        self.validated: list[int] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self.batches += 1
        trainer.should_stop |= self.batches == self.stops_at
        if validation_due(trainer):
            self.due.append(self.batches)

    def on_validation_end(self, *args: Any) -> None:
        self.validated.append(self.batches)


@pytest.mark.parametrize(
    ("options", "stops_at", "expected"),
    [
        ({}, None, [5, 10]),
        ({"val_check_interval": 2}, None, [2, 4, 7, 9]),
        ({"val_check_interval": 3, "check_val_every_n_epoch": None}, None, [3, 6, 9]),
        ({"check_val_every_n_epoch": 2}, None, [10]),
        ({}, 3, [3]),
        ({"limit_val_batches": 0}, None, []),
    ],
)
def test_a_validation_that_is_due_comes(
    tmp_path: Path, options: dict[str, Any], stops_at: int | None, expected: list[int]
) -> None:
    data, watcher = DataLoader(TensorDataset(torch.ones(5, 1)), batch_size=1), Foretold(stops_at)
    trainer: Any = make_trainer(tmp_path, callbacks=[watcher], **options)
    assert hasattr(trainer.fit_loop.epoch_loop, "_should_check_val_fx"), MOVED.format(
        "trainer.fit_loop.epoch_loop._should_check_val_fx", "validation_due"
    )
    trainer.fit(Watched(), data, data)
    assert watcher.due == watcher.validated == expected


def test_lightning_still_has_the_progress_of_its_loops(tmp_path: Path) -> None:
    trainer: Any = make_trainer(tmp_path)
    for path in (
        "fit_loop.epoch_progress.current.ready",
        "fit_loop.epoch_progress.current.processed",
        "fit_loop.epoch_loop.batch_progress.current.processed",
        "fit_loop.epoch_loop.batch_progress.is_last_batch",
    ):
        found = trainer
        for name in path.split("."):
            assert hasattr(found, name), MOVED.format(f"trainer.{path}", "loop_position")
            found = getattr(found, name)


def test_the_position_is_that_of_the_epochs_and_batches(tmp_path: Path) -> None:
    module, data = Watched(), DataLoader(TensorDataset(torch.ones(2, 1)), batch_size=1)
    make_trainer(tmp_path).fit(module, data, data)
    assert module.seen == [
        ("start", LoopPosition(0, 0, 0, False)),
        ("batch", LoopPosition(1, 0, 1, False)),
        ("batch", LoopPosition(1, 0, 2, True)),
        ("validated", LoopPosition(1, 0, 2, True)),
        ("batch", LoopPosition(2, 1, 1, False)),
        ("batch", LoopPosition(2, 1, 2, True)),
        ("validated", LoopPosition(2, 1, 2, True)),
    ], "Lightning counts epochs or batches at other moments: adapt loop_position, on which exact resume rests"


def test_the_batches_of_a_loader_are_known_once_it_is_opened(tmp_path: Path) -> None:
    class Opening(Watched):
        def configure_optimizers(self) -> torch.optim.Optimizer:
            trainer = self.trainer
            assert hasattr(trainer.fit_loop, "setup_data"), MOVED.format(
                "trainer.fit_loop.setup_data", "open_training_loader"
            )
            self.batches = [trainer.num_training_batches]
            open_training_loader(trainer)
            self.batches.append(trainer.num_training_batches)
            return super().configure_optimizers()

    module, data = Opening(), DataLoader(TensorDataset(torch.ones(5, 1)), batch_size=2)
    make_trainer(tmp_path).fit(module, data, data)
    assert module.batches == [float("inf"), 3]


def test_the_processes_that_a_run_launches_are_found(tmp_path: Path) -> None:
    assert list(launched_processes(make_trainer(tmp_path))) == []
    trainer = make_trainer(tmp_path, devices=2, strategy="ddp")
    message = MOVED.format(
        "the list trainer.strategy.launcher.procs of a run in several processes", "launched_processes"
    )
    assert hasattr(trainer.strategy.launcher, "procs"), message
    marker = SimpleNamespace()
    trainer.strategy.launcher.procs.append(marker)
    assert list(launched_processes(trainer)) == [marker]


def test_a_module_without_a_trainer_has_none(tmp_path: Path) -> None:
    module, trainer = Watched(), make_trainer(tmp_path)
    message = "LightningModule.trainer raises another error than RuntimeError without a trainer: adapt trainer_of"
    try:
        assert trainer_of(module) is None, message
    except Exception as error:
        raise AssertionError(message) from error
    module.trainer = trainer
    assert trainer_of(module) is trainer
