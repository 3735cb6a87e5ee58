"""Does a classifier trained with CutMix localize better? CutMix's table of localization, in small.

    LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/localization_cutmix.py    # continues where it was stopped
    python benchmarks/localization_cutmix.py --shard 0/2                           # one of two processes
    python benchmarks/localization_cutmix.py --report                              # the page

Data: the windows that benchmarks/bccd_windows.py cuts from BCCD, 465 for training, 191 for validation and 164 for the
test, of three classes. Network: ResNet-20 of the CIFAR paper on windows reduced to 64 px, whose class activation map
has 16x16 positions; 30 epochs from random weights with flips, with or without CutMix in every step.

Fixed before the first run:

- Measured on the test windows with the weights of the last epoch, seeds 0, 1 and 2, paired by seed.
- Two comparisons of CutMix - plain against 0 by the claims' rule (a paired 95 % t interval over seeds, Holm's method
  over the two): top-1 localization at the threshold of CutMix's appendix B, 0.15, and MaxBoxAccV2 (Choe et al., 2020),
  by whose protocol CutMix was found to be no better than nothing.
- Shown next to them, without a verdict: accuracy, GT-known, MaxBoxAcc, the same with the threshold that is best on the
  validation windows, and the boxes that need no network.

Every run is a line of docs/measurements/localization.csv; the pictures are those of seed 0.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from bccd_runs import ALWAYS
from bccd_windows import write_windows
from filelock import FileLock
from finished_runs import Figures, Finished, Job, Key, do_jobs, options_of_runs, timed_fit

from lit_cnn import Recipe
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS
from lit_cnn.detection.annotations import read_annotations
from lit_cnn.evaluation.recorded_data import load_network
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.boxed_images import SplitName, boxed_images, mean_box_size
from lit_cnn.explanations.localization import THRESHOLDS, LocalizedImage, MapSource, localize
from lit_cnn.explanations.localization_figures import (
    LocalizationFigures,
    best_threshold,
    box_figures,
    center_box,
    map_figures,
    true_in_crop,
    whole_image,
)
from lit_cnn.explanations.localized_pictures import localized_picture
from lit_cnn.reports.localized import draw_localized
from lit_cnn.run_folder.checkpoint import LAST

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "measurements" / "localization.csv"
ARMS = ("plain", "cutmix")
EPOCHS, SEEDS, MEASURED = 30, 3, "measured"
THRESHOLD = 0.15
SHOWN_EVERY = 21
"""Of the test windows, every so many is drawn: eight, of all classes."""
RECIPE: dict[str, Any] = {
    "trainer": {"precision": "bf16-mixed"},
    "model": {
        "architecture": "cifar_resnet20",
        "optimizer": {"name": "sgd", "learning_rate": 0.05, "base_batch_size": None, "weight_decay": 5.0e-4},
        "schedule": {"name": "cosine", "warmup_epochs": 1},
    },
    "data": {
        "source": "list",
        "image_size": 64,
        "batch_size": 32,
        "crop": {"kind": "resize"},
        "flip": {"horizontal": 0.5, "vertical": 0.5},
        "evaluation": {"crop_ratio": 1.0},
    },
}


def windows(runs: Path) -> Path:
    """The folder of the windows, cut the first time."""
    folder = runs / "windows"
    runs.mkdir(parents=True, exist_ok=True)
    with FileLock(runs / "windows.lock"):
        if not (folder / "test.csv").is_file():
            unfinished = runs / "windows_unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            write_windows(resolve_data_path("bccd"), unfinished)
            unfinished.rename(folder)
    return folder


def recipe(arm: str, seed: int, epochs: int, runs: Path) -> Recipe:
    path = runs / f"localization_{arm}_{seed}.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    cutmix = {"data.cutmix.alpha": 1.0, "data.cutmix.probability": 1.0} if arm == "cutmix" else {}
    overrides = {
        **ALWAYS,
        "seed_everything": seed,
        "trainer.max_epochs": epochs,
        "trainer.check_val_every_n_epoch": epochs,
        **cutmix,
    }
    return Recipe.load(path, overrides={"data.path": str(windows(runs)), **overrides})


def train_and_localize(arm: str, seed: int, epochs: int, runs: Path, results: Path, _: Finished) -> Figures:
    """Train in a run folder that is removed; localize on the validation and test windows."""
    folder = windows(runs)
    run, seconds = timed_fit(recipe(arm, seed, epochs, runs), runs)
    assert run.folder is not None
    trained = load_network(str(run.folder / "checkpoints" / LAST), "ema", [])
    chosen = best_threshold(localized(trained, folder, "val", keep_maps=0), THRESHOLDS)
    images = localized(trained, folder, "test", keep_maps=10**6)
    size = mean_box_size(read_annotations(folder).splits["train"])
    rows = {
        "map": map_figures("map", images, THRESHOLD),
        "map, threshold of val": map_figures("map", images, chosen),
        "whole image": box_figures("whole image", images, whole_image),
        "center box": box_figures("center box", images, center_box(size)),
        "true boxes within the crop": box_figures("crop", images, true_in_crop),
    }
    if seed == 0:
        draw(arm, trained, images[::SHOWN_EVERY], results.with_name(f"localization_{arm}.png"))
    shutil.rmtree(run.folder)
    accuracy = sum(image.right for image in images) / len(images)
    figures = {f"{name}: {figure}": value for name, row in rows.items() for figure, value in numbers(row).items()}
    return {"accuracy": accuracy, "threshold of val": chosen, **figures, "seconds": seconds}


def localized(trained: Trained, folder: Path, split: SplitName, *, keep_maps: int) -> list[LocalizedImage]:
    """The windows of a split with the boxes at ``THRESHOLD``."""
    boxed = boxed_images(trained, read_annotations(folder), split, 0, MAX_PIXELS)
    return localize(MapSource(trained, None), boxed, THRESHOLD, keep_maps=keep_maps)


def numbers(row: LocalizationFigures) -> dict[str, float]:
    """The figures of a row that are numbers."""
    return {name: value for name, value in asdict(row).items() if isinstance(value, float)}


def draw(arm: str, trained: Trained, images: Sequence[LocalizedImage], path: Path) -> None:
    """Windows with true boxes, found boxes and maps of the true class."""
    pixels = trained.preprocessing.pixel_format
    pictures = [localized_picture(image, trained.class_names, pixels, "true") for image in images]
    draw_localized(pictures, path, title=f"{arm}, seed 0: true class, threshold {THRESHOLD:g}")


def jobs(epochs: int, seeds: int, runs: Path, results: Path) -> list[Job]:
    return [
        Job(Key(arm, seed, MEASURED), partial(train_and_localize, arm, seed, epochs, runs, results))
        for seed in range(seeds)
        for arm in ARMS
    ]


def main() -> None:
    parser = options_of_runs(__doc__, RESULTS, "lit_cnn_localization", SEEDS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    if options.report:
        from localization_cutmix_report import write_report

        write_report(options.results)
        return
    do_jobs(options.results, jobs(options.epochs, options.seeds, options.runs, options.results), options.shard)


if __name__ == "__main__":
    main()
