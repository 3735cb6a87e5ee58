"""``lit-cnn recipes [NAME…]``: the recipes, what their papers promise, and what training them costs.

A name alone shows all that is known of one recipe.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, number, say
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.benchmarking.listing import ListedRecipe

COLUMNS = (
    Column("name", "name"),
    Column("network", "name"),
    Column("data", "name", rank=1),
    Column("px", rank=4),
    Column("target"),
    Column("of", "name", rank=7),
    Column("epochs", rank=3),
    Column("images seen (M)", rank=5),
    Column("training madds (10¹⁵)", rank=6),
    Column("measured", "name", rank=8),
    Column("title", "name", rank=9),
)
SPEED = (Column("images/s here", rank=2), Column("days here", rank=2))


def run(arguments: list[str]) -> int:
    options = _parse(arguments)
    from lit_cnn.architectures.patterns import is_pattern
    from lit_cnn.benchmarking.listing import listed_recipe
    from lit_cnn.experiment.files import recipe_id

    paths = _chosen(options)
    rows = []
    for path in paths:
        if options.measure:
            say(f"measuring {recipe_id(path)}", stderr=True)
        try:
            rows.append(listed_recipe(path, options.batch_size if options.measure else None))
        except ValueError as error:  # of one's own, in a folder recipes
            if len(paths) == 1:
                raise
            say(f"left out: {error}", stderr=True)
    if options.json:
        print(as_json([row.report() for row in rows]))
    elif len(rows) == 1 and not is_pattern(options.pattern):
        print_tables([details(rows[0])], in_markdown=options.markdown)
    else:
        columns = [*COLUMNS, *(SPEED if options.measure else [])]
        print_tables([Table(columns, list(map(cells, rows)), notes=notes(rows))], in_markdown=options.markdown)
    return 0


def _chosen(options: argparse.Namespace) -> list[Path]:
    """The files of a kind whose name matches, with or without the kind's folder, which may also be all that names it.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    from lit_cnn.architectures.patterns import is_pattern
    from lit_cnn.experiment.files import KINDS, list_recipes

    kind = "small" if options.small else "overlays" if options.overlays else ""
    folder, _, _ = options.pattern.partition("/")
    named = folder if folder in KINDS and not kind else kind
    paths = [*list_recipes(named), *(list_recipes("detection") if not named else [])]
    found = [path for path in paths if any(fnmatch.fnmatch(name, options.pattern) for name in _names(path))]
    if not found:
        known = [name for path in paths for name in _names(path)]
        near = [] if is_pattern(options.pattern) else difflib.get_close_matches(options.pattern, known, n=1)
        listed = f"lit-cnn recipes{f' --{kind}' if kind else ''}"
        hint = f"did you mean {near[0]!r}?" if near else f"`{listed}` lists all"
        raise ValueError(f"no recipe matches {options.pattern!r}; {hint}")
    return found


def _names(path: Path) -> list[str]:
    from lit_cnn.experiment.files import recipe_id

    return [path.stem, recipe_id(path)]


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn recipes",
        description="List the recipes, what their papers promise, and what training them costs; a name alone shows all "
        "that is known of one.",
        example="lit-cnn recipes 'resnet*'",
        epilog="A recipe is run by its name: lit-cnn fit --config NAME. An overlay is a second --config.",
    )
    parser.add_argument("pattern", nargs="?", default="*", help="a name, or a shell pattern such as 'resnet*'")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--small", action="store_true", help="the CPU-size twins instead")
    which.add_argument("--overlays", action="store_true", help="the overlays instead, each on its recipe")
    parser.add_argument(
        "--measure", action="store_true", help="time a few training steps of each on this machine's CPU"
    )
    parser.add_argument("--batch-size", type=int, default=4, help="images per measured step (default 4)")
    add_form_arguments(parser, "a list of objects")
    return parser


def _parse(arguments: list[str]) -> argparse.Namespace:
    options = make_parser().parse_args(arguments)
    if options.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, got {options.batch_size}")
    return options


def cells(row: ListedRecipe) -> list[str]:
    """The speed's only where one was measured."""
    from lit_cnn.data.image_size import label

    about, speed = row.about, row.speed
    return [
        *(row.name, row.architecture, row.data, label(row.image_size), target(row), about.get("metric") or "–"),
        *(number(row.epochs), number(row.cost.images, 1e6), madds(row)),
        *(measured(row), about.get("title") or "–"),
        *([number(speed.images_per_second), number(speed.days)] if speed else []),
    ]


def target(row: ListedRecipe) -> str:
    """``top-1 75.30 %``; a dash where the paper has no figure."""
    value, metric = row.about.get("value"), row.about.get("metric") or ""
    return "–" if value is None else f"{metric.partition(' ')[0]} {value:.2f} %".strip()


def measured(row: ListedRecipe) -> str:
    result = row.about.get("measured")
    return f"{result['value']:.2f} %, {result['machine']}, {result['date']}" if result else "–"


def madds(row: ListedRecipe) -> str:
    return ("≈ " if row.cost.how == "by area" else "") + number(row.cost.training_madds, 1e15)


def details(row: ListedRecipe) -> Table:
    """All that is known of one recipe."""
    from lit_cnn.data.image_size import label

    about = row.about
    facts = {
        "title": about.get("title"),
        "network": row.architecture,
        "data": row.data,
        "image size": f"{label(row.image_size)} px",
        "paper": about.get("paper"),
        "source": about.get("source"),
        "target": target(row),
        "of": about.get("metric"),
        "epochs": number(row.epochs),
        "epochs of the paper": number(about.get("epochs")),
        "hardware of the paper": about.get("hardware"),
        "images seen": f"{number(row.cost.images, 1e6)} M",
        "training multiply-adds": f"{madds(row)} · 10¹⁵",
        "measured": measured(row),
        "deviations": about.get("deviations"),
        "images/s here": row.speed and number(row.speed.images_per_second),
        "days here": row.speed and number(row.speed.days),
    }
    known = [[name, " ".join(str(value).split())] for name, value in facts.items() if value not in (None, "", "–")]
    columns = (Column("recipe", "name"), Column(row.name, "prose"))
    return Table(columns, known, notes=notes([row]))


def notes(rows: list[ListedRecipe]) -> list[str]:
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
    return [text]
