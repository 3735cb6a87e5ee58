"""What lit-cnn asks of Lightning's Trainer beyond its arguments."""

import datetime
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy, StrategyRegistry

from lit_cnn.training.trainer import (
    check_keys,
    check_strategy,
    end_launched,
    limited_waiting,
    loggers_of,
    make_trainer,
    profiler_of,
    seconds_of,
)


class Noting(DDPStrategy):
    """A strategy that keeps what it was made with."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.parameters = parameters


@pytest.fixture
def noting() -> Iterator[None]:
    """Lightning's ddp, as one that notes its parameters."""
    before = dict(StrategyRegistry)
    StrategyRegistry.register("ddp", Noting, override=True)
    yield
    StrategyRegistry.update(before)


def build(folder: Path, strategy: Any, devices: int = 2) -> pl.Trainer:
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(accelerator="cpu", devices=devices, strategy=strategy, default_root_dir=folder, **quiet)


@pytest.mark.usefixtures("noting")
@pytest.mark.parametrize("strategy", ["auto", "ddp"])
def test_a_process_waits_for_others_as_long_as_the_recipe_says(tmp_path: Path, strategy: str) -> None:
    before = dict(StrategyRegistry)
    with limited_waiting(2.5):
        trainer = build(tmp_path, strategy)
    assert isinstance(trainer.strategy, Noting), (
        "Lightning chooses strategies without its registry: adapt limited_waiting"
    )
    assert trainer.strategy.parameters["timeout"] == datetime.timedelta(seconds=150)
    assert dict(StrategyRegistry) == before
    outside = build(tmp_path, strategy).strategy
    assert isinstance(outside, Noting)
    assert "timeout" not in outside.parameters


def test_every_strategy_of_that_kind_gets_the_timeout_and_keeps_its_own_parameters() -> None:
    with limited_waiting(1.0):
        unused = StrategyRegistry["ddp_find_unused_parameters_true"]["init_params"]
        single = StrategyRegistry["single_xla"]["init_params"]
    assert (unused["find_unused_parameters"], unused["timeout"]) == (True, datetime.timedelta(minutes=1))
    assert "timeout" not in single


@pytest.mark.usefixtures("noting")
@pytest.mark.parametrize("strategy", ["auto", "ddp"])
def test_gradients_lie_in_the_buckets_that_are_reduced(tmp_path: Path, strategy: str) -> None:
    with limited_waiting(1.0):
        trainer = build(tmp_path, strategy)
        own = StrategyRegistry["ddp_find_unused_parameters_true"]["init_params"]
    assert isinstance(trainer.strategy, Noting)
    assert trainer.strategy.parameters["gradient_as_bucket_view"] is True
    assert own["gradient_as_bucket_view"] is True


def test_a_strategy_given_as_an_object_keeps_its_own_timeout(tmp_path: Path) -> None:
    own = Noting(timeout=datetime.timedelta(minutes=9))
    with limited_waiting(1.0):
        trainer = build(tmp_path, own)
    assert trainer.strategy is own
    assert own.parameters["timeout"] == datetime.timedelta(minutes=9)


def test_one_process_waits_for_none(tmp_path: Path) -> None:
    with limited_waiting(1.0):
        assert isinstance(build(tmp_path, "auto", devices=1).strategy, SingleDeviceStrategy)


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan")])
def test_no_time_to_wait_is_refused(minutes: float) -> None:
    with pytest.raises(ValueError, match="process_timeout_minutes must be above 0"), limited_waiting(minutes):
        pass


def test_launched_processes_that_hang_are_ended() -> None:
    hanging = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    end_launched(SimpleNamespace(strategy=SimpleNamespace(launcher=SimpleNamespace(procs=[ended, hanging]))))
    assert (ended.returncode, hanging.returncode) == (3, -9)


def test_strategies_that_split_the_weights_are_refused() -> None:
    for strategy in ("fsdp", "deepspeed_stage_2", {"class_path": "lightning.pytorch.strategies.ModelParallelStrategy"}):
        with pytest.raises(ValueError, match="shards the weights over the devices"):
            check_strategy(strategy)
    check_strategy("ddp")
    check_strategy(None)


def test_the_longest_time_is_read_in_each_of_its_forms() -> None:
    assert seconds_of(None) is None
    assert seconds_of("01:02:03:04") == 93784
    assert seconds_of({"hours": 1, "minutes": 2}) == 3720
    assert seconds_of(datetime.timedelta(seconds=5)) == 5
    with pytest.raises(ValueError, match="must be written as DD:HH:MM:SS, got '1:2:3'"):
        seconds_of("1:2:3")
    for wrong in ({"minuts": 5}, {"minutes": "5"}):
        ((unit, value),) = wrong.items()
        with pytest.raises(ValueError, match=f"^trainer.max_time must have numbers of .*, got {unit}: {value}$"):
            seconds_of(wrong)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("gradient_clip_val", 1.0, "set model.clipping.kind norm"),
        ("gradient_clip_algorithm", "value", "set model.clipping.kind"),
        ("default_root_dir", "mine", "below --runs"),
        ("enable_checkpointing", False, "cannot be false"),
    ],
)
def test_a_key_that_would_be_dropped_is_refused(key: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"^trainer.{key}.*{says}"):
        check_keys({key: value})
    check_keys({key: None})


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("accumulate_grad_batches", 0, "at least 1"),
        ("accumulate_grad_batches", -1, "at least 1"),
        ("max_epochs", 0, "at least 1"),
        ("max_epochs", -2, "at least 1"),
        ("max_steps", 0, "at least 1"),
        ("limit_train_batches", 0.0, "above 0"),
        ("limit_train_batches", -1, "above 0"),
    ],
)
def test_a_number_with_which_nothing_is_trained_is_refused(key: str, value: float, says: str) -> None:
    with pytest.raises(ValueError, match=f"^trainer.{key} is {value} but must be {says}"):
        check_keys({key: value})
    check_keys({"accumulate_grad_batches": 1, "max_epochs": -1, "max_steps": -1, "limit_train_batches": 0.5})


def test_what_lightning_refuses_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^the keys below trainer do not work here: .*[^.]$"):
        make_trainer({"accelerator": "cpu", "devices": 0})


def test_the_loggers_of_a_recipe_come_besides_the_runs_own(tmp_path: Path) -> None:
    own = CSVLogger(tmp_path)
    assert loggers_of({"logger": own}) == [own]
    assert loggers_of({"logger": [own, own]}) == [own, own]
    assert loggers_of({"logger": True}) == loggers_of({"logger": False}) == loggers_of({}) == []


def test_a_profiler_given_by_name_writes_into_the_run_folder(tmp_path: Path) -> None:
    profiler = profiler_of({"profiler": "simple"}, tmp_path)
    assert isinstance(profiler, SimpleProfiler)
    assert (profiler.dirpath, profiler.filename) == (tmp_path, "profile")
    assert profiler_of({"profiler": profiler}, tmp_path) is profiler
    assert profiler_of({}, tmp_path) is None
