"""Parts of ``gpu.py`` that train with ``lit-cnn fit``: precisions, exact resume, accuracy, waiting."""

import csv
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint

PAUSED = 75
Found = Iterator[tuple[str, str]]
"""What was measured, and the figures."""


class Fit:
    """``lit-cnn fit`` of the recipe cifar10_fast on one file of images.

    Args:
        images: The npz file.
        folder: Where the runs are written.
        accelerator: cpu or gpu.
        smoke: Train one epoch of batches of 16.
    """

    def __init__(self, images: Path, folder: Path, accelerator: str, smoke: bool) -> None:
        self.folder, self.accelerator = folder, accelerator
        small = {"data.batch_size": 16, "model.initial.whitening": "false"} if smoke else {}
        self.keys: dict[str, Any] = {"data.source": "npz", "data.path": images, "model.schedule.warmup_epochs": 0.2}
        self.keys |= {"trainer.accelerator": accelerator, "trainer.devices": 1, **small}

    def run(self, name: str, keys: dict[str, Any], *words: str, resume: bool = False) -> tuple[Path, float]:
        """Train as a process of its own; its run folder, and its seconds from start to end.

        Raises:
            RuntimeError: If it fails, with its last line.
        """
        runs = self.folder / name
        command = [sys.executable, "-m", "lit_cnn", "fit"]
        if resume:
            command += ["--resume", str(run_of(runs))]
        else:
            command += ["--config", "cifar10_fast", "--runs", str(runs)]
            command += [f"--{key}={value}" for key, value in {**self.keys, **keys}.items()]
        began = time.perf_counter()
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        if done.returncode not in (0, PAUSED):
            raise RuntimeError((done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1])
        return run_of(runs), time.perf_counter() - began


def run_of(runs: Path) -> Path:
    """The only run below a folder."""
    return next(runs.rglob("config.yaml")).parent


def speed_of(run: Path) -> float:
    """Training images per second of the last epoch."""
    (path,) = run.rglob("timing.csv")
    with path.open() as file:
        values = [row["timing/images_per_second"] for row in csv.DictReader(file)]
    return float([value for value in values if value][-1])


def accuracies_of(run: Path) -> list[float]:
    """Top-1 of each validation."""
    with (run / "metrics.csv").open() as file:
        return [float(row["val/acc1"]) for row in csv.DictReader(file) if row.get("val/acc1")]


def precisions(images: Path, folder: Path, accelerator: str, smoke: bool) -> Found:
    """The same short run in each precision; 16-mixed is float16 with a loss scale on a GPU, bfloat16 on a CPU."""
    fit = Fit(images, folder, accelerator, smoke)
    for precision in ("32-true", "16-mixed", "bf16-mixed"):
        keys = {"trainer.max_epochs": 1 if smoke else 3, "trainer.precision": precision}
        run, seconds = fit.run(precision, keys)
        yield precision, f"{speed_of(run):,.0f} images/s, {seconds:.1f} s in all, top-1 {accuracies_of(run)[-1]:.4f}"


def resume(images: Path, folder: Path, accelerator: str, smoke: bool) -> Found:
    """A run stopped inside an epoch and continued by another process, against a whole one, with deterministic kernels;
    and the same run without them."""
    fit, step = Fit(images, folder, accelerator, smoke), "2" if smoke else "40"
    keys = {"trainer.max_epochs": 1 if smoke else 3, "trainer.precision": "32-true" if smoke else "16-mixed"}
    fixed = {**keys, "trainer.deterministic": "true"}
    whole, _ = fit.run("whole", fixed)
    fit.run("parts", fixed, "--pause-after-steps", step)
    parts, _ = fit.run("parts", fixed, resume=True)
    different = different_entries(whole, parts)
    yield "stopped in step " + step, f"differs in {', '.join(different)}" if different else "bits equal to a whole run"
    free, _ = fit.run("free", keys)
    yield "cost of determinism", f"{speed_of(whole):,.0f} images/s with, {speed_of(free):,.0f} without"


def different_entries(first: Path, second: Path) -> list[str]:
    """Entries of the last checkpoints, and metrics.csv, that are not equal to the bit."""
    states = [load_checkpoint(next(run.rglob(LAST))) for run in (first, second)]
    kept = [name for name in ("state_dict", "current_model_state", "optimizer_states") if name in states[0]]
    kept += [name for name in states[0] if "Precision" in name]  # the loss scale
    leaves = [{name: torch.utils._pytree.tree_leaves(state[name]) for name in kept} for state in states]
    unequal = [name for name in kept if not all(map(same, leaves[0][name], leaves[1][name]))]
    tables = [(run / "metrics.csv").read_bytes() for run in (first, second)]
    return unequal + (["metrics.csv"] if tables[0] != tables[1] else [])


def same(first: Any, second: Any) -> bool:
    """Whether two leaves of checkpoints are equal to the bit."""
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


def accuracy(images: Path, folder: Path, accelerator: str, smoke: bool) -> Found:
    """The whole recipe; airbench94's paper (arXiv:2404.00498) states 94 % in 2.59 to 3.83 s on an A100, the training
    alone and its networks compiled."""
    run, seconds = Fit(images, folder, accelerator, smoke).run("accuracy", {"trainer.max_epochs": 1} if smoke else {})
    found = accuracies_of(run)
    data = "CIFAR-10" if images.name == "cifar10.npz" else "generated images"
    speed = f"{speed_of(run):,.0f} images/s"
    yield f"cifar_vgg8 on {data}, {len(found)} epochs", f"top-1 {found[-1]:.4f} in {seconds:.1f} s in all, {speed}"


class Watch(pl.Callback):
    """Lets torch warn of everything that waits for the GPU, from the third step on, and counts it."""

    def __init__(self, steps: int) -> None:
        self.steps, self.seen = steps, 0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.seen += 1
        if self.seen == 2:
            torch.cuda.set_sync_debug_mode("warn")
        if self.seen == 2 + self.steps:
            torch.cuda.set_sync_debug_mode("default")
            trainer.should_stop = True


def waits(images: Path, folder: Path, accelerator: str, smoke: bool) -> Found:
    """How often a step waits for the GPU: 0 in float32 and bfloat16, 1 in 16-mixed, where the loss scale is read."""
    if accelerator == "cpu":
        yield "steps under torch's sync debug mode", "not run: needs a GPU"
        return
    for precision in ("bf16-mixed", "16-mixed"):
        keys = {**Fit(images, folder, accelerator, smoke).keys, "trainer.precision": precision}
        recipe = Recipe.load("cifar10_fast", overrides=keys)
        watch = Watch(20)
        trainer = pl.Trainer(
            accelerator="gpu", devices=1, precision=precision, max_epochs=1, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, callbacks=[*recipe.callbacks, watch], use_distributed_sampler=False,
            limit_train_batches=25, limit_val_batches=0,
        )  # fmt: skip
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trainer.fit(recipe.model, recipe.data)
        lines = [f"{each.filename}:{each.lineno}" for each in caught if "synchroniz" in str(each.message)]
        shown = f" ({', '.join(sorted(set(lines))[:4])})" if lines else ""
        yield f"{precision}, {watch.steps} steps", f"{len(lines) / watch.steps:g} waits a step{shown}"


RUNS: dict[str, Callable[[Path, Path, str, bool], Found]] = {
    "waits": waits,
    "precisions": precisions,
    "resume": resume,
    "accuracy": accuracy,
}
