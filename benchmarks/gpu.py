"""What one GPU does with lit-cnn, in at most eight minutes: one Markdown table and one JSON file.

    python benchmarks/gpu.py --out gpu                        # gpu.json and gpu.md
    python benchmarks/gpu.py --device cpu --smoke             # every part in miniature, about a minute on a free CPU

Each part runs in a process of its own within its seconds; one that fails or takes longer becomes a row that says so,
and the others go on. Images are generated (54 MB at most), or CIFAR-10's where LIT_CNN_DATA holds its cifar10.npz.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from gpu_runs import RUNS
from interleaved import compare
from torch import Tensor, nn
from torch.nn import functional as F

from lit_cnn.pretrained.references import REFERENCES

NETWORKS = {
    "mobilenet_v2/torchvision/mobilenet_v2": False,
    "efficientnet_b0/timm/tf_efficientnet_b0": False,
    "resnet50/torchvision/resnet50": True,
    "resnet_rs_50/timm/resnetrs50": True,
}
"""Rows of the parity matrix, and whether both networks are compiled."""
CLASSES = 10


@dataclass(frozen=True)
class Size:
    """How much is done.

    Args:
        batch: Images of a step of ``networks``.
        side: Their height and width in px.
        seconds: Of each comparison.
        train: Generated training images.
    """

    batch: int
    side: int
    seconds: float
    train: int


FULL, SMOKE = Size(128, 176, 4.0, 15_360), Size(2, 32, 0.0, 96)


@dataclass(frozen=True)
class Task:
    """What a part is given: where it runs, how much it does, and a folder for its files."""

    device: str
    size: Size
    folder: Path

    @property
    def smoke(self) -> bool:
        """Whether it is a trial in miniature."""
        return self.size is SMOKE


Row = tuple[str, str, str]
"""Part, what was measured, the figures."""


# Networks -------------------------------------------------------------------------------------------------------------


def pass_of(network: nn.Module, images: Tensor, *, training: bool) -> Callable[[], None]:
    """A step of SGD, or a forward pass, under bfloat16 autocast; waits until the device has done it."""
    device = images.device
    targets = torch.arange(len(images), device=device) % CLASSES
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, fused=device.type == "cuda" or None)
    network.train(training)

    def run() -> None:
        with nullcontext() if training else torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            outputs = network(images)
            loss = F.cross_entropy(outputs, targets)
        if training:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


def compare_networks(task: Task) -> Iterator[Row]:
    """Training and inference of four networks against the same step of torchvision's and timm's."""
    device, size = torch.device(task.device), task.size
    torch.backends.cudnn.benchmark = True
    rows = {row.label: row for row in REFERENCES}
    images = torch.randn(size.batch, 3, size.side, size.side, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    for label, compilable in NETWORKS.items():
        compiled = compilable and not task.smoke
        pair = [each.to(device, memory_format=torch.channels_last) for each in rows[label].build()]
        if compiled:
            for network in pair:
                network.compile(dynamic=False)
        for training in (True, False):
            ours, theirs = (pass_of(network, images, training=training) for network in pair)
            found = compare(ours, theirs, size.seconds)
            what = f"{label}, {'training' if training else 'inference'}{', compiled' if compiled else ''}"
            speeds = f"{size.batch / found.ours:,.0f} against {size.batch / found.theirs:,.0f} images/s"
            yield "networks", what, f"{speeds}: {found.ratio:.2f} ({found.lowest:.2f}–{found.highest:.2f})"


# Data -----------------------------------------------------------------------------------------------------------------


def image_file(task: Task) -> Path:
    """CIFAR-10's npz where it is at hand, else generated images whose class is learnable; the smoke test generates."""
    given = Path(os.environ.get("LIT_CNN_DATA", "")) / "cifar10.npz"
    path = task.folder / "images.npz"
    if given.is_file() and not task.smoke:
        return given
    if not path.is_file():
        np.savez(path, **generated_images(task.size.train))  # type: ignore[arg-type]
    return path


