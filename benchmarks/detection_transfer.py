"""Does a detector start better from a classifier trained with CutMix? The question of CutMix's table 10, in small.

    LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/detection_transfer.py     # continues where it was stopped
    python benchmarks/detection_transfer.py --shard 0/2                            # one of two processes
    python benchmarks/detection_transfer.py --report                               # the page and its picture

Network: ResNet-20 of the CIFAR paper. FCOS on its map of stride 4 and two coarser ones, BCCD on a canvas of 160x120 px,
where cells are as large as CIFAR's objects. Three starts: random weights, a plain classifier and a CutMix classifier of
5,000 CIFAR-10 images, which are trained for the same epochs with crops and flips and differ in nothing but CutMix in
every step. Each seed has a classifier of its own, so that the interval is over classifiers as well as detectors. The
same order, augmentation and fresh head for all three starts of a seed: they are paired.

Fixed before the first run:

- All starts have the same choice of rates for the network, 6e-4 and 2e-3 (the rest learns at 2e-3): the better one by
  COCO mAP@.50 on the validation images with seed 100, from the classifier of seed 0. No other key was tuned.
- Measured: COCO mAP@.50 of the averaged weights of the last epoch on the 72 test images. Seeds 0, 1 and 2.
- Two comparisons, plain - random and CutMix - plain, each against 0 (the margin of superiority), by the claims' rule: a
  paired 95 % t interval over seeds, Holm's method over the two, "inconclusive" where the adjusted p is 0.05 or more,
  with the number of seeds that would decide with a power of 80 %.
- The paper's difference between CutMix and plain, 1.1 points of Faster R-CNN (Yun et al., 2019, table 10), would be
  found by three seeds in few cases: the power is on the page.

Every run is a line of docs/measurements/detection_transfer.csv. Classifiers are kept in --runs until all is done.
"""

import shutil
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from bccd_runs import ALWAYS, detector_recipe, train_detector
from filelock import FileLock
from finished_runs import Figures, Finished, Job, Key, do_jobs, options_of_runs, timed_fit

from lit_cnn import Recipe
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.randomness import generator
from lit_cnn.run_folder.checkpoint import LAST

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "measurements" / "detection_transfer.csv"
STARTS = ("random", "plain", "cutmix")
RATES = (6.0e-4, 2.0e-3)
SEEDS, GRID_SEED = 3, 100
CLASSIFIER, TESTED = "classifier", "tested"
IMAGES = 5000
CLASSIFIER_EPOCHS, DETECTOR_EPOCHS = 20, 20
STATISTICS = {"mean": [0.491, 0.482, 0.447], "std": [0.247, 0.243, 0.262]}
"""Of CIFAR-10's pixels; random weights get the same ones, so that the starts differ in nothing else."""
CLASSIFIER_RECIPE: dict[str, Any] = {
    "trainer": {"precision": "bf16-mixed"},
    "model": {
        "architecture": "cifar_resnet20",
        "optimizer": {
            "name": "sgd",
            "learning_rate": 0.1,
            "base_batch_size": 64,
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 5.0e-4,
        },
        "schedule": {"name": "cosine", "warmup_epochs": 1},
    },
    "data": {
        "source": "npz",
        "image_size": 32,
        "batch_size": 64,
        "eval_batch_size": 500,
        "crop": {"kind": "pad", "padding": 4},
        "flip": {"horizontal": 0.5},
        "normalize": STATISTICS,
        "evaluation": {"crop_ratio": 1.0},
    },
}
DETECTOR: dict[str, Any] = {
    "trainer.precision": "bf16-mixed",
    "model.architecture": "cifar_resnet20",
    "model.pyramid.strides": [4],
    "model.optimizer.learning_rate": RATES[0],
    "data.canvas": [120, 160],
    **{f"data.normalize.{name}": value for name, value in STATISTICS.items()},
}


@cache
def images_file() -> Path:
    """An npz of 5,000 training and 5,000 validation images out of CIFAR-10's training set."""
    path = Path(tempfile.gettempdir()) / f"lit_cnn_transfer_{IMAGES}.npz"
    with FileLock(path.with_suffix(".lock")):
        if not path.is_file():
            with np.load(resolve_data_path("cifar10.npz")) as arrays:
                images, labels = arrays["train_images"], arrays["train_labels"].ravel()
            order = torch.randperm(len(images), generator=generator("transfer", "images")).numpy()
            parts: dict[str, Any] = {}
            for name, rows in (("train", order[:IMAGES]), ("val", order[IMAGES : 2 * IMAGES])):
                parts |= {f"{name}_images": images[rows], f"{name}_labels": labels[rows]}
            np.savez(path, **parts)
    return path


