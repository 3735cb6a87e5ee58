"""A tiny folder in COCO's layout, of painted rectangles, and a recipe that trains a detector on it within seconds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

SIDES = (48, 64)
"""Height and width of an image in pixels."""
COLORS = {"apple": (200, 30, 30), "pear": (30, 160, 60)}
IDS = {"apple": 2, "pear": 7}
"""COCO's ids have gaps."""


def make_folder(root: Path, sizes: dict[str, int] | None = None) -> Path:
    """Write ``sizes`` images of each split, each with a rectangle of either class; the first has none."""
    (root / "annotations").mkdir(parents=True)
    random = np.random.default_rng(0)
    for split, count in (sizes or {"train": 8, "val": 3, "test": 3}).items():
        (root / split).mkdir()
        images: list[dict[str, Any]] = []
        boxes: list[dict[str, Any]] = []
        for number in range(count):
            pixels = random.integers(90, 140, (*SIDES, 3), dtype=np.uint8)
            images.append({"id": number + 10, "file_name": f"{number}.png", "height": SIDES[0], "width": SIDES[1]})
            for name in COLORS if number else ():
                width, height = random.integers(10, 25, 2).tolist()
                left, top = int(random.integers(0, SIDES[1] - width)), int(random.integers(0, SIDES[0] - height))
                pixels[top : top + height, left : left + width] = COLORS[name]
                box = {"bbox": [left, top, width, height], "area": width * height, "iscrowd": 0}
                boxes.append({"id": len(boxes) + 1, "image_id": number + 10, "category_id": IDS[name], **box})
            Image.fromarray(pixels).save(root / split / f"{number}.png")
        categories = [{"id": IDS[name], "name": name} for name in COLORS]
        content = {"images": images, "annotations": boxes, "categories": categories}
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def recipe_of(folder: Path, **sections: Any) -> dict[str, Any]:
    """A recipe on ``folder``; sections are merged into it, mapping by mapping."""
    recipe: dict[str, Any] = {
        "task": "detection",
        "trainer": {
            "max_epochs": 2,
            "accelerator": "cpu",
            "precision": "32-true",
            "enable_progress_bar": False,
            "log_every_n_steps": 2,
        },
        "model": {
            "detector": "fcos",
            "architecture": "resnet18",
            "pyramid": {"width": 32, "top": "none"},
            "fcos": {"depth": 1},
            "optimizer": {"name": "adamw", "learning_rate": 1e-3, "base_batch_size": None},
        },
        "data": {"path": str(folder), "canvas": [64, 64], "batch_size": 2, "workers": 0},
        "tracking": {"mode": "disabled"},
    }
    for key, value in sections.items():
        recipe[key] = {**recipe[key], **value} if isinstance(recipe.get(key), dict) else value
    return recipe


def write_recipe(file: Path, recipe: dict[str, Any]) -> Path:
    """The recipe as a file."""
    file.write_text(yaml.safe_dump(recipe))
    return file
