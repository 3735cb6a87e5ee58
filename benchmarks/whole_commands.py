"""Whole commands from start to end: ``lit-cnn fit`` against plain scripts with timm's and with torchvision's loader.

    LIT_CNN_DATA=... python benchmarks/whole_commands.py [flowers] [cifar] [--rounds 3] [--avx2] [--channels-last]

All train the same network on the same images with the same crops and mirroring, optimizer, schedule, epochs and
averaged weights, validate and write a checkpoint after every epoch. The rivals are ``plain_timm.py`` and
``plain_torchvision.py`` in float32, in PyTorch's own layout (with ``--channels-last``: in that one, too), with as many
loader workers as ``fit`` takes; ours runs in float32 and, where the processor has it, in bfloat16. The commands take
turns. Printed are median seconds, and ours over each rival's from pair to pair with its spread: below 1 ours is faster.
Each has to have trained on as many images and as many parameters as the others.

flowers is a folder of JPEG files, cifar 10,000 of CIFAR-10's images (cifar10.npz) in memory.
"""

import argparse
import datetime
import json
import os
import platform
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from timed_command import Taken, run_command

from lit_cnn.benchmarking.interleaving import ratios, spread, take_turns
from lit_cnn.data.loading.workers import available_cores
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.torch_internals import onednn_has_bf16

HERE = Path(__file__).parent
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
RECIPE = """
about: {{title: {network} on {data}}}
trainer: {{max_epochs: {epochs}, accelerator: cpu, devices: 1, enable_progress_bar: false}}
model:
  architecture: {network}
  optimizer: {{name: sgd, learning_rate: 0.05, base_batch_size: null, momentum: 0.9, weight_decay: 1.0e-4}}
  schedule: {{name: cosine}}
data: {{source: {source}, path: {data}, image_size: {size}, batch_size: {batch}, crop: {crop},
       flip: {{horizontal: 0.5}}, evaluation: {{crop_ratio: {ratio}}}}}
ema: {{decay: 0.99}}
tracking: {{mode: disabled}}
"""


@dataclass(frozen=True)
class Case:
    """What all commands train: network, side of the images in pixels, images of a batch, epochs.

    Args:
        in_memory: Whether the images are arrays, which are padded and cropped, instead of files.
    """

    network: str
    size: int
    batch: int
    epochs: int
    in_memory: bool

    def prepare(self, folder: Path, small: bool) -> Path:
        """The images, below ``folder`` where they are only a part of a set."""
        if not self.in_memory:
            path = resolve_data_path("flowers")
            for file in path.rglob("*.jpg"):
                file.read_bytes()  # into the system's cache, for all alike
            return path
        train, val = (512, 256) if small else (10_000, 2_000)
        with np.load(resolve_data_path("cifar10.npz")) as arrays:
            images, labels = arrays["train_images"], arrays["train_labels"].ravel()
        path = folder / "images.npz"
        chosen = {"train": slice(train), "val": slice(train, train + val)}
        np.savez(
            path,
            **{f"{split}_images": images[rows] for split, rows in chosen.items()},
            **{f"{split}_labels": labels[rows] for split, rows in chosen.items()},
        )
        return path

    def recipe(self, data: Path) -> str:
        crop = "{kind: pad, padding: 4}" if self.in_memory else "{kind: random_resized, scale: [0.25, 1.0]}"
        return RECIPE.format(
            network=self.network,
            data=data,
            source="npz" if self.in_memory else "imagefolder",
            epochs=self.epochs,
            size=self.size,
            batch=self.batch,
            crop=crop,
            ratio=1.0 if self.in_memory else 0.875,
        )


CASES = {"flowers": Case("resnet50", 128, 16, 2, False), "cifar": Case("resnet18", 32, 128, 3, True)}
OURS, OURS_BF16 = "lit-cnn fit, float32", "lit-cnn fit, bfloat16"


@dataclass(frozen=True)
class Work:
    """What a command did: training images seen, parameters, final top-1 of the averaged weights in percent."""

    images: int
    parameters: int
    accuracy: float


@dataclass
class Contestant:
    """A command, and what its turns took and did."""

    command: list[str]
    took: list[Taken] = field(default_factory=list)
    did: list[Work] = field(default_factory=list)

    def turn(self, case: Case, data: Path, environment: dict[str, str]) -> float:
        """Seconds of the command in an empty folder."""
        with TemporaryDirectory() as place:
            folder = Path(place)
            (folder / "recipe.yaml").write_text(case.recipe(data))
            self.took.append(run_command(self.command, folder, environment))
            if "lit_cnn" in self.command:
                self.did.append(fitted(case, folder))
            else:
                self.did.append(Work(**json.loads(self.took[-1].output.splitlines()[-1])))
        return self.took[-1].wall