def classifier_recipe(start: str, seed: int, epochs: int, folder: Path) -> Recipe:
    path = folder / f"{start}_{seed}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(CLASSIFIER_RECIPE))
    cutmix = {"data.cutmix.alpha": 1.0, "data.cutmix.probability": 1.0} if start == "cutmix" else {}
    overrides = {
        **ALWAYS,
        "seed_everything": seed,
        "trainer.max_epochs": epochs,
        "trainer.check_val_every_n_epoch": epochs,
        "data.path": str(images_file()),
        **cutmix,
    }
    return Recipe.load(path, overrides=overrides)


def checkpoint_of(start: str, seed: int, runs: Path) -> Path:
    return runs / "classifiers" / f"{start}_{seed}.ckpt"


def train_classifier(start: str, seed: int, runs: Path, epochs: int, _: Finished) -> Figures:
    """Train and keep the checkpoint."""
    run, seconds = timed_fit(classifier_recipe(start, seed, epochs, runs / "recipes"), runs)
    assert run.folder is not None
    path = checkpoint_of(start, seed, runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(run.folder / "checkpoints" / LAST, path)
    shutil.rmtree(run.folder)
    figures = {"accuracy": run.metrics["val/acc1"], "loss": run.metrics["val/loss"]}
    return {**figures, "train_loss": run.metrics["train/loss"], "seconds": seconds}


def grid_name(rate: float) -> str:
    return f"rate {rate:g}"


def best_rate(start: str, finished: Finished) -> float:
    """The rate of the highest mAP@.50 on the validation images."""
    return max(RATES, key=lambda rate: finished[Key(start, GRID_SEED, grid_name(rate))]["map50"])


def train_from(start: str, seed: int, rate: float | None, runs: Path, epochs: int, finished: Finished) -> Figures:
    """A detector from a start: with a rate of the grid on the validation images, or with the best on the test images.

    Raises:
        SystemExit: If the classifier's checkpoint has been removed.
    """
    chosen = best_rate(start, finished) if rate is None else rate
    checkpoint = checkpoint_of(start, 0 if seed == GRID_SEED else seed, runs)
    if start != "random" and not checkpoint.is_file():
        raise SystemExit(f"{checkpoint} is missing: pass the --runs of before, or remove its line from the results")
    settings = {
        **DETECTOR,
        "model.initial.checkpoint": None if start == "random" else str(checkpoint),
        "model.optimizer.learning_rate": chosen,
        "model.optimizer.head_factor": max(RATES) / chosen,
    }
    figures = train_detector(detector_recipe(epochs, seed, settings), runs, "test" if rate is None else "val")
    return {**figures, "rate": chosen}


def jobs(runs: Path, epochs: tuple[int, int], seeds: int) -> list[Job]:
    """Classifiers, the choice of rates, then one seed of all starts before the next."""
    of_classifier, of_detector = epochs
    found = [
        Job(Key(start, seed, CLASSIFIER), partial(train_classifier, start, seed, runs, of_classifier))
        for seed in range(seeds)
        for start in STARTS[1:]
    ]
    for start in STARTS:
        needs = () if start == "random" else (Key(start, 0, CLASSIFIER),)
        for rate in RATES:
            key = Key(start, GRID_SEED, grid_name(rate))
            found.append(Job(key, partial(train_from, start, GRID_SEED, rate, runs, of_detector), needs))
    for seed in range(seeds):
        for start in STARTS:
            needs = () if start == "random" else (Key(start, seed, CLASSIFIER),)
            grid = tuple(Key(start, GRID_SEED, grid_name(rate)) for rate in RATES)
            run = partial(train_from, start, seed, None, runs, of_detector)
            found.append(Job(Key(start, seed, TESTED), run, (*needs, *grid)))
    return found


def main() -> None:
    parser = options_of_runs(__doc__, RESULTS, "lit_cnn_transfer", SEEDS)
    parser.add_argument(
        "--epochs",
        type=int,
        nargs=2,
        default=(CLASSIFIER_EPOCHS, DETECTOR_EPOCHS),
        metavar=("CLASSIFIER", "DETECTOR"),
        help="of the classifiers and of the detectors",
    )
    options = parser.parse_args()
    if options.report:
        from detection_transfer_report import write_report

        write_report(options.results)
        return
    classifier, detector = options.epochs
    do_jobs(options.results, jobs(options.runs, (classifier, detector), options.seeds), options.shard)


if __name__ == "__main__":
    main()
