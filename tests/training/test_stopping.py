"""What a run does with the signals it gets: at once before training, between two steps afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lit_cnn.data.loading import workers
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.stopping import PAUSED, TIMED_OUT, Pause, RunInterrupted, StopRequest


@pytest.fixture
def request_to_stop() -> Iterator[StopRequest]:
    stop = StopRequest()
    stop.listen()
    yield stop
    stop.release()


@pytest.mark.usefixtures("request_to_stop")
def test_before_training_a_signal_ends_the_run_at_once() -> None:
    with pytest.raises(RunInterrupted, match=r"^stopped by SIGTERM before training began$") as stopped:
        signal.raise_signal(signal.SIGTERM)
    assert (stopped.value.exit_code, stopped.value.began) == (143, False)


def test_in_training_a_signal_is_noted_and_a_second_one_hurries(request_to_stop: StopRequest) -> None:
    request_to_stop.wait_for_step()
    os.kill(os.getpid(), signal.SIGINT)
    assert request_to_stop.asked
    assert not request_to_stop.waited(60.0)
    os.kill(os.getpid(), signal.SIGINT)
    assert request_to_stop.waited(60.0)
    assert str(request_to_stop.interruption(7)) == "stopped by SIGINT; the state after step 7 is saved"


def test_the_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stop = StopRequest()
    stop.listen()
    stop.listen()  # such as after a library has taken them
    stop.release()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_time_limit_asks_with_its_own_code() -> None:
    stop = StopRequest(max_seconds=0.0)
    assert stop.asked
    assert stop.waited(0.0)
    assert stop.interruption(3).exit_code == TIMED_OUT


def test_a_pause_is_reached_after_its_epochs_or_its_steps() -> None:
    assert [StopRequest(pause=Pause(epochs=2)).pauses(epochs, 100) for epochs in (1, 2, 3)] == [False, True, True]
    assert [StopRequest(pause=Pause(steps=5)).pauses(9, steps) for steps in (4, 5, 6)] == [False, True, True]
    assert not StopRequest(pause=Pause()).pauses(9, 9)
    assert not StopRequest().pauses(9, 9)


def test_a_pause_has_its_own_words_and_code() -> None:
    paused = RunInterrupted(None, 12, pause=Pause(epochs=3))
    assert str(paused) == "paused after epoch 3; the state after step 12 is saved"
    assert (paused.exit_code, paused.paused, paused.began) == (PAUSED, True, True)


@pytest.mark.parametrize(("given", "message"), [({"epochs": 0}, "--pause-after is 0"), ({"steps": -1}, "-steps is -1")])
def test_a_pause_before_the_first_step_is_refused(given: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pause(**given)


WORKER = """
import signal, sys, time
from lit_cnn.data.loading import workers
workers.TERM_SECONDS = float(sys.argv[1])
workers.leave_signals_to_the_parent(0)
print("ready", flush=True)
time.sleep(30)
"""


@contextmanager
def worker(seconds: float) -> Iterator[subprocess.Popen]:
    with subprocess.Popen([sys.executable, "-c", WORKER, str(seconds)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    "name", ["SIGTERM", *(pytest.param(name, marks=pytest.mark.slow) for name in ("SIGINT", "SIGUSR1"))]
)
def test_a_worker_outlives_the_signals_of_its_group(name: str) -> None:
    with worker(workers.TERM_SECONDS) as process:
        process.send_signal(getattr(signal, name))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)


@pytest.mark.slow
def test_a_worker_that_hangs_is_ended_by_sigterm_after_a_while() -> None:
    with worker(0.2) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGALRM


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_to_the_group_of_a_run_with_workers_saves_it(tmp_path: Path, name: str, code: int) -> None:
    """As Ctrl-C and timeout(1) send it: to the loader's processes, too."""
    command = [sys.executable, "-m", "lit_cnn", "fit", "--config", "quickstart", "--data.workers", "2"]
    keys = ["--trainer.max_epochs", "50", "--tracking.mode", "disabled", "--trainer.enable_progress_bar", "false"]
    process = subprocess.Popen(
        [*command, *keys], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(f"runs/*/*/checkpoints/{LAST}")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, getattr(signal, name))
    said, _ = process.communicate(timeout=120)
    assert process.returncode == code, said
    assert f"stopped by {name}; the state after step" in said
    assert "lit-cnn fit --resume" in said
    (last,) = tmp_path.glob(f"runs/*/*/checkpoints/{LAST}")
    assert load_checkpoint(last)["global_step"] >= 22
