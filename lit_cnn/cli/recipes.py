"""``lit-cnn recipes [PATTERN]``: the recipes, what their papers promise, and what training them costs."""

import argparse
import fnmatch
import json
import sys
from dataclasses import dataclass
from typing import Any

from lit_cnn.benchmarking.cost import Cost, Speed, cost_of, measure_speed
from lit_cnn.experiment.files import configs_of, list_recipes, read_recipe, recipe_id


@dataclass(frozen=True)
class Row:
    """One recipe: its name, its ``about`` block and architecture as written, its cost, and its speed if asked for."""

    name: str
    about: dict[str, Any]
    architecture: str
    image_size: int
    epochs: float | None
    cost: Cost
    speed: Speed | None


def run(arguments: list[str]) -> int:
    options = _parse(arguments)
    kinds = ["small"] if options.small else ["overlays"] if options.overlays else [""]
    paths = [path for kind in kinds for path in list_recipes(kind)]
    chosen = [path for path in paths if fnmatch.fnmatch(path.stem, options.pattern)]
    if not chosen:
        listed = f"lit-cnn recipes{f' --{kinds[0]}' if kinds[0] else ''}"
        raise ValueError(f"no recipe matches {options.pattern!r}; `{listed}` lists all")
    rows = []
    for path in chosen:
        recipe, configs = read_recipe(path), configs_of(path)
        cost, speed = cost_of(recipe), None
        if options.measure:
            print(f"measuring {recipe_id(path)}", file=sys.stderr, flush=True)
            speed = measure_speed(configs, cost, options.batch_size)
        architecture = recipe["model"]["architecture"]
        name = architecture if isinstance(architecture, str) else architecture["class_path"]
        size = recipe["data"].get("image_size", 224)
        epochs = recipe.get("trainer", {}).get("max_epochs")
        rows.append(Row(recipe_id(path), recipe.get("about", {}), name, size, epochs, cost, speed))
    show(rows, options)
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lit-cnn recipes",
        description="List the recipes, what their papers promise, and what training them costs.",
        epilog="A recipe is run by its name: lit-cnn fit --config NAME. An overlay is a second --config.",
    )
    parser.add_argument("pattern", nargs="?", default="*", help="shell pattern of names, such as 'resnet*'")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--small", action="store_true", help="the CPU-size twins instead")
    which.add_argument("--overlays", action="store_true", help="the overlays instead, each on its recipe")
    parser.add_argument(
        "--measure", action="store_true", help="time a few training steps of each on this machine's CPU"
    )
    parser.add_argument("--batch-size", type=int, default=4, help="images per measured step (default 4)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args(arguments)
    if options.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, got {options.batch_size}")
    return options


def show(rows: list[Row], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps([as_object(row) for row in rows], indent=2))
        return
    header, lines = table(rows)
    if options.markdown:
        print("\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *lines)))
        print("\n" + caption(rows))
        return
    from rich.console import Console
    from rich.table import Table

    printed = Table(caption=caption(rows), caption_justify="left")
    for name in header:
        words = name in ("name", "title", "architecture", "target", "measured")
        printed.add_column(name, justify="left" if words else "right", no_wrap=name == "name")
    for cells in lines:
        printed.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(printed)


def table(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells; the columns of the speed only where one was measured."""
    header = [
        "name",
        "title",
        "architecture",
        "px",
        "target",
        "epochs",
        "images seen (M)",
        "training madds (10¹⁵)",
        "measured",
    ]
    with_speed = any(row.speed for row in rows)
    header += ["images/s here", "days here"] if with_speed else []
    lines = []
    for row in rows:
        about, cost, speed = row.about, row.cost, row.speed
        value, measured = about.get("value"), about.get("measured")
        target = f"{about.get('metric', '')}: {'none' if value is None else f'{value:g} %'}"
        about_scale = "≈ " if cost.how == "by area" else ""
        cells = [row.name, about.get("title", ""), row.architecture, str(row.image_size), target, number(row.epochs)]
        cells += [number(cost.images, 1e6), about_scale + number(cost.training_madds, 1e15)]
        cells.append(f"{measured['value']:g} %, {measured['machine']}, {measured['date']}" if measured else "no")
        cells += [number(speed and speed.images_per_second), number(speed and speed.days)] if with_speed else []
        lines.append(cells)
    return header, lines


def number(value: float | None, unit: float = 1.0) -> str:
    """Three significant digits without an exponent, or a dash."""
    if value is None:
        return "–"
    scaled = value / unit
    return f"{scaled:,.0f}" if scaled >= 100 else f"{scaled:.3g}"


def caption(rows: list[Row]) -> str:
    text = (
        "target: the paper's figure. Training madds: 3 forward passes' multiply-adds x images seen, without auxiliary "
        "heads; ≈: the catalog's count scaled by the area of the image."
    )
    speeds = [row.speed for row in rows if row.speed]
    if speeds:
        text += (
            f" Speed: median of 3 training steps of {speeds[0].batch_size} synthetic images on {speeds[0].threads} CPU "
            f"threads in {speeds[0].precision}, without reading images, EMA and SAM's ascent."
        )
    return text


def as_object(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "architecture": row.architecture,
        "image_size": row.image_size,
        **{key: row.about.get(key) for key in ("title", "paper", "source", "metric", "value", "hardware")},
        "epochs": row.epochs,
        "paper_epochs": row.about.get("epochs"),
        "deviations": row.about.get("deviations"),
        "measured": row.about.get("measured"),
        "images_seen": row.cost.images,
        "madds_per_image": row.cost.madds,
        "madds_how": row.cost.how,
        "training_madds": row.cost.training_madds,
        "speed": row.speed._asdict() if row.speed else None,
    }
