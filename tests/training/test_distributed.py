"""Two gloo processes on the CPU: one run folder, each validation image counted once, a stop that resumes."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ddp_equality import CASES, SKIPPING, Case, measure

from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup, draw
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics

pytestmark = pytest.mark.slow
FIT = [
    *("fit", "--config", "quickstart", "--trainer.max_epochs", "2", "--trainer.accelerator", "cpu"),
    *("--trainer.enable_progress_bar", "false", "--tracking.mode", "disabled", "--data.rand_augment.layers", "1"),
    "--trainer.precision=32-true",  # other batch shapes round otherwise
    *("--data.mixup.alpha", "0.2", "--data.cutmix.alpha", "1.0", "--model.options.drop_path", "0.1"),
    *("--ema.validate_raw", "true"),
]
TWO = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]


def lit_cnn(folder: Path, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "lit_cnn", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def finish(process: subprocess.Popen, code: int = 0) -> str:
    out, error = process.communicate(timeout=300)
    assert process.returncode == code, out + error
    return out


def only_run(folder: Path) -> Path:
    (run,) = (folder / "runs" / "quickstart").iterdir()
    return run


def test_two_processes_report_what_the_checkpoint_gives(tmp_path: Path) -> None:
    finish(lit_cnn(tmp_path, *FIT, *TWO))
    run = only_run(tmp_path)
    reported = read_metrics(run / "metrics.csv")[-1]
    for weights, suffix in (("ema", ""), ("raw", "_raw")):
        text = finish(lit_cnn(tmp_path, "validate", str(run / "checkpoints" / LAST), "--weights", weights, "--json"))
        alone = json.loads(text[text.index("{") :])
        assert alone["val/acc1"] == reported[f"val/acc1{suffix}"]
        assert alone["val/loss"] == pytest.approx(reported[f"val/loss{suffix}"], rel=1e-6)


def test_a_signal_stops_both_and_the_run_continues(tmp_path: Path) -> None:
    process = lit_cnn(tmp_path, *FIT, *TWO)
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("runs/*/*/checkpoints/last.ckpt")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert "lit-cnn fit --resume" in finish(process, 130).replace("\n", " ")
    run = only_run(tmp_path)
    assert 22 <= load_checkpoint(run / "checkpoints" / LAST)["global_step"] < 44
    finish(lit_cnn(tmp_path, "fit", "--resume", "last"))
    assert load_checkpoint(run / "checkpoints" / LAST)["global_step"] == 44
    assert [row["epoch"] for row in read_metrics(run / "metrics.csv") if "val/acc1" in row] == [0, 1]


def test_a_run_goes_on_in_an_epoch_whose_last_steps_do_not_mix(tmp_path: Path) -> None:
    """Both processes know that steps before the stop did, and wait for each other in the mixed accuracy."""
    mixup, mixing, cutmix = Mixup(0.2, probability=0.5), Mixing(), CutMix()
    drawn = ([draw((seed, step), mixup, cutmix, mixing).method for step in range(4)] for seed in itertools.count())
    seed = next(seed for seed, found in enumerate(drawn) if found == ["mixup", "none", "none", "none"])
    recipe = f"""
    seed_everything: {seed}
    model: {{architecture: cifar_resnet8}}
    data: {{source: digits, image_size: 8, batch_size: 64, workers: 0, crop: {{kind: resize}},
           mixup: {{alpha: 0.2, probability: 0.5}}}}
    trainer: {{max_epochs: 1, limit_train_batches: 4, accelerator: cpu, devices: 2, enable_progress_bar: false}}
    tracking: {{mode: disabled}}
    """
    (tmp_path / "recipe.yaml").write_text(recipe)
    finish(lit_cnn(tmp_path, "fit", "--config", "recipe.yaml", "--runs", "whole"))
    finish(lit_cnn(tmp_path, "fit", "--config", "recipe.yaml", "--runs", "parts", "--pause-after-steps", "2"), 75)
    (parts,), (whole,) = (list((tmp_path / name).glob("*/*")) for name in ("parts", "whole"))
    finish(lit_cnn(tmp_path, "fit", "--resume", str(parts)))
    assert read_metrics(parts / "metrics.csv") == read_metrics(whole / "metrics.csv")
    assert "train/acc1_soft" in read_metrics(whole / "metrics.csv")[-1]


def test_a_resumed_run_must_stay_the_same_run(tmp_path: Path) -> None:
    finish(lit_cnn(tmp_path, *FIT))
    process = lit_cnn(tmp_path, "fit", "--resume", "last", "--model.optimizer.learning_rate", "0.3")
    _, error = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "model.optimizer.learning_rate (0.1 -> 0.3)" in error


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_what_one_trains(name: str, tmp_path: Path) -> None:
    """The table that ``ddp_equality.py`` beside this prints."""
    found = measure(tmp_path, CASES[name])
    assert found.weights < 1e-5
    assert found.loss < 1e-5
    assert found.accuracies_equal


def test_both_processes_skip_the_blocks_that_one_skips(tmp_path: Path) -> None:
    found = measure(tmp_path, Case(77, 23, overlay=SKIPPING))
    assert found.weights < 1e-5
    one, *two = [
        (tmp_path / folder / f"skipped-{rank}").read_text() for folder, rank in (("one", 0), ("two", 0), ("two", 1))
    ]
    assert two == [one, one]
    assert len(one) == 6 * 6  # steps and blocks
    assert {"0", "1"} == set(one)


def test_a_dead_process_brings_the_run_down_with_its_reason(tmp_path: Path) -> None:
    process = lit_cnn(tmp_path, *FIT, *TWO, "--trainer.max_epochs", "100")
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("runs/*/*/checkpoints/last.ckpt")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    other = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    launched = [int(pid) for pid in other if b"lit_cnn" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(launched[0], signal.SIGKILL)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a process of this distributed run has died" in error
    assert "lit-cnn fit --resume last" in error


NOTING = """
import os
from pathlib import Path
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 10))

    def forward(self, images):
        if (gradient := self[1].weight.grad) is not None:
            Path(f"view-{os.environ.get('LOCAL_RANK', '0')}").write_text(str(gradient._is_view()))
        return super().forward(images)
