"""Kendall's tau and the cost of performance estimators, on random networks of a cell space trained on CIFAR-10.

    LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/search_estimators.py     # continues where it was stopped
    python benchmarks/search_estimators.py --shard 0/2                            # one of two processes
    python benchmarks/search_estimators.py --report                               # the page and its picture

Space: AmoebaNet's eight operations, 5 blocks, one normal cell per stack, 8 filters, CIFAR-10 averaged to 16 px. Truth:
accuracy on 5,000 images after 10 epochs of 5,000 other images (SGD with momentum, cosine, pad-crop and flip, batch 64,
float32), seed 0. Short trainings have a cosine of their own and seed 1, so they share no draw with the truth. Every
result is a line of docs/measurements/search_estimators.csv, written when it is there.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from estimator_results import EPOCHS, OTHER_SEED, TRUTH_SEED, Result, append, read_results
from finished_runs import timed_fit
from torch import Tensor, nn

from lit_cnn import Recipe, create_model
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.randomness import generator, seeded
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.search.estimators import zero_cost
from lit_cnn.search.estimators.inheritance import inherit
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.space import Point, neighbors
from lit_cnn.search.strategies.strategy import History, random_point

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "measurements" / "search_estimators.csv"
SPACE = CellSpace(blocks=5, repeats=1, filters=8)
NETWORKS, SECOND_SEEDS = 40, 20
PARENT_EPOCHS, CHILD_EPOCHS = 8, 2
IMAGES, SIDE, CODED_IMAGES = 5000, 16, 64
RECIPE = {
    "trainer": {"accelerator": "cpu", "devices": 1, "precision": "32-true", "enable_progress_bar": False},
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
        "clipping": {"kind": "norm", "limit": 5.0},
        "schedule": {"name": "cosine"},
    },
    "data": {
        "source": "npz",
        "image_size": SIDE,
        "batch_size": 64,
        "eval_batch_size": 500,
        "workers": 0,
        "crop": {"kind": "pad", "padding": 2},
        "flip": {"horizontal": 0.5},
        "evaluation": {"crop_ratio": 1.0},
    },
}


def sample() -> list[Point]:
    """The first ``NETWORKS`` different networks that random search with seed 0 would try."""
    found: list[Point] = []
    slot = 0
    while len(found) < NETWORKS:
        draws = History(tuple((0,) for _ in range(slot)), tuple(0.0 for _ in range(slot))).draws("estimators")
        point = SPACE.canonical(random_point(SPACE, draws))
        found += [] if point in found else [point]
        slot += 1
    return found


def parent_of(point: Point, number: int) -> Point:
    """A network of which ``point`` is one mutation; the change is drawn evenly."""
    others = sorted({SPACE.canonical(other) for other in neighbors(SPACE, point)} - {point})
    return others[int(torch.randint(len(others), (), generator=generator("parent", number)))]


@cache
def images_file() -> Path:
    """An npz of 5,000 training and 5,000 validation images out of CIFAR-10's training set, averaged to 16 px."""
    path = Path(tempfile.gettempdir()) / f"lit_cnn_estimators_{IMAGES}_{SIDE}px.npz"
    if not path.is_file():
        with np.load(resolve_data_path("cifar10.npz")) as arrays:
            images, labels = arrays["train_images"], arrays["train_labels"].ravel()
        order = torch.randperm(len(images), generator=generator("estimators", "images")).numpy()
        side = 32 // SIDE
        parts = {}
        for name, rows in (("train", order[:IMAGES]), ("val", order[IMAGES : 2 * IMAGES])):
            blocks = images[rows].reshape(len(rows), SIDE, side, SIDE, side, 3)
            parts |= {f"{name}_images": blocks.mean((2, 4)).round().astype(np.uint8), f"{name}_labels": labels[rows]}
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            np.savez(file, **parts)
        Path(file.name).replace(path)
    return path


def make_recipe(point: Point, seed: int, epochs: int, folder: Path) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    candidate = SPACE.candidate(point)
    overrides = {
        "seed_everything": seed,
        "trainer.max_epochs": epochs,
        "model.architecture": candidate.architecture,
        **{f"model.options.{name}": value for name, value in candidate.options.items()},
        "data.path": str(images_file()),
    }
    return Recipe.load(path, overrides=overrides)


