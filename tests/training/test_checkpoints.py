"""What a run keeps when it is stopped, or when its disk is full."""

import itertools
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from digits_run import assert_same_end, fit
from ramp_run import train_ramp

from lit_cnn.run_folder.checkpoint import BEST, LAST, MIGRATIONS, PREVIOUS, load_checkpoint, network_weights
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.optimization.schedules import ScheduleSettings
from lit_cnn.training.stopping import TIMED_OUT, Pause, RunInterrupted, StopRequest
from lit_cnn.training.trainer import seconds_of


class SignalInValidation(pl.Callback):
    """Act as if SIGTERM came when validation of an epoch begins."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == self.epoch:
            (checkpoints,) = (callback for callback in trainer.callbacks if isinstance(callback, Checkpoints))
            checkpoints.stop.note(15)


@pytest.mark.slow
def test_a_long_validation_is_given_up_and_the_run_ends_bit_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lit_cnn.training.callbacks.checkpoints.GRACE_SECONDS", 0.0)
    fit(tmp_path / "whole")
    with pytest.raises(RunInterrupted, match="stopped by SIGTERM; the state after step 11 is saved") as stop:
        fit(tmp_path / "parts", callbacks=(SignalInValidation(1),))
    assert stop.value.exit_code == 143
    fit(tmp_path / "parts", resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


def pause_at_validation(folder: Path, watchers: tuple[pl.Callback, ...] = (), **settings: Any) -> None:
    """Pause the ramp after step 4, one of those after which it is validated."""
    checkpoints = Checkpoints(folder, "val/acc1", {"network": {}}, stop=StopRequest(pause=Pause(steps=4)), **settings)
    train_ramp(folder, [*watchers, checkpoints], scores=[0.5], batches=6, val_check_interval=2)


def test_a_pause_where_a_validation_is_due_keeps_the_validation(tmp_path: Path) -> None:
    class Rising(pl.Callback):
        def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
            pl_module.scores = [trainer.global_step / 10]

    with pytest.raises(RunInterrupted, match="the state after step 4 is saved"):
        pause_at_validation(tmp_path, (Rising(),), keep=1)
    (top,) = tmp_path.glob("epoch*.ckpt")
    for path in (tmp_path / LAST, tmp_path / BEST, top):
        checkpoint = load_checkpoint(path)
        assert (checkpoint["global_step"], checkpoint["best_score"]) == (4, pytest.approx(0.4))


def test_a_validation_inside_an_epoch_that_is_given_up_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SignalAtStep(SignalInValidation):
        def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
            if trainer.global_step == 4:
                super().on_validation_start(trainer, pl_module)

    monkeypatch.setattr("lit_cnn.training.callbacks.checkpoints.GRACE_SECONDS", 0.0)
    with pytest.raises(RunInterrupted, match="the state after step 3 is saved"):
        pause_at_validation(tmp_path, (SignalAtStep(0),), every_seconds=0.0)
    assert load_checkpoint(tmp_path / LAST)["global_step"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stop_after", "settings"),
    [
        (2, {"val_check_interval": 4, "accumulate_grad_batches": 2}),
        (5, {"val_check_interval": 5, "check_val_every_n_epoch": None}),
    ],
)
def test_a_stop_where_a_validation_is_due_ends_bit_equal(
    tmp_path: Path, stop_after: int, settings: dict[str, Any]
) -> None:
    """The plateau schedule and best.ckpt have seen every validation of the whole run."""
    plateau = {"schedule": ScheduleSettings("plateau", plateau_patience=1)}
    fit(tmp_path / "whole", epochs=1, model=plateau, **settings)
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", epochs=1, model=plateau, stop_after=stop_after, **settings)
    fit(tmp_path / "parts", epochs=1, model=plateau, resume=True, **settings)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    steps = [load_checkpoint(tmp_path / folder / BEST)["global_step"] for folder in ("whole", "parts")]
    assert steps[0] == steps[1]


@pytest.mark.slow
def test_a_short_validation_ends_and_its_epoch_is_saved(tmp_path: Path) -> None:
    with pytest.raises(RunInterrupted, match="stopped by SIGTERM; the state after step 11 is saved"):
        fit(tmp_path, callbacks=(SignalInValidation(0),))
    assert load_checkpoint(tmp_path / LAST)["best_score"] > 0


@pytest.mark.slow
def test_a_signal_before_the_first_checkpoint_says_that_nothing_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lit_cnn.training.callbacks.checkpoints.GRACE_SECONDS", 0.0)
    with pytest.raises(RunInterrupted, match="nothing was saved yet"):
        fit(tmp_path, callbacks=(SignalInValidation(0),))
    assert not (tmp_path / LAST).exists()


def test_the_time_limit_stops_after_a_step_with_the_state_saved(tmp_path: Path) -> None:
    with pytest.raises(RunInterrupted, match="stopped by the time limit; the state after step 1 is saved") as stop:
        fit(tmp_path, max_seconds=0.0)
    assert stop.value.exit_code == TIMED_OUT
    assert load_checkpoint(tmp_path / LAST)["global_step"] == 1


@pytest.mark.slow
def test_the_time_limit_does_not_follow_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock jumps forward by a year with every look at it."""
    clock = itertools.count(time.time(), 365 * 86400.0)
    monkeypatch.setattr(time, "time", lambda: next(clock))
    fit(tmp_path, epochs=1, max_seconds=1000.0)
    assert load_checkpoint(tmp_path / LAST)["global_step"] == 11


