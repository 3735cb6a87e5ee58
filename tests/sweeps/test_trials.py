"""A trial's process: how it is started, continued, stopped and read."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from lit_cnn.sweeps.locks import take
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import FIT_LOCK, Fit, explain_failure, read_value

FIT = Fit(Path("recipe.yaml"), ["--all=1"], (sys.executable, "-S", str(Path(__file__).parent / "fake_fit.py")))


def space(**changes: str) -> Space:
    return Space((Axis("x", choices=(1,)),), metric="val/acc1", **changes)  # type: ignore[arg-type]


def test_a_trial_starts_anew_without_a_checkpoint_and_resumes_with_one(tmp_path: Path) -> None:
    fit = Fit(Path("recipe.yaml"), ["--all=1"], ("fit",))
    assert fit.command_line(tmp_path, ["--x=1"]) == ["fit", "--config", "recipe.yaml", "--all=1", "--x=1"]
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "previous.ckpt").touch()
    assert fit.command_line(tmp_path, ["--x=1"]) == ["fit", "--resume", str(tmp_path), "--all=1"]


def test_the_value_is_that_of_the_best_or_the_last_epoch(tmp_path: Path) -> None:
    assert FIT.run(tmp_path, ["--x=2", "--y=4"], StopSignals()) == 0
    assert read_value(tmp_path, space()) == 24.0
    assert read_value(tmp_path, space(direction="minimize")) == 12.0
    assert read_value(tmp_path, space(value="last")) == 18.0


def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    code = FIT.run(tmp_path, ["--x=crash"], StopSignals())
    assert code == 1
    assert explain_failure(tmp_path, code) == "the images are missing"
    code = FIT.run(tmp_path, ["--x=die"], StopSignals())
    assert code == -signal.SIGKILL
    assert explain_failure(tmp_path, code) == "ended by SIGKILL, as when memory runs out"
    assert explain_failure(tmp_path / "removed", 1) == "ended with exit code 1 and said nothing"


def test_a_missing_metric_and_one_that_is_no_number(tmp_path: Path) -> None:
    FIT.run(tmp_path, ["--x=other"], StopSignals())
    with pytest.raises(KeyError) as error:
        read_value(tmp_path, space())
    assert error.value.args[0] == ["val/loss"]
    FIT.run(tmp_path, ["--x=nan"], StopSignals())
    with pytest.raises(ValueError, match="never a finite number"):
        read_value(tmp_path, space())


def test_a_signal_is_passed_on_and_awaited(tmp_path: Path) -> None:
    def send_once_it_hangs() -> None:
        while not (tmp_path / "checkpoints").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    sender = threading.Thread(target=send_once_it_hangs)
    with StopSignals() as stop:
        sender.start()
        assert FIT.run(tmp_path, ["--x=hang"], stop) == 143
    sender.join()
    assert stop.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_fit_that_outlived_its_sweep_is_awaited(tmp_path: Path) -> None:
    lock = take(tmp_path / FIT_LOCK)
    assert lock is not None
    stop = StopSignals()
    stop.number = signal.SIGINT
    assert FIT.run(tmp_path, ["--x=1"], stop) is None
    assert not (tmp_path / "starts").exists()
    stop.number = None
    ending = threading.Timer(0.3, os.close, [lock])
    ending.start()
    assert FIT.run(tmp_path, ["--x=1"], stop) == 0
    assert not ending.is_alive()
    assert (tmp_path / "starts").read_text() == "new\n"
