"""Kill a run with SIGKILL again and again, continue it each time, and compare its end with that of an undisturbed run.

    python tests/training/torture.py --kills 25

The run has everything on that draws random numbers or keeps state: RandAugment, mixup and CutMix, stochastic depth with
a ramp, dropout, averaged weights, bf16, progressive learning, gradient accumulation and checkpoints at every step.
One life in seven is killed while it starts, the others at a random moment after their first step, so early that the run
outlives all kills.
Prints one line per kill and the digests of both ends; exits 1 if they differ or a kill came after the run's end.
"""

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from lit_cnn.run_folder.checkpoint import LAST, PREVIOUS, load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics

RECIPE = """
trainer: {max_epochs: 24, accelerator: cpu, devices: 1, precision: bf16-mixed, accumulate_grad_batches: 2,
          enable_progress_bar: false, log_every_n_steps: 1}
model:
  architecture: cifar_resnet20
  options: {drop_path: 0.2, dropout: 0.2}
  loss: {label_smoothing: 0.1}
  optimizer: {learning_rate: 0.05, base_batch_size: null, weight_decay: 1.0e-4}
  schedule: {name: cosine, warmup_epochs: 1}
data:
  source: digits
  image_size: 12
  batch_size: 128
  workers: 0
  crop: {kind: pad, padding: 1}
  rand_augment: {layers: 1, magnitude: 5}
  mixup: {alpha: 0.2}
  cutmix: {alpha: 1.0}
  evaluation: {crop_ratio: 1.0}
ema: {decay: 0.9}
stochastic_depth: {ramp_epochs: 12}
progressive_learning: {stages: 2, image_size: 8, magnitude: 1, mixup: 0.0, dropout: 0.0}
checkpoint_minutes: 0.0
tracking: {mode: disabled}
"""
STEPS_PER_EPOCH = 12  # 1,437 digits in global batches of 128
STATE = ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "global_step", "best_score")


def digest(run: Path, name: str = LAST) -> str:
    """SHA-256 over the weights (raw and averaged), optimizer, schedule and metrics of a run's end."""
    checkpoint, total = load_checkpoint(run / "checkpoints" / name), hashlib.sha256()

    def feed(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            total.update(value.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        elif isinstance(value, dict):
            for key in value:
                total.update(str(key).encode())
                feed(value[key])
        elif isinstance(value, (list, tuple)):
            for item in value:
                feed(item)
        else:
            total.update(repr(value).encode())

    feed([checkpoint[key] for key in STATE])
    total.update((run / "metrics.csv").read_bytes())
    return total.hexdigest()


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "lit_cnn", "fit", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def only_run(folder: Path) -> Path:
    (run,) = (folder / "runs" / "recipe").iterdir()
    return run


def undisturbed(folder: Path) -> tuple[float, float]:
    """Train to the end; the seconds until its first checkpoint, and the seconds from there to the end."""
    began, process = time.monotonic(), start(folder, "--config", "recipe.yaml")
    while process.poll() is None and not list(folder.glob(f"runs/recipe/*/checkpoints/{LAST}")):
        time.sleep(0.02)
    first = time.monotonic()
    out, _ = process.communicate()
    if process.returncode:
        sys.exit(f"the undisturbed run failed:\n{out}")
    return first - began, time.monotonic() - first


def disturbed(folder: Path, kills: int, start_up: float, training: float, choose: random.Random) -> int:
    """Kill and continue until ``kills`` kills are done and the run has ended; how many hit a living run."""
    arguments, done = ["--config", "recipe.yaml"], 0
    while True:
        before, process = newest(folder), start(folder, *arguments)
        if done < kills:
            if choose.random() < 0.15:  # in the start-up, where the state is read
                time.sleep(choose.uniform(0.5, 1.0) * start_up)
            else:
                while process.poll() is None and newest(folder) in (None, before):
                    time.sleep(0.01)
                time.sleep(choose.uniform(0.0, training / kills))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done += 1
                print(f"kill {done:3d}, {where(folder)}", flush=True)
                if (folder / "runs").is_dir() and list((folder / "runs" / "recipe").glob("*/config.yaml")):
                    arguments = ["--resume", "last"]
                continue
        out, _ = process.communicate()
        if process.returncode:
            sys.exit(f"a continued run failed:\n{out}")
        return done


def newest(folder: Path) -> int | None:
    """When the run's last checkpoint was written, in nanoseconds; None while there is none."""
    with suppress(FileNotFoundError):
        return max((path.stat().st_mtime_ns for path in folder.glob(f"runs/recipe/*/checkpoints/{LAST}")), default=None)
    return None


def where(folder: Path) -> str:
    """How far the run's newest checkpoint is."""
    found = list((folder / "runs").glob(f"recipe/*/checkpoints/{LAST}"))
    if not found:
        replacing = list((folder / "runs").glob(f"recipe/*/checkpoints/{PREVIOUS}"))
        return f"between {PREVIOUS} and the next {LAST}" if replacing else "no checkpoint yet"
    partial = " (a checkpoint was being written)" if list(found[0].parent.glob(".*.partial")) else ""
    try:
        step = load_checkpoint(found[0])["global_step"]
    except ValueError:
        return f"the last checkpoint is torn{partial}"
    rows = read_metrics(found[0].parents[1] / "metrics.csv")
    validated = sum("val/acc1" in row for row in rows)
    validating = " (in validation)" if step == (validated + 1) * STEPS_PER_EPOCH else ""
    return f"last checkpoint at step {step}{validating}{partial}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    options = parser.parse_args()
    with TemporaryDirectory() as whole, TemporaryDirectory() as parts:
        for folder in (Path(whole), Path(parts)):
            (folder / "recipe.yaml").write_text(RECIPE)
        start_up, training = undisturbed(Path(whole))
        seconds = f"{start_up:.1f} s to the first step, {training:.1f} s to the end"
        print(f"undisturbed: {seconds}, {digest(only_run(Path(whole)))}", flush=True)
        done = disturbed(Path(parts), options.kills, start_up, training, random.Random(options.seed))
        ends = [digest(only_run(Path(folder))) for folder in (whole, parts)]
    equal = ends[0] == ends[1]
    counts = {"kills_asked_for": options.kills, "kills": done}
    print(json.dumps({**counts, "undisturbed": ends[0], "killed": ends[1], "equal": equal}))
    return 0 if equal and done == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
