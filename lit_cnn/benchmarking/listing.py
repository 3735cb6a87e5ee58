"""A recipe in the list of ``lit-cnn recipes``: what it says of itself, and what training it costs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_cnn.benchmarking.cost import Cost, Speed, cost_of, measure_speed
from lit_cnn.data.image_size import ImageSize, as_stated, sides_of
from lit_cnn.experiment.files import configs_of, read_recipe, recipe_id
from lit_cnn.run_folder.checkpoint import CLASSIFICATION


@dataclass(frozen=True)
class ListedRecipe:
    """One recipe: its name, ``about`` block, architecture and data as written, its cost, its speed if asked for."""

    name: str
    about: dict[str, Any]
    architecture: str
    data: str
    image_size: ImageSize
    epochs: float | None
    cost: Cost
    speed: Speed | None

    def report(self) -> dict[str, Any]:
        """Everything as built-in types."""
        return {
            "name": self.name,
            "architecture": self.architecture,
            "data": self.data,
            "image_size": self.image_size,
            **{key: self.about.get(key) for key in ("title", "paper", "source", "metric", "value", "hardware")},
            "epochs": self.epochs,
            "paper_epochs": self.about.get("epochs"),
            "deviations": self.about.get("deviations"),
            "measured": self.about.get("measured"),
            "images_seen": self.cost.images,
            "madds_per_image": self.cost.madds,
            "madds_how": self.cost.how,
            "training_madds": self.cost.training_madds,
            "speed": self.speed._asdict() if self.speed else None,
        }


def listed_recipe(path: Path, measured_batch: int | None = None) -> ListedRecipe:
    """Read a recipe's file; with ``measured_batch`` images time a few of its training steps here, too, unless
    it is a detector's.

    Raises:
        ValueError: If it is not a recipe, or does not say how it is run.
    """
    recipe = with_network(complete_recipe(path))
    cost = cost_of(recipe)
    detects = recipe.get("task", CLASSIFICATION) != CLASSIFICATION
    speed = None if measured_batch is None or detects else measure_speed(configs_of(path), cost, measured_batch)
    architecture, data = recipe["model"]["architecture"], recipe["data"]
    if detects:
        architecture = f"{recipe['model'].get('detector', 'fcos')} on {architecture}"
    folder = Path(data.get("path") or "").name if data.get("source", "imagefolder") == "imagefolder" else ""
    return ListedRecipe(
        name=recipe_id(path),
        about=recipe.get("about", {}),
        architecture=architecture if isinstance(architecture, str) else architecture["class_path"],
        data=folder or data.get("source", "imagefolder"),
        image_size=as_stated(sides_of(data.get("canvas") or data.get("image_size", 224))),
        epochs=recipe.get("trainer", {}).get("max_epochs"),
        cost=cost,
        speed=speed,
    )


def complete_recipe(path: Path) -> dict[str, Any]:
    """What a recipe's file states, on the recipe below it if it is an overlay.

    Raises:
        ValueError: Naming the section that it lacks.
    """
    recipe = read_recipe(path)
    for section in ("model", "data"):
        if not isinstance(recipe.get(section), dict):
            raise ValueError(f"{path} is not a recipe that can be trained: it has no section {section}")
    return recipe


def with_network(recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe with the network of the published weights it starts from, where it states none itself."""
    model = recipe["model"]
    if "architecture" in model:
        return recipe
    from lit_cnn.pretrained.sources import find_published

    weights = find_published(model["initial"]["checkpoint"])
    return {**recipe, "model": {**model, "architecture": weights.architecture}}
