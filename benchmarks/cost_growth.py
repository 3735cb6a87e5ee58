"""How costs grow with images, classes, epochs and processes: one Markdown table, which marks what is worse than linear.

    python benchmarks/cost_growth.py [images] [classes] [epochs] [processes] [--largest 1280000]

images: an image folder's index of 1,000 to 1.28 million names over 800 real JPEG files of 40 px in 100 classes: loading
the source, what a checkpoint remembers of it, the loader's first batch, batches of 256 read and augmented, the order of
a whole epoch. classes: what 10,240 validation images cost in metrics and pictures. epochs: metrics.csv and timing.csv
of 11 rows an epoch, read again at a resume, and one picture of the curves. processes: ``lit-cnn fit`` with gloo on
VGG-11, and how far its weights are from those of one process.

Each size is measured in a process of its own, by processor time (what gloo's processes take together) and largest
memory of a process. The exponent is that of the last step, log(cost ratio) / log(size ratio): 0 is flat, 1 linear; of
memory, what is above the smallest size's. Costs below 20 ms or 1 MB have none.
"""

import argparse
import datetime
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from timed_command import run_command

from lit_cnn.data.batch import Batch
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.file_index import Listing, PathTable, save_listing
from lit_cnn.reports.confusion import draw_confusion
from lit_cnn.reports.curves import draw_curves
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.callbacks.pictures import Pictures
from lit_cnn.training.metrics import EvaluationMetrics
from lit_cnn.training.metrics_file import MetricsFile

CLASSES = [f"n{number:08d}" for number in range(100)]
FILES = 8
"""Real files of each class, of which an index names each many times."""
ROWS = 10
"""Steps of an epoch that are logged."""
LEAST = {"s": 0.02, "MB": 1.0}
NOISE = 8.0
"""Megabytes by which the memory of equal processes differs."""
WORSE = 1.15
"""Exponent from which on a cost counts as worse than linear; the rest is noise."""
FIT = """
trainer: {max_epochs: 1, accelerator: cpu, precision: 32-true, enable_progress_bar: false,
          callbacks: [{class_path: own_costs.OwnCosts}]}
model:
  architecture: vgg11
  options: {dropout: 0.0, weight_init: he, map_size: 1, hidden: 32}
  optimizer: {learning_rate: 0.01, base_batch_size: null, weight_decay: 1.0e-3}
data: {source: npz, path: set.npz, image_size: 32, batch_size: 32, workers: 0, eval_batch_size: 16,
       evaluation: {crop_ratio: 1.0}}
tracking: {mode: disabled}
"""
OWN_COSTS = """
import resource
import lightning.pytorch as pl

class OwnCosts(pl.Callback):
    def teardown(self, trainer, pl_module, stage):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with open(f"costs.{trainer.global_rank}", "w") as file:
            file.write(f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}")
"""
"""A callback that leaves the processor's seconds and the megabytes of each process."""

Costs = dict[str, float]
"""Name with its unit behind a comma -> value."""


@contextmanager
def noted(costs: Costs, name: str) -> Iterator[None]:
    """Note the processor time of what is done within."""
    began = time.process_time()
    yield
    costs[f"{name}, s"] = time.process_time() - began


def make_index(folder: Path, images: int) -> Path:
    """A folder of real files whose index in the cache names ``images`` of them."""
    root = folder / f"{images}" / "train"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    for name in CLASSES:
        (root / name).mkdir(parents=True)
        for number in range(FILES):
            Image.fromarray(pixels).save(root / name / f"{number}.JPEG")
    each = images // len(CLASSES)
    names = (f"{root}/{name}/{number % FILES}.JPEG" for name in CLASSES for number in range(each))
    folders = [str(root), *(f"{root}/{name}" for name in CLASSES)]
    listing = Listing(PathTable.of(names, str(root)), CLASSES, [each] * len(CLASSES), folders)
    save_listing(root, listing, time.time_ns() + 3600 * 10**9)  # as if nothing had changed for an hour
    return root.parent