"""


def test_gradients_are_views_of_what_is_reduced_in_both_processes(tmp_path: Path) -> None:
    (tmp_path / "noting.py").write_text(NOTING)
    recipe = """
    model: {architecture: {class_path: noting.Net}}
    data: {source: digits, image_size: 8, batch_size: 64, workers: 0, crop: {kind: resize}}
    trainer: {max_epochs: 1, limit_train_batches: 3, accelerator: cpu, devices: 2, enable_progress_bar: false}
    tracking: {mode: disabled}
    """
    (tmp_path / "recipe.yaml").write_text(recipe)
    finish(lit_cnn(tmp_path, "fit", "--config", "recipe.yaml"))
    assert [(tmp_path / f"view-{rank}").read_text() for rank in (0, 1)] == ["True", "True"]


HANGING = """
import os, time
from pathlib import Path
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 10))
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        if self.calls == 4 and os.environ.get("LOCAL_RANK") == "1":
            Path("hanging").write_text(str(os.getpid()))
            time.sleep(3600)
        return super().forward(images)
"""


def test_a_hanging_process_brings_the_run_down_within_the_timeout(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    recipe = """
    model: {architecture: {class_path: hanging.Net}}
    data: {source: digits, image_size: 8, batch_size: 64, workers: 0, crop: {kind: resize}}
    trainer: {max_epochs: 9, accelerator: cpu, devices: 2, strategy: ddp, enable_progress_bar: false}
    tracking: {mode: disabled}
    """
    (tmp_path / "recipe.yaml").write_text(recipe)
    process = lit_cnn(tmp_path, "fit", "--config", "recipe.yaml", "--process_timeout_minutes", "0.5")
    deadline = time.monotonic() + 200
    while not (tmp_path / "hanging").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    hung = time.monotonic()
    _, error = process.communicate(timeout=100)
    assert 20 < time.monotonic() - hung < 90
    assert process.returncode == 1
    (sentence,) = [line for line in error.splitlines() if line.startswith("lit-cnn: ")]
    assert "a process of this distributed run has died or hangs" in sentence
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "hanging").read_text()), 0)
