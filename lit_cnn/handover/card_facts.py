"""What a checkpoint and the folder of its run say for a model card, without the names of private folders."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lit_cnn.experiment.files import value_text
from lit_cnn.pretrained.importing import PROVENANCE
from lit_cnn.pretrained.sources import PublishedWeights, find_published, is_published_spec
from lit_cnn.private_paths import without_folders
from lit_cnn.run_folder.checkpoint import DATA
from lit_cnn.run_folder.folder import DATA_SET, ENVIRONMENT
from lit_cnn.run_folder.metrics_csv import read_metrics

PRIVATE = ("tracking", "machine")
"""Sections of a recipe that say where it ran and under whose account."""


@dataclass(frozen=True)
class CardFacts:
    """What is known of a trained network.

    Args:
        checkpoint: Its entries but the tensors.
        params: Parameters of the network.
        weights: "ema" for averaged ones where there are any, or "raw".
        run_name: Recipe and name of the run folder; empty where the checkpoint lies in none.
        metrics: Row of the run's metrics of the epoch that the checkpoint was saved after.
        data: What the data set turned out to be.
        environment: Command, versions, machine and changed keys.
    """

    checkpoint: Mapping[str, Any]
    params: int
    weights: str = "ema"
    run_name: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe without private folders and sections; empty where a script trained."""
        recipe = self.checkpoint.get("recipe") or {}
        return without_folders({key: value for key, value in recipe.items() if key not in PRIVATE})

    @property
    def title(self) -> str:
        """``ResNet-18 on photos``, as the recipe says it, else the architecture's name."""
        stated = self.recipe.get("about", {}).get("title")
        return stated or f"{self.checkpoint['network']['architecture']}"

    @property
    def scores(self) -> dict[str, float]:
        """Metrics of the validation by name without ``val/``, of the weights that are meant; shares in [0, 1]."""
        found = {name.removeprefix("val/"): value for name, value in self.metrics.items() if name.startswith("val/")}
        if self.weights == "raw" and self.keeps_average:
            return {name.removesuffix("_raw"): value for name, value in found.items() if name.endswith("_raw")}
        return {name: value for name, value in found.items() if not name.endswith("_raw")}

    @property
    def keeps_average(self) -> bool:
        """Whether the run averaged its weights, so that its figures are those of the average."""
        return bool((self.recipe.get("ema") or {}).get("decay"))

    @property
    def validated(self) -> int | None:
        """Images that a validation of the run counts; None where that is not known."""
        return validated_images(self.recipe, self.data)

    @property
    def changed(self) -> dict[str, str]:
        """Keys that the run changed of its recipe, as ``old → new``."""
        pairs = without_folders(self.environment.get("changed") or {})
        return {key: " → ".join(map(value_text, values)) for key, values in pairs.items()}

    @property
    def initial(self) -> str | None:
        """What the training started from: published weights, or the name of a file; None for random weights."""
        spec = self.recipe.get("model", {}).get("initial", {}).get("checkpoint")
        return None if spec is None else str(spec)

    @property
    def base(self) -> PublishedWeights | None:
        """The published weights that these are, or that the training started from."""
        for spec in (self.checkpoint.get(PROVENANCE, {}).get("source"), self.initial):
            if isinstance(spec, str) and is_published_spec(spec):
                try:
                    return find_published(spec)
                except ValueError:  # of a library's later table
                    return None
        return None

    def license_of(self, stated: str | None) -> str:
        """What the user has stated; else that of the weights it comes from; else ``none stated``."""
        base = self.base
        recorded = self.checkpoint.get(PROVENANCE, {}).get("license")
        return stated or recorded or (base.license if base is not None else "none stated")


def validated_images(recipe: Mapping[str, Any], data: Mapping[str, Any]) -> int | None:
    """Images that each validation of a run counts; None where that is not known.

    Args:
        recipe: The run's.
        data: What its data set turned out to be.
    """
    trainer = recipe.get("trainer") or {}
    limit = trainer.get("limit_val_batches")
    whole = limit is None or (isinstance(limit, float) and limit == 1.0)  # a whole 1 is one batch
    return data.get("images", {}).get("val") if whole and not trainer.get("fast_dev_run") else None


def read_facts(path: Path, checkpoint: Mapping[str, Any], params: int, weights: str = "ema") -> CardFacts:
    """The facts of a checkpoint, and of the run folder that it lies in.

    Args:
        path: The checkpoint's file.
        checkpoint: Its content.
        params: Parameters of the network.
        weights: Which of its weights are meant.
    """
    entries = {key: value for key, value in checkpoint.items() if key not in ("state_dict", "current_model_state")}
    run = path.resolve().parent.parent
    if path.resolve().parent.name != "checkpoints" or not (run / "config.yaml").is_file():
        return CardFacts(entries, params, weights, data=_recorded_data(checkpoint))
    name = f"{run.parent.name}/{run.name}"
    data, environment = _read(run / DATA_SET) or _recorded_data(checkpoint), _read(run / ENVIRONMENT)
    return CardFacts(entries, params, weights, name, _metrics(run, checkpoint), data, environment)


def _recorded_data(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint itself says of its data, in the words of the run's own file."""
    sizes, recipe = checkpoint.get(DATA, {}), (checkpoint.get("recipe") or {}).get("data", {})
    images = {split: sizes[f"{split}_size"] for split in ("train", "val") if f"{split}_size" in sizes}
    return {"source": recipe["source"], "path": recipe["path"], "images": images} if "path" in recipe else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _metrics(run: Path, checkpoint: Mapping[str, Any]) -> dict[str, float]:
    """The row of the step that the checkpoint was saved after, where it has a validation."""
    try:
        rows = read_metrics(run / "metrics.csv")
    except (OSError, ValueError):
        return {}
    last = checkpoint.get("global_step", 0) - 1
    return next((row for row in rows if row.get("step") == last and any("val/" in name for name in row)), {})