def measure_images(images: int, folder: Path) -> Costs:
    """Costs of a start and of batches, given what ``make_index`` made."""
    costs: Costs = {}
    data = ImageData("imagefolder", str(folder / f"{images}"), image_size=32, batch_size=256, workers=0)
    with noted(costs, "source and its validation images"):
        data.setup()
    with noted(costs, "what a checkpoint remembers of them"):
        state = data.state_dict()
    with noted(costs, "that written"):
        torch.save(state, folder / "state.ckpt")
    costs["its size, MB"] = (folder / "state.ckpt").stat().st_size / 2**20
    with noted(costs, "first batch"):
        batches = iter(data.train_dataloader())
        next(batches)
    with noted(costs, "256 images in a later batch"):
        next(batches)
    with noted(costs, "order of an epoch"):
        for _ in data.train_dataloader().sampler:
            pass
    return costs


def measure_classes(classes: int, folder: Path) -> Costs:
    """Costs of a validation of 40 batches of 256 images."""
    costs: Costs = {}
    torch.manual_seed(0)
    metrics, pictures = EvaluationMetrics(classes), Pictures(folder)
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace(num_classes=classes))
    module: Any = SimpleNamespace(device=torch.device("cpu"))
    targets, index = torch.arange(256) % classes, torch.arange(256)
    batch = Batch(torch.zeros(256, 3, 8, 8), targets, index, index, torch.tensor(1.0))
    logits = torch.randn(256, classes)
    with noted(costs, "metrics of a validation"):
        for _ in range(40):
            metrics.update(logits, targets)
    with noted(costs, "counts and worst images of a validation"):
        pictures.on_validation_epoch_start(trainer, module)
        for number in range(40):
            pictures.on_validation_batch_end(trainer, module, logits, batch, number)
    counts = np.eye(classes, dtype=np.int64)
    costs["counts, MB"] = counts.nbytes / 2**20
    with noted(costs, "picture of the confusion"):
        draw_confusion(counts, [str(number) for number in range(classes)], folder / "confusion.png")
    return costs


def measure_epochs(epochs: int, folder: Path) -> Costs:
    """Costs of the metrics of so many epochs."""
    costs: Costs = {}
    file = MetricsFile(folder)
    with noted(costs, "all rows written as they come"):
        for epoch in range(epochs):
            for row in range(ROWS):
                step = 100 * epoch + 10 * row + 9
                file.log_metrics({"epoch": epoch, "train/loss_step": 1.0, "lr": 0.1}, step)
                file.save()
            figures = {"val/loss": 1.0 / (epoch + 1), "val/acc1": 0.5, "train/loss": 1.0, "train/acc1": 0.5}
            file.log_metrics({"epoch": epoch, **figures, "timing/images_per_second": 1.0}, step)
            file.save()
    with noted(costs, "all rows read at a resume"):
        MetricsFile(folder).truncate_after(step)
    costs["metrics.csv, MB"] = (folder / "metrics.csv").stat().st_size / 2**20
    with noted(costs, "one picture of the curves"):
        draw_curves(folder / "metrics.csv", folder / "curves.png", "")
    return costs


