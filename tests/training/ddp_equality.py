"""Train the same recipes in one process and in two gloo processes on the CPU, and compare the ends.

    python tests/training/ddp_equality.py

Prints a Markdown table: the largest difference of a weight relative to its tensor's largest, the largest relative
difference of an epoch's loss in ``metrics.csv``, and whether every accuracy is the same number. The network is a VGG-11
without batch norm, whose statistics belong to a process.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics

RECIPE = """
trainer:
  {max_epochs: 2, accelerator: cpu, devices: 1, precision: 32-true, enable_progress_bar: false, log_every_n_steps: 1}
model:
  architecture: vgg11
  options: {dropout: 0.2, weight_init: he, map_size: 1, hidden: 32}
  loss: {label_smoothing: 0.1}
  optimizer: {learning_rate: 0.01, base_batch_size: null, weight_decay: 1.0e-3}
  schedule: {name: cosine, warmup_epochs: 0.5}
data: {source: npz, path: set.npz, image_size: 32, batch_size: 32, drop_last: false, workers: 0,
       eval_batch_size: 16, evaluation: {crop_ratio: 1.0}}
ema: {decay: 0.9}
tracking: {mode: disabled}
"""
SKIPPING = """
model: {architecture: {class_path: skipping_net.SkippingNet, init_args: {num_classes: 3}}}
stochastic_depth: {gate: batch}
"""
"""Laid over the recipe: the network of ``skipping_net.py`` beside this, with a drop path."""
FROZEN = """
model:
  architecture: {class_path: skipping_net.SkippingNet, init_args: {num_classes: 3}}
  initial: {freeze_epochs: 1}
"""
"""The same network, of which the first epoch trains the last layer alone."""
RANK_ZERO = "train/loss_step"
"""The one figure in ``metrics.csv`` that is about the images of rank 0 alone."""
AUGMENTED = ["--data.rand_augment.layers", "1", "--data.mixup.alpha", "0.2", "--data.cutmix.alpha", "1.0"]


@dataclass(frozen=True)
class Case:
    """Images of the two sets, and what the recipe changes: keys, and YAML that is laid over it before."""

    train: int
    val: int
    changes: tuple[str, ...] = ()
    overlay: str = "{}"


CASES = {
    "whole batches, RandAugment, mixup, CutMix, dropout, EMA": Case(96, 32, tuple(AUGMENTED)),
    "last batches of 13 and 7 images": Case(77, 23, tuple(AUGMENTED)),
    "a last batch of one image, one validation image": Case(65, 1),
    "two accumulated batches": Case(77, 23, ("--trainer.accumulate_grad_batches", "2")),
    "sharpness-aware minimization": Case(77, 23, ("--model.sam.rho", "0.05")),
    "adaptive gradient clipping": Case(77, 23, ("--model.clipping.kind", "adaptive", "--model.clipping.limit", "0.05")),
    "stochastic depth, blocks skipped, two accumulated batches": Case(
        77, 23, ("--trainer.accumulate_grad_batches", "2"), SKIPPING
    ),
    "layers frozen in the first epoch": Case(77, 23, (), FROZEN),
    "plateau schedule": Case(77, 23, ("--model.schedule.name", "plateau", "--model.schedule.plateau_patience", "1")),
}


@dataclass(frozen=True)
class Difference:
    """How far two processes end from one."""

    weights: float
    loss: float
    accuracies_equal: bool


def write_set(path: Path, case: Case) -> None:
    """Colored noise whose class is its brightest channel, under MedMNIST's array names."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in (("train", case.train), ("val", case.val)):
        labels = np.arange(count) % 3
        images = random.integers(0, 160, (count, 32, 32, 3))
        images[np.arange(count), :, :, labels] += 80
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images.astype(np.uint8), labels
    np.savez(path, **arrays)


def train(folder: Path, case: Case, processes: int) -> Path:
    """The run folder of ``case`` trained to its end."""
    folder.mkdir(parents=True)
    write_set(folder / "set.npz", case)
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "overlay.yaml").write_text(case.overlay)
    configs = ["--config", "recipe.yaml", "--config", "overlay.yaml"]
    command = [sys.executable, "-m", "lit_cnn", "fit", *configs, *case.changes]
    if processes > 1:
        command += ["--trainer.devices", str(processes), "--trainer.strategy", "ddp"]
    path = f"{Path(__file__).parent}:{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    (run,) = (folder / "runs" / "recipe").iterdir()
    return run


def compare(one: Path, two: Path) -> Difference:
    """The differences of two runs' last checkpoints and metrics."""
    first, second = (load_checkpoint(run / "checkpoints" / LAST)["state_dict"] for run in (one, two))
    assert first.keys() == second.keys()
    floats = [(value.double(), second[key].double()) for key, value in first.items() if value.is_floating_point()]
    weights = max(float((a - b).abs().max() / a.abs().max().clamp(min=1e-12)) for a, b in floats)
    loss, equal = 0.0, True
    for row, other in zip(read_metrics(one / "metrics.csv"), read_metrics(two / "metrics.csv"), strict=True):
        assert row.keys() == other.keys()
        for key, value in row.items():
            if key == RANK_ZERO:
                continue
            if "acc" in key:
                equal &= value == other[key]
            else:
                loss = max(loss, abs(value - other[key]) / max(abs(value), 1e-12))
    return Difference(weights, loss, equal)


def measure(folder: Path, case: Case) -> Difference:
    return compare(train(folder / "one", case, 1), train(folder / "two", case, 2))


def main() -> None:
    print("| case | training, validation images | weights | loss | accuracies |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for number, (name, case) in enumerate(CASES.items()):
            found = measure(Path(folder) / str(number), case)
            equal = "equal" if found.accuracies_equal else "DIFFER"
            print(
                f"| {name} | {case.train}, {case.val} | {found.weights:.1e} | {found.loss:.1e} | {equal} |", flush=True
            )


if __name__ == "__main__":
    main()