def generated_images(count: int) -> dict[str, np.ndarray]:
    """Noise over one coarse pattern for each of ten classes: uint8 (N, 32, 32, 3), an eighth more to validate on."""
    random = np.random.default_rng(0)
    patterns = random.integers(64, 192, (CLASSES, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
    arrays = {}
    for split, number in (("train", count), ("val", max(count // 8, 16))):
        labels = np.arange(number) % CLASSES
        noise = random.normal(0, 48, (number, 32, 32, 3))
        arrays[f"{split}_images"] = (patterns[labels] + noise).clip(0, 255).astype(np.uint8)
        arrays[f"{split}_labels"] = labels
    return arrays


# Parts ----------------------------------------------------------------------------------------------------------------


def run_part(name: str, task: Task) -> Iterator[Row]:
    """The rows of a part, each as soon as it is known."""
    if name == "networks":
        yield from compare_networks(task)
    else:
        accelerator = "cpu" if task.device == "cpu" else "gpu"
        for what, figures in RUNS[name](image_file(task), task.folder, accelerator, task.smoke):
            yield name, what, figures


SECONDS = {"waits": 30, "precisions": 70, "resume": 90, "accuracy": 70, "networks": 220}
"""The most that each part may take: 480 in all."""


def call_part(name: str, options: argparse.Namespace, folder: str) -> list[Row]:
    """Run a part in a process of its own; what it had found when it failed is kept."""
    words = [sys.executable, __file__, "--part", name, "--folder", folder, "--device", options.device]
    words += ["--smoke"] if options.smoke else []
    limit = options.part_seconds or SECONDS[name]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False)
        output, failure = done.stdout, "" if done.returncode == 0 else last_line(done.stderr, done.returncode)
    except subprocess.TimeoutExpired as error:
        output = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        failure = f"not done within {limit} s"
    rows = [tuple(json.loads(line)) for line in output.splitlines() if line.startswith('["')]
    return [*rows, *([(name, "failed", failure)] if failure else [])]


def last_line(text: str, code: int) -> str:
    """What a failed process said last."""
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else f"exit code {code}"


def describe_machine(device: str) -> dict[str, Any]:
    """Machine, driver, versions and date."""
    facts = {"date": datetime.date.today().isoformat(), "machine": platform.machine(), "torch": torch.__version__}
    facts |= {"lightning": lightning.__version__, "python": platform.python_version(), "device": device}
    if device != "cuda":
        return facts
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    versions = {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return {**facts, "gpu": torch.cuda.get_device_name(), "driver": driver, **versions}


def as_markdown(facts: dict[str, Any], rows: list[Row]) -> str:
    """The table, under one line about the machine."""
    head = ", ".join(f"{name} {value}" for name, value in facts.items())
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join([f"Machine: {head}.", "", "| part | what | figures |", "|---|---|---|", *lines]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--smoke", action="store_true", help="every part in miniature: its figures mean nothing")
    parser.add_argument("--out", default="gpu", help="write OUT.json and OUT.md (default: gpu)")
    parser.add_argument("--part-seconds", type=float, help="the most that each part may take")
    parser.add_argument("--part", choices=list(SECONDS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("this machine has no CUDA device; --device cpu --smoke tries the program out")
    if options.part:
        for row in run_part(options.part, Task(options.device, SMOKE if options.smoke else FULL, options.folder)):
            print(json.dumps(row), flush=True)
        return
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in SECONDS:
            rows += call_part(name, options, folder)
            print(*(" | ".join(row) for row in rows if row[0] == name), sep="\n", flush=True)
    facts = describe_machine(options.device)
    Path(f"{options.out}.json").write_text(json.dumps({**facts, "smoke": options.smoke, "rows": rows}, indent=1))
    Path(f"{options.out}.md").write_text(as_markdown(facts, rows))


if __name__ == "__main__":
    main()
