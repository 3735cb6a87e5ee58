"""A SLURM job that is signalled saves, requeues itself and goes on in the same run; a stub stands for scontrol."""

import signal
from pathlib import Path
from typing import Any

import pytest
from digits_run import assert_same_end
from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment
from lightning.pytorch.strategies import DDPStrategy

from lit_cnn.cli.main import main
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.slurm import job_id, requeue, requeued_run, take_over_requeueing

RECIPE = """
model: {architecture: cifar_resnet20, options: {drop_path: 0.1}}
data: {source: digits, image_size: 8, batch_size: 240, workers: 0, crop: {kind: resize}, mixup: {alpha: 0.2}}
ema: {decay: 0.9}
trainer:
  max_epochs: 1
  accelerator: cpu
  devices: 1
  enable_progress_bar: false
  log_every_n_steps: 1
  callbacks: [{class_path: slurm_signal.SignalOnce}]
tracking: {mode: disabled}
"""
JOB = {"JOB_ID": "4711", "JOB_NAME": "train", "NTASKS": "1", "NTASKS_PER_NODE": "1", "NNODES": "1"}
JOB |= {"PROCID": "0", "LOCALID": "0", "NODEID": "0", "ARRAY_JOB_ID": "4700", "ARRAY_TASK_ID": "3"}
FIT = ["fit", "--config", "recipe.yaml"]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the working directory of a job of an array, with an ``scontrol`` that notes its arguments."""
    stub = tmp_path / "bin" / "scontrol"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/scontrol.txt\n')
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(stub.parent), prepend=":")
    for name, value in JOB.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def only_run(folder: Path) -> Path:
    (run,) = (folder / "runs" / "recipe").iterdir()
    return run


@pytest.mark.slow
def test_a_signalled_job_is_requeued_and_the_same_command_ends_bit_equal(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    assert main(FIT) == 128 + signal.SIGUSR1
    assert "requeued the SLURM job 4700_3" in capsys.readouterr().out
    assert (job / "scontrol.txt").read_text() == "requeue 4700_3\n"
    run = only_run(job)
    assert load_checkpoint(run / "checkpoints" / LAST)["global_step"] == 4
    assert not list(run.rglob("hpc_ckpt*")), "Lightning saved in the middle of a step"
    assert signal.getsignal(signal.SIGUSR1) == before

    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    (job / "recipe.yaml").write_text("a recipe that was changed meanwhile")
    assert main(FIT) == 0
    assert only_run(job) == run
    assert load_checkpoint(run / "checkpoints" / LAST)["global_step"] == 5

    (job / "recipe.yaml").write_text(RECIPE)
    assert main([*FIT, "--runs", "whole"]) == 0  # another command of the job: a run of its own
    (whole,) = (job / "whole" / "recipe").iterdir()
    for folder in (whole, run):
        (folder / "checkpoints" / "metrics.csv").write_bytes((folder / "metrics.csv").read_bytes())
    assert_same_end(whole / "checkpoints", run / "checkpoints")


@pytest.mark.usefixtures("job")
def test_lightnings_own_requeueing_is_switched_off_before_there_is_a_trainer() -> None:
    settings: dict[str, Any] = {"plugins": None}
    assert take_over_requeueing(settings) == signal.SIGUSR1
    (plugin,) = settings["plugins"]
    assert isinstance(plugin, SLURMEnvironment)
    assert not plugin.auto_requeue


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("single", [True, False])
def test_a_plugin_of_the_recipe_says_which_signal_asks_for_requeueing(single: bool) -> None:
    own = SLURMEnvironment(requeue_signal=signal.SIGHUP)
    settings = {"plugins": own if single else [own]}
    assert take_over_requeueing(settings) == signal.SIGHUP
    assert settings == {"plugins": own if single else [own]}
    assert not own.auto_requeue
    assert take_over_requeueing({"plugins": [SLURMEnvironment(auto_requeue=False)]}) is None
    assert take_over_requeueing({"plugins": [LightningEnvironment()]}) is None
    strategy = DDPStrategy(cluster_environment=SLURMEnvironment())
    assert take_over_requeueing({"strategy": strategy}) == signal.SIGUSR1
    assert not strategy.cluster_environment.auto_requeue


def test_outside_a_job_nothing_is_taken_over() -> None:
    settings = {"plugins": None, "strategy": "auto"}
    assert take_over_requeueing(settings) is None
    assert settings == {"plugins": None, "strategy": "auto"}


@pytest.mark.usefixtures("job")
def test_a_scheduler_that_refuses_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "bin" / "scontrol").write_text('#!/bin/sh\necho "Job is not requeueable" >&2\nexit 1\n')
    assert requeue() == "SLURM did not requeue the job 4700_3 (Job is not requeueable): submit it again"


def test_a_job_in_its_first_life_has_no_run_to_continue(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert requeued_run(job / "runs", ["lit-cnn", *FIT]) is None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert requeued_run(job / "runs", ["lit-cnn", *FIT]) is None  # killed before it had a run


def test_the_id_of_a_job_outside_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    assert job_id() is None
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert job_id() == "12"
