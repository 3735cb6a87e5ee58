"""Accuracy over multiply-adds when one small network is scaled by depth, width, resolution, or all together.

    LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/compound_scaling.py [--epochs 10] [--seeds 3]
    python benchmarks/compound_scaling.py --report

Base: the CIFAR ResNet-20 of widths 8, 16 and 32 on CIFAR-10 at 16 px. Each arm of ``lit-cnn scale`` spends 2 and 4
times its multiply-adds, as near as whole blocks, channels and pixels allow. All are trained in the same way on 5,000
images, for the same epochs, in float32, and evaluated on 5,000 others after the last epoch. Runs of one seed share the
order of the images and the keys of augmentation. Each run is a line of docs/measurements/compound_scaling.csv as soon
as it has ended, and a rerun does what is missing; ``--report`` writes the page and the picture from the lines.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from compound_scaling_report import EVALUATED, TRAINED, Line, read, report

from lit_cnn import Recipe, fit
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.search.scaling.networks import Base, ScaledNetwork, at_madds
from lit_cnn.search.scaling.rules import RULES, Rule

BASE = Base("cifar_resnet20", 16, {"widths": (8, 16, 32)})
BUDGETS = (2, 4)
KINDS = ("images", "labels")
OUT = Path(__file__).parent.parent / "docs" / "measurements" / "compound_scaling.csv"


def arms() -> Iterator[tuple[str, int, ScaledNetwork]]:
    """The base, then every rule at every budget. Numbers of blocks are rounded to the nearest for width_first, as in
    its code, and for the others so that the multiply-adds come nearest to the budget, which no result decides."""
    yield "base", 1, BASE.scaled()
    for budget in BUDGETS:
        for rule in RULES:
            yield rule, budget, arm(rule, budget)


def arm(rule: Rule, budget: int) -> ScaledNetwork:
    """The network of a rule at a budget."""
    nearest = at_madds(BASE, rule, budget, rounding="nearest")
    if rule == "width_first":
        return nearest
    up = at_madds(BASE, rule, budget, rounding="up")
    return min((up, nearest), key=lambda network: abs(network.times - budget))


def subset(folder: Path) -> Path:
    """CIFAR-10's first training images of a keyed order, and its validation and test images as one split."""
    with np.load(resolve_data_path("cifar10.npz")) as arrays:
        chosen = np.random.default_rng(0).permutation(len(arrays["train_images"]))[:TRAINED]
        held = {kind: np.concatenate([arrays[f"{part}_{kind}"] for part in ("val", "test")]) for kind in KINDS}
        parts = {f"train_{kind}": arrays[f"train_{kind}"][chosen] for kind in KINDS}
    if len(held["labels"]) < EVALUATED:
        raise ValueError(f"the data hold {len(held['labels'])} images for the evaluation, {EVALUATED} are expected")
    np.savez(folder / "subset.npz", **parts, **{f"val_{kind}": held[kind][:EVALUATED] for kind in KINDS})
    return folder / "subset.npz"


def recipe(network: ScaledNetwork, data: Path, epochs: int, seed: int) -> Recipe:
    """The same training for every arm; the padding of the crop grows with the image."""
    return Recipe.load(
        "cifar10_resnet20",
        overrides={
            "seed_everything": seed,
            "trainer.max_epochs": epochs,
            "trainer.check_val_every_n_epoch": epochs,
            "trainer.precision": "32-true",
            "trainer.accelerator": "cpu",
            "trainer.enable_progress_bar": False,
            "model.architecture": network.base.name,
            **{f"model.options.{key}": list(value) if isinstance(value, tuple) else value
               for key, value in network.options.items()},
            "model.optimizer.learning_rate": 0.1,
            "model.optimizer.nesterov": True,
            "model.optimizer.weight_decay": 5.0e-4,
            "model.schedule.name": "cosine",
            "model.schedule.warmup_epochs": 1,
            "data.source": "npz",
            "data.path": str(data),
            "data.image_size": network.image_size,
            "data.batch_size": 64,
            "data.workers": 0,
            "data.crop.padding": round(network.image_size / 8),
        },
    )  # fmt: skip


def train(name: str, budget: int, network: ScaledNetwork, data: Path, epochs: int, seed: int) -> Line:
    """One run, in a folder that is not kept."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as runs:
        run = fit(recipe(network, data, epochs, seed), runs=Path(runs))
    if run.exit_code:
        raise SystemExit(run.exit_code)
    blocks = network.build().features
    return Line(
        name, budget, network.madds, network.params, network.image_size, blocks[0].conv.out_channels, len(blocks[1]),
        seed, epochs, TRAINED, round(run.metrics["val/acc1"], 4), round(run.metrics["val/loss"], 4),
        round(time.perf_counter() - began, 1),
    )  # fmt: skip


def append(path: Path, line: Line) -> None:
    is_new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Line)], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(line))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--list", action="store_true", help="print the arms and train nothing")
    parser.add_argument("--report", action="store_true", help="write the page and the picture from the runs so far")
    options = parser.parse_args(arguments)
    if options.report:
        report(read(options.out), options.out)
        return
    plan = list(arms())
    for name, budget, network in plan:
        print(f"{name:12s} {budget} x: {network.times:.3f} x, {network.params:,} parameters, {network.image_size} px, "
              f"{network.blocks()}", flush=True)  # fmt: skip
    if options.list:
        return
    done = {(line.arm, line.budget, line.seed, line.epochs) for line in read(options.out)}
    with tempfile.TemporaryDirectory() as folder:
        data = subset(Path(folder))
        for seed in range(options.seeds):
            for name, budget, network in plan:
                if (name, budget, seed, options.epochs) not in done:
                    line = train(name, budget, network, data, options.epochs, seed)
                    append(options.out, line)
                    print(line, flush=True)


if __name__ == "__main__":
    main()
