"""A trial in the sweep's process: as one alone, and nothing of it is left for the next."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lit_cnn.cli.console import say
from lit_cnn.cli.main import main
from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE
from lit_cnn.sweeps.in_process import LOG, run_in_process
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import explain_failure

RECIPE = """
about: {title: digits}
trainer: {max_epochs: 2, accelerator: cpu, devices: 1, precision: 32-true, limit_train_batches: 3, limit_val_batches: 1,
          enable_progress_bar: false}
model: {architecture: cifar_resnet8}
data: {source: digits, image_size: 8, batch_size: 16, workers: 0, crop: {kind: pad, padding: 1}}
tracking: {mode: disabled}
"""


def process_state() -> dict[str, object]:
    """What a training could leave behind in its process."""
    return {
        "threads": torch.get_num_threads(),
        "number format": torch.get_default_dtype(),
        "grad": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "draws": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
        "environment": dict(os.environ),
        "handlers": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)],
        "filters": list(warnings.filters),
        "level": logging.getLogger("lightning.pytorch").level,
        "streams": (sys.stdout, sys.stderr),
    }


def disturb(_: list[str]) -> int:
    """Changes all that ``process_state`` names."""
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("medium")
    random.random(), np.random.rand(), torch.rand(1)
    os.environ["LEFT_BEHIND"] = "1"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.CRITICAL)
    sys.stdout = sys.stderr
    return 7


@pytest.mark.slow
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = process_state()
    assert run_in_process(disturb, [], tmp_path, StopSignals()) == 7
    after = process_state()
    assert {name: after[name] for name in before if after[name] != before[name]} == {}


@pytest.mark.slow
def test_what_a_trial_prints_goes_to_its_log_also_from_processes_it_starts(
    tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    def talk(arguments: list[str]) -> int:
        say(f"said {arguments} {os.environ[RUN_DIR_VARIABLE]}")
        say("complained", stderr=True)
        subprocess.run(["echo", "from a child"], check=True)
        return 0

    assert run_in_process(talk, ["fit"], tmp_path, StopSignals()) == 0
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / LOG).read_text().splitlines() == [f"said ['fit'] {tmp_path}", "complained", "from a child"]
    say("again")
    assert capfd.readouterr().out == "again\n"


@pytest.mark.parametrize(("error", "code"), [(SystemExit(2), 2), (SystemExit("text"), 1), (ValueError("wrong"), 1)])
@pytest.mark.slow
def test_an_error_ends_the_trial_alone(tmp_path: Path, error: BaseException, code: int) -> None:
    def fail(_: list[str]) -> int:
        raise error

    assert run_in_process(fail, [], tmp_path, StopSignals()) == code
    assert ("ValueError: wrong" in (tmp_path / LOG).read_text()) == isinstance(error, ValueError)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_before_training_ends_the_trial_at_once_and_stops_the_sweep(tmp_path: Path, number: int) -> None:
    def wait(_: list[str]) -> int:
        threading.Timer(0.2, os.kill, [os.getpid(), number]).start()
        time.sleep(20)
        return 0

    started = time.monotonic()
    with StopSignals() as stop:
        assert run_in_process(wait, [], tmp_path, stop) == 128 + number
    assert stop.number == number
    assert time.monotonic() - started < 5.0


@pytest.mark.slow
def test_a_signal_that_a_training_takes_over_stops_the_sweep_too(tmp_path: Path) -> None:
    def take_over(_: list[str]) -> int:
        before = signal.signal(signal.SIGTERM, lambda *_: None)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
        return 0

    with StopSignals() as stop:
        assert run_in_process(take_over, [], tmp_path, stop) == 0
    assert stop.number == signal.SIGTERM


@pytest.mark.slow
def test_a_signal_to_a_forked_process_does_not_stop_the_sweep(tmp_path: Path) -> None:
    def fork(_: list[str]) -> int:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(20)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    with StopSignals() as stop:
        assert run_in_process(fork, [], tmp_path, stop) == 3
    assert stop.number is None


def trained(tmp_path: Path, name: str, rate: float) -> Path:
    """A run in this process, after whatever ran before."""
    run = tmp_path / name
    run.mkdir()
    arguments = ["fit", "--config", str(tmp_path / "base.yaml"), f"--model.optimizer.learning_rate={rate}"]
    assert run_in_process(main, arguments, run, StopSignals()) == 0, (run / LOG).read_text()
    return run


def assert_equal_runs(first: Path, second: Path) -> None:
    assert (first / "metrics.csv").read_bytes() == (second / "metrics.csv").read_bytes()
    ours, theirs = (load_file(run / "checkpoints" / "weights.safetensors") for run in (first, second))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.slow
def test_a_network_that_cannot_be_built_leaves_its_folder_and_the_reason(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RECIPE.replace("cifar_resnet8", "block_network"))
    run = tmp_path / "run"
    run.mkdir()
    network = ["--model.options.blocks=plain c8", "--model.options.drop_path=0.2"]
    assert run_in_process(main, ["fit", "--config", str(tmp_path / "base.yaml"), *network], run, StopSignals()) == 1
    reason = "no block has a shortcut, so stochastic depth cannot be used: set drop_path to 0"
    assert explain_failure(run, 1) == reason


@pytest.mark.slow
def test_a_trial_after_others_equals_one_alone_bit_for_bit(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RECIPE)
    broken = tmp_path / "broken"
    broken.mkdir()
    arguments = ["fit", "--config", str(tmp_path / "base.yaml")]
    assert run_in_process(main, [*arguments, "--model.optimizer.learning_rate=1e30"], broken, StopSignals()) == 1
    assert (broken / LOG).read_text().splitlines()[-1].startswith("lit-cnn: ")
    first, after = trained(tmp_path, "first", 0.3), trained(tmp_path, "after", 0.1)
    command = [sys.executable, "-m", "lit_cnn", *arguments]
    for run, rate in ((first, 0.3), (after, 0.1)):
        alone = tmp_path / f"alone{rate}"
        alone.mkdir()
        environment = {**os.environ, RUN_DIR_VARIABLE: str(alone)}
        done = subprocess.run(
            [*command, f"--model.optimizer.learning_rate={rate}"], env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert_equal_runs(run, alone)


@pytest.mark.slow
def test_a_paused_run_that_goes_on_equals_one_that_was_never_paused(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RECIPE.replace("max_epochs: 2", "max_epochs: 3"))
    whole = trained(tmp_path, "whole", 0.3)
    parts = tmp_path / "parts"
    parts.mkdir()
    start = ["fit", "--config", str(tmp_path / "base.yaml"), "--model.optimizer.learning_rate=0.3"]
    resume = ["fit", "--resume", str(parts)]
    for arguments, code, epochs in (
        ([*start, "--pause-after=1"], 75, {0}),
        ([*resume, "--pause-after=1"], 75, {0}),  # there already
        ([*resume, "--pause-after-steps=5"], 75, None),  # within the second epoch
        ([*resume, "--pause-after=2"], 75, {0, 1}),
        (resume, 0, {0, 1, 2}),
    ):
        assert run_in_process(main, arguments, parts, StopSignals()) == code, (parts / LOG).read_text()
        lines = (parts / "metrics.csv").read_text().splitlines()[1:]
        assert epochs is None or {int(line.split(",")[0]) for line in lines if line[0] != ","} == epochs
    assert_equal_runs(whole, parts)
    said = (parts / LOG).read_text()
    assert "paused after epoch 1; the state after step 3 is saved. Continue with: lit-cnn fit --resume" in said
    assert "paused after step 5; the state after step 5 is saved" in said
    assert json.loads((parts / "environment.json").read_text())["command"].startswith("lit-cnn fit ")
