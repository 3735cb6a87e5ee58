"""``lit-cnn recipes [PATTERN]``: the recipes, what their papers promise, and what training them costs."""

from __future__ import annotations

import argparse
import fnmatch
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, console, markdown, number, say, table

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.benchmarking.listing import ListedRecipe

HEADER = (
    *("name", "title", "architecture", "px", "target", "epochs", "images seen (M)", "training madds (10¹⁵)"),
    "measured",
)
WORDS = ("name", "title", "architecture", "target", "measured")
"""Columns that hold no numbers."""


def run(arguments: list[str]) -> int:
    options = _parse(arguments)
    from lit_cnn.benchmarking.listing import listed_recipe
    from lit_cnn.experiment.files import list_recipes, recipe_id

    kind = "small" if options.small else "overlays" if options.overlays else ""
    paths = [path for path in list_recipes(kind) if fnmatch.fnmatch(path.stem, options.pattern)]
    if not paths:
        listed = f"lit-cnn recipes{f' --{kind}' if kind else ''}"
        raise ValueError(f"no recipe matches {options.pattern!r}; `{listed}` lists all")
    rows = []
    for path in paths:
        if options.measure:
            say(f"measuring {recipe_id(path)}", stderr=True)
        rows.append(listed_recipe(path, options.batch_size if options.measure else None))
    header = [*HEADER, *(["images/s here", "days here"] if options.measure else [])]
    if options.json:
        print(as_json([row.report() for row in rows]))
    elif options.markdown:
        say(markdown(header, [cells(row) for row in rows]) + f"\n\n{caption(rows)}")
    else:
        shown = table(
            header,
            [cells(row) for row in rows],
            left=WORDS,
            no_wrap=["name"],
            caption=caption(rows),
            caption_justify="left",
        )
        console(columns=160).print(shown)
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn recipes",
        description="List the recipes, what their papers promise, and what training them costs.",
        example="lit-cnn recipes 'resnet*'",
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
    return parser


def _parse(arguments: list[str]) -> argparse.Namespace:
    options = make_parser().parse_args(arguments)
    if options.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, got {options.batch_size}")
    return options


def cells(row: ListedRecipe) -> list[str]:
    """The speed's only where one was measured."""
    from lit_cnn.data.image_size import label

    about, cost, speed = row.about, row.cost, row.speed
    value, measured = about.get("value"), about.get("measured")
    return [
        *(row.name, about.get("title", ""), row.architecture, label(row.image_size)),
        f"{about.get('metric', '')}: {'none' if value is None else f'{value:g} %'}",
        *(number(row.epochs), number(cost.images, 1e6)),
        ("≈ " if cost.how == "by area" else "") + number(cost.training_madds, 1e15),
        f"{measured['value']:g} %, {measured['machine']}, {measured['date']}" if measured else "no",
        *([number(speed.images_per_second), number(speed.days)] if speed else []),
    ]


def caption(rows: list[ListedRecipe]) -> str:
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