def fitted(case: Case, folder: Path) -> Work:
    """What ``lit-cnn fit`` did, from the one run folder below ``folder``."""
    (run,) = (folder / "runs").glob("*/*")
    rows = read_metrics(run / "metrics.csv")
    accuracies = [row["val/acc1"] for row in rows if "val/acc1" in row]
    (optimizer,) = load_checkpoint(run / "checkpoints" / LAST)["optimizer_states"]
    parameters = sum(state["momentum_buffer"].numel() for state in optimizer["state"].values())
    steps = 1 + max(int(row["step"]) for row in rows)
    return Work(steps * case.batch, parameters, 100 * accuracies[-1])


def contestants(case: Case, data: Path, options: argparse.Namespace) -> dict[str, Contestant]:
    """Ours first."""
    fit = [sys.executable, "-m", "lit_cnn", "fit", "recipe.yaml"]
    found = {OURS: Contestant([*fit, "--trainer.precision=32-true"])}
    if not options.avx2 and onednn_has_bf16():
        found[OURS_BF16] = Contestant([*fit, "--trainer.precision=bf16-mixed"])
    words = [str(data), "--network", case.network, "--image-size", str(case.size), "--batch-size", str(case.batch)]
    words += ["--epochs", str(case.epochs), "--workers", str(available_cores())]
    for library in ("timm", "torchvision"):
        script = [sys.executable, str(HERE / f"plain_{library}.py"), *words]
        found[f"{library}, NCHW"] = Contestant(script)
        if options.channels_last:
            found[f"{library}, channels_last"] = Contestant([*script, "--channels-last"])
    return found


def measure(case: Case, options: argparse.Namespace) -> dict[str, Contestant]:
    """Let the commands of a case take turns.

    Raises:
        RuntimeError: If they did not train on equally many images and parameters.
    """
    environment = {**(AVX2 if options.avx2 else {}), "PYTHONPATH": str(HERE.parent)}
    with TemporaryDirectory() as folder:
        data = case.prepare(Path(folder), options.small)
        found = contestants(case, data, options)
        turns = {name: partial(each.turn, case, data, environment) for name, each in found.items()}
        take_turns(turns, rounds=options.rounds)
    if len({(work.images, work.parameters) for each in found.values() for work in each.did}) > 1:
        raise RuntimeError(
            f"the commands did not do the same work: { {name: each.did for name, each in found.items()} }"
        )
    return found


def show(name: str, case: Case, found: dict[str, Contestant]) -> None:
    """Rows of the table."""
    walls = {label: [taken.wall for taken in each.took] for label, each in found.items()}
    processors = {label: [taken.processor for taken in each.took] for label, each in found.items()}
    ours = [label for label in (OURS, OURS_BF16) if label in found]
    for label, each in found.items():
        cells = []
        for times in (walls, processors):
            cells += [
                "" if label in ours or our not in found else f"{ratios(times[our], times[label])}"
                for our in (OURS, OURS_BF16)
            ]
        accuracies = spread([work.accuracy for work in each.did])
        print(
            f"| {name}: {case.network}, {case.size} px | {label} | {spread(walls[label]).median:.1f} | "
            f"{spread(processors[label]).median:.1f} | {each.did[0].images:,} | {accuracies.median:.1f} | "
            f"{' | '.join(cells)} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE", help=" or ".join(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--avx2", action="store_true", help="without instructions above AVX2, as most CPUs are")
    parser.add_argument("--channels-last", action="store_true", help="the rivals in that layout, too")
    parser.add_argument("--small", action="store_true", help="one epoch of small batches: whether all of it runs")
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, {platform.machine()}{', AVX2 only' if options.avx2 else ''}, torch "
        f"{torch.__version__}, {datetime.date.today()}, {options.rounds} rounds, load average {os.getloadavg()[0]:.1f}"
    )
    head = ["set and network", "command", "wall, s", "processor, s", "images", "top-1, %"]
    head += [f"{kind} {time}" for time in ("wall", "processor") for kind in ("float32 /", "bfloat16 /")]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name in options.cases:
        case = CASES[name]
        if options.small:
            case = replace(case, network="resnet18", size=min(case.size, 72), epochs=1, batch=64)
        show(name, case, measure(case, options))


if __name__ == "__main__":
    main()
