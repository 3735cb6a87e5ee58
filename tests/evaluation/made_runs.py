"""Run folders written by hand, for tests of what is read from them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

DATA = {
    "source": "digits",
    "path": "scikit-learn's digits",
    "images": {"train": 100, "val": 20},
    "validation": "held out: 20 %",
    "classes": ["0", "1"],
}
ENVIRONMENT = {"packages": {"lit-cnn": "0.1.0", "torch": "2.14.1"}, "machine": {"cores": 2}}


def recipe_with(**values: Any) -> dict[str, Any]:
    """A recipe of three epochs; a value by its key with two underscores for each dot, such as ``data__batch_size``."""
    recipe: dict[str, Any] = {
        "seed_everything": 0,
        "monitor": "val/acc1",
        "trainer": {"max_epochs": 3, "max_steps": -1},
        "model": {"architecture": "cifar_resnet8", "seed": 0, "optimizer": {"name": "sgd", "learning_rate": 0.1}},
        "data": {"source": "digits", "path": None, "seed": 0, "workers": 0, "batch_size": 50},
        "early_stopping": {"patience": None},
    }
    for name, value in values.items():
        *sections, last = name.split("__")
        place = recipe
        for section in sections:
            place = place[section]
        place[last] = value
    return recipe


def make_run(
    folder: Path,
    accuracies: Sequence[float] = (0.5, 0.7, 0.6),
    *,
    data: dict[str, Any] | None = DATA,
    environment: dict[str, Any] | None = ENVIRONMENT,
    speed: float | None = 200.0,
    **values: Any,
) -> Path:
    """Write the files of a run whose epochs, of two steps each, ended with these accuracies.

    Args:
        folder: Made with its parents.
        accuracies: Of the validations; the loss is 1 minus each.
        data: ``data.json``; None: the file is missing, as in older versions.
        environment: ``environment.json``.
        speed: Images per second of every epoch; None: there is no ``timing.csv``.
        values: Of the recipe, see ``recipe_with``.
    """
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(recipe_with(**values)))
    lines = ["epoch,step,val/loss,val/acc1,train/loss"]
    lines += [f"{n},{2 * n + 1},{1 - value:.4f},{value!r},{0.9 - value:.4f}" for n, value in enumerate(accuracies)]
    (folder / "metrics.csv").write_text("\n".join([*lines, ""]))
    if speed is not None:
        rows = [f"{n},{2 * n + 1},{speed}" for n in range(len(accuracies))]
        (folder / "timing.csv").write_text("\n".join(["epoch,step,timing/images_per_second", *rows, ""]))
    for name, content in (("data.json", data), ("environment.json", environment)):
        if content is not None:
            (folder / name).write_text(json.dumps(content))
    return folder


def make_runs(root: Path, rates: dict[float, Sequence[float]], **values: Any) -> Path:
    """A folder with a run for each learning rate and seed, whose best accuracy is given; seeds count from 0."""
    for rate, bests in rates.items():
        for seed, best in enumerate(bests):
            make_run(
                root / "made" / f"{rate}-{seed}",
                (best - 0.2, best, best - 0.1),
                seed_everything=seed,
                model__optimizer__learning_rate=rate,
                **values,
            )
    return root