def measure_processes(processes: int, folder: Path) -> Costs:
    """Costs of a short training, and its distance from that of one process."""
    place = folder / f"{processes}"
    place.mkdir()
    random, labels = np.random.default_rng(0), np.arange(128) % 3
    images = random.integers(0, 160, (128, 32, 32, 3)).astype(np.uint8)
    images[np.arange(128), :, :, labels] += 80
    np.savez(place / "set.npz", train_images=images, train_labels=labels, val_images=images, val_labels=labels)
    (place / "recipe.yaml").write_text(FIT)
    (place / "own_costs.py").write_text(OWN_COSTS)
    command = [sys.executable, "-m", "lit_cnn", "fit", "recipe.yaml", f"--trainer.devices={processes}"]
    command += ["--trainer.strategy=ddp"] if processes > 1 else []
    path = f"{place}:{Path(__file__).parents[1]}"
    run_command(command, place, {"OMP_NUM_THREADS": "1", "PYTHONPATH": path})
    own = [[float(part) for part in file.read_text().split()] for file in place.glob("costs.*")]
    ends = [
        load_checkpoint(next(folder.glob(f"{number}/runs/*/*")) / "checkpoints" / LAST)["state_dict"]
        for number in (1, processes)
    ]
    floats = [(ends[0][name].double(), end.double()) for name, end in ends[1].items() if end.is_floating_point()]
    apart = max(float((one - other).abs().max() / one.abs().max().clamp(min=1e-12)) for one, other in floats)
    return {
        "fit of all processes, s": sum(seconds for seconds, _ in own),
        "memory of the largest process, MB": max(memory for _, memory in own),
        "largest difference of a weight from one process's, relative": apart,
    }


AXES: dict[str, tuple[tuple[int, ...], Callable[[int, Path], Costs]]] = {
    "images": ((1_000, 10_000, 100_000, 1_280_000), measure_images),
    "classes": ((10, 100, 1_000), measure_classes),
    "epochs": ((10, 100, 300), measure_epochs),
    "processes": ((1, 2, 4, 8), measure_processes),
}


def exponent(name: str, sizes: list[int], costs: list[float]) -> float | None:
    """Of the last step; None where the cost is too small to tell."""
    unit = name.rpartition(", ")[2]
    if unit not in LEAST or len(sizes) < 2:
        return None
    before, last = costs[-2:]
    least = LEAST[unit]
    if name.startswith("memory") and before - costs[0] > NOISE:
        before, last = before - costs[0], last - costs[0]
    if last < least:
        return None
    return math.log(last / max(before, least / 100)) / math.log(sizes[-1] / sizes[-2])


def measure_axis(axis: str, sizes: list[int], folder: Path) -> list[Costs]:
    """The costs of each size, measured by this script in a process of its own."""
    found = []
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(Path(__file__).parents[1])}
    for size in sizes:
        if axis == "images":
            make_index(folder, size)
        if axis == "processes":
            found.append(measure_processes(size, folder))
            continue
        command = [sys.executable, __file__, "--measure", axis, str(size), str(folder)]
        taken = run_command(command, folder, {**environment, "OMP_NUM_THREADS": "1"})
        found.append({**json.loads(taken.output.splitlines()[-1]), "memory of the process, MB": taken.memory / 2**20})
    return found


def show(axis: str, sizes: list[int], found: list[Costs]) -> None:
    print(f"\n| {axis} | {' | '.join(f'{size:,}' for size in sizes)} | exponent |\n|{'---|' * (len(sizes) + 2)}")
    for name in found[0]:
        costs = [entry[name] for entry in found]
        power = exponent(name, sizes, costs)
        worse = power is not None and power > WORSE
        text = "" if power is None else f"**{power:.2f}, worse than linear**" if worse else f"{power:.2f}"
        print(
            f"| {name} | {' | '.join(f'{cost:,.0f}' if cost >= 100 else f'{cost:.3g}' for cost in costs)} | {text} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("axes", nargs="*", default=list(AXES), metavar="AXIS", help=", ".join(AXES))
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="these instead of an axis's own")
    parser.add_argument("--largest", type=int, default=10**9, help="leave out larger sizes, such as of images")
    parser.add_argument("--measure", nargs=3, metavar=("AXIS", "SIZE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        axis, size, folder = options.measure
        print(json.dumps(AXES[axis][1](int(size), Path(folder))))
        return
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, one thread, {datetime.date.today()}")
    for axis in options.axes:
        with TemporaryDirectory() as place:
            os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
            sizes = [size for size in options.sizes or AXES[axis][0] if size <= options.largest]
            show(axis, sizes, measure_axis(axis, sizes, Path(place)))


if __name__ == "__main__":
    main()
