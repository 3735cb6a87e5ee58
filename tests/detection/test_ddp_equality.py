"""Two gloo processes on the CPU train and judge a detector as one process does, whatever number of images each sees."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tiny_layouts import Tiny, write_voc

from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics

pytestmark = pytest.mark.slow
RECIPE = """
task: detection
trainer:
  {max_epochs: 2, accelerator: cpu, devices: 1, precision: 32-true, enable_progress_bar: false, log_every_n_steps: 1}
model:
  detector: fcos
  architecture: vgg11
  options: {weight_init: he}
  pyramid: {width: 32}
  fcos: {depth: 1, normalizer: global}
  retinanet: {depth: 1}
  ssd: {normalizer: global}
  faster_rcnn: {normalizer: global, hidden: 32}
  decoding: {score_threshold: 0.0}
  optimizer: {learning_rate: 0.01, base_batch_size: null}
data: {path: set, canvas: [64, 64], batch_size: 4, eval_batch_size: 2, workers: 0, drop_last: false,
       scale_jitter: {range: [0.8, 1.2]}, mixup: {alpha: 1.0}}
ema: {decay: 0.9, validate_raw: true}
tracking: {mode: disabled}
"""
"""Without batch norm, whose statistics belong to a process; a detector is asked before it can find much, so every box
counts, and objects are large enough to be hit."""
RANK_ZERO = "train/loss_step"
"""The one figure in ``metrics.csv`` that is about the images of rank 0 alone."""


@dataclass(frozen=True)
class Case:
    """Images of the two sets, keys that the recipe changes, and how far a weight may be off, over its tensor's
    largest."""

    train: int
    val: int
    changes: tuple[str, ...] = ()
    weights: float = 1e-5


QUIET = ("--model.options.weight_init", "glorot", "--model.optimizer.learning_rate", "0.001")
"""SSD reads the network's own maps, which are loud by He's weights without a norm. By these, on images of flat gray, a
channel may cross its ReLU at all positions at once, by the last bit: the weights in front of it differ by 3e-4 then."""
CASES = {
    "RetinaNet, last batches of one image": Case(9, 5, ("--model.detector", "retinanet")),
    "FCOS, one rank without a validation image": Case(9, 1),
    "SSD, last batches of one image": Case(9, 5, ("--model.detector", "ssd", *QUIET), weights=1e-3),
    "Faster R-CNN, last batches of one image": Case(9, 5, ("--model.detector", "faster_rcnn"), weights=5e-5),
}


def images(count: int, prefix: str) -> list[Tiny]:
    """One large object each, none in the second image."""
    made = []
    for number in range(count):
        left, top = 2 + 3 * number % 17, 1 + 2 * number % 11
        box = (("cat", "dog")[number % 2], left, top, left + 34, top + 30)
        made.append(Tiny(f"{prefix}{number}", boxes=[] if number == 1 else [box]))
    return made


def train(folder: Path, case: Case, processes: int) -> Path:
    """The run folder of ``case`` trained to its end."""
    write_voc(folder / "set", {"train": images(case.train, "train"), "val": images(case.val, "val")})
    (folder / "recipe.yaml").write_text(RECIPE)
    command = [sys.executable, "-m", "lit_cnn", "fit", "--config", "recipe.yaml", *case.changes]
    if processes > 1:
        command += ["--trainer.devices", str(processes), "--trainer.strategy", "ddp"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (folder / "runs" / "recipe").iterdir()
    return run


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_two_processes_end_with_the_weights_and_the_figures_of_one(case: Case, tmp_path: Path) -> None:
    one, two = (train(tmp_path / str(processes), case, processes) for processes in (1, 2))
    rows, others = (read_metrics(run / "metrics.csv") for run in (one, two))
    assert rows[-1]["val/map50"] > 0 or case.val == 1  # something is found, so that the figures can differ
    for row, other in zip(rows, others, strict=True):
        row.pop(RANK_ZERO, None), other.pop(RANK_ZERO, None)
        assert other == pytest.approx(row, rel=1e-5, abs=1e-6)
        figures = {key: value for key, value in row.items() if key.startswith("val/")}
        assert {key: other[key] for key in figures} == pytest.approx(figures, rel=0, abs=1e-6)
    first, second = (load_checkpoint(run / "checkpoints" / LAST)["state_dict"] for run in (one, two))
    for name, weight in first.items():
        np.testing.assert_allclose(second[name], weight, atol=case.weights * float(weight.abs().max()), err_msg=name)