def test_the_time_limit_is_written_as_lightning_writes_it() -> None:
    assert seconds_of("01:02:03:04") == ((1 * 24 + 2) * 60 + 3) * 60 + 4
    assert seconds_of({"minutes": 2, "seconds": 1}) == 121
    assert seconds_of(None) is None
    with pytest.raises(ValueError, match=r"DD:HH:MM:SS, got '5h'"):
        seconds_of("5h")


@pytest.mark.slow
def test_the_best_epoch_is_kept_without_writing_it_twice(tmp_path: Path) -> None:
    fit(tmp_path, epochs=1)
    assert (tmp_path / BEST).stat().st_ino == (tmp_path / LAST).stat().st_ino
    inode = (tmp_path / BEST).stat().st_ino
    fit(tmp_path, epochs=2, resume=True)
    assert (tmp_path / PREVIOUS).stat().st_ino == inode
    assert load_checkpoint(tmp_path / LAST)["global_step"] == 22
    best = load_checkpoint(tmp_path / BEST)
    assert best["best_score"] == load_checkpoint(tmp_path / LAST)["best_score"]


@pytest.mark.parametrize(
    ("scores", "best"), [((0.3, 0.7, 0.5), 1), ((0.7, 0.5, 0.3), 0), ((0.3, 0.5, 0.7), 2), ((0.5, 0.7, 0.7), 1)]
)
def test_the_best_epoch_is_the_first_of_the_highest_score(tmp_path: Path, scores: tuple[float, ...], best: int) -> None:
    train_ramp(tmp_path, [Checkpoints(tmp_path, "val/acc1", {"network": {}})], scores=scores)
    kept = {name: load_checkpoint(tmp_path / name) for name in (BEST, LAST, PREVIOUS)}
    assert [checkpoint["epoch"] for checkpoint in kept.values()] == [best, 2, 1]
    assert kept[BEST]["best_score"] == kept[LAST]["best_score"] == pytest.approx(0.7)
    weights = [float(network_weights(checkpoint)["bias"]) for checkpoint in kept.values()]
    assert weights == [best + 1, 3, 2]  # the ramp's weight is the number of epochs trained


def test_a_run_that_goes_on_keeps_its_best_epoch(tmp_path: Path) -> None:
    record: dict[str, Any] = {"network": {}}
    train_ramp(tmp_path, [Checkpoints(tmp_path, "val/acc1", record)], scores=(0.7,))
    train_ramp(tmp_path, [Checkpoints(tmp_path, "val/acc1", record)], scores=(0.7, 0.5), resume=tmp_path / LAST)
    assert load_checkpoint(tmp_path / LAST)["epoch"] == 1
    assert load_checkpoint(tmp_path / BEST)["epoch"] == 0


def renamed(checkpoint: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    return {after if key == before else key: value for key, value in checkpoint.items()}


@pytest.mark.slow
def test_a_run_of_an_older_version_is_migrated_and_ends_bit_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 0 stands for one that called the weights otherwise."""
    fit(tmp_path / "whole", epochs=1)
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", epochs=1, stop_after=4)
    path = tmp_path / "parts" / LAST
    torch.save({**renamed(load_checkpoint(path), "state_dict", "weights"), "format": 0}, path)
    with pytest.raises(ValueError, match="has format 0, which this lit-cnn no longer reads"):
        load_checkpoint(path)
    monkeypatch.setitem(MIGRATIONS, 0, lambda checkpoint: renamed(checkpoint, "weights", "state_dict"))
    fit(tmp_path / "parts", epochs=1, resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 5 MB, which holds one checkpoint of the run and not two."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_good_checkpoint(small_disk: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot write the checkpoint .*last\.ckpt .*the state after step 11 is kept"):
        fit(small_disk)
    assert load_checkpoint(small_disk / LAST)["global_step"] == 11
    assert not list(small_disk.glob(".*partial"))