def train(
    point: Point, number: int, seed: int, epochs: int, what: str = "train", start: nn.Module | None = None
) -> tuple[Result, nn.Module]:
    """Train in a run folder that is removed; ``start`` is a network whose weights are inherited."""
    folder = Path(tempfile.mkdtemp(prefix="estimators_"))
    try:
        recipe = make_recipe(point, seed, epochs, folder)
        recipe.model.configure_model(recipe.data)
        if start is not None:
            inherit(recipe.model.network, start)
        run, seconds = timed_fit(recipe, folder)
        assert run.folder is not None
        rows = read_metrics(run.folder / "metrics.csv")
        curve = [round(row["val/acc1"], 5) for row in rows if "val/acc1" in row]
        losses = [round(row["train/loss"], 5) for row in rows if "train/loss" in row]
        assert len(curve) == len(losses) == epochs
        result = Result(
            SPACE.encode(point),
            number,
            seed,
            what,
            epochs,
            curve[-1],
            round(run.metrics["val/loss"], 5),
            curve,
            losses,
            round(seconds, 2),
        )
        return result, recipe.model.network
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def inherited(point: Point, number: int) -> Iterator[Result]:
    """A parent trained for 8 epochs, then the child for 2 from its weights: 10 in total, as the truth."""
    parent, network = train(parent_of(point, number), number, OTHER_SEED, PARENT_EPOCHS, "parent")
    yield parent
    yield train(point, number, OTHER_SEED, CHILD_EPOCHS, "inherit", network)[0]


@cache
def coded_images() -> Tensor:
    """Images whose codes NASWOT compares, normalized by their own statistics."""
    with np.load(images_file()) as arrays:
        images = torch.from_numpy(arrays["train_images"][:CODED_IMAGES]).permute(0, 3, 1, 2).float()
    return (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True)


SCORES: dict[str, Callable[[nn.Module], float]] = {
    "params": zero_cost.params,
    "madds": lambda network: zero_cost.madds(network, SIDE),
    "synflow": lambda network: zero_cost.synflow(network, SIDE),
    "naswot": lambda network: zero_cost.naswot(network, coded_images()),
}


def score(point: Point, number: int, name: str) -> Result:
    candidate = SPACE.candidate(point)
    with seeded(OTHER_SEED, "initialization"):
        network = create_model(candidate.architecture, num_classes=10, **candidate.options)
    coded_images()
    began = time.process_time()
    value = SCORES[name](network)
    seconds = time.process_time() - began
    return Result(SPACE.encode(point), number, OTHER_SEED, name, 0, value, None, [], [], round(seconds, 4))


def jobs() -> list[tuple[int, int, str, int]]:
    """(network, seed, what, epochs) in the order in which they are worth having."""
    everyone = range(NETWORKS)
    found = [(number, OTHER_SEED, name, 0) for name in SCORES for number in everyone]
    for number in everyone:
        found.append((number, TRUTH_SEED, "train", EPOCHS))
        found += [(number, OTHER_SEED, "train", epochs) for epochs in (2, 1)]
    for number in range(SECOND_SEEDS):
        found += [(number, OTHER_SEED, "train", EPOCHS), (number, OTHER_SEED, "inherit", CHILD_EPOCHS)]
    return found + [(number, OTHER_SEED, "inherit", CHILD_EPOCHS) for number in everyone[SECOND_SEEDS:]]


def measure(path: Path, shard: int, shards: int) -> None:
    points = sample()
    for job in jobs()[shard::shards]:
        number, seed, what, epochs = job
        if job in {result.key for result in read_results(path)}:
            continue
        if what == "train":
            found: Iterator[Result] = iter([train(points[number], number, seed, epochs)[0]])
        elif what == "inherit":
            found = inherited(points[number], number)
        else:
            found = iter([score(points[number], number, what)])
        for result in list(found):
            append(path, result)
            shown = f"{result.number:>3} seed {result.seed} {result.what:>8} {result.epochs:>2} epochs: "
            print(f"{shown}{result.value:.4g} in {result.seconds:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--shard", default="0/1", metavar="K/N", help="do every N-th of the trainings, from the K-th on"
    )
    parser.add_argument("--report", action="store_true", help="write the page and the picture of what is there")
    options = parser.parse_args()
    if options.report:
        from estimator_report import write_report  # Matplotlib

        write_report(options.results)
        return
    shard, shards = (int(number) for number in options.shard.split("/"))
    measure(options.results, shard, shards)


if __name__ == "__main__":
    main()
