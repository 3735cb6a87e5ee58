"""``lit-cnn config show RECIPE``: what a recipe resolves to; ``lit-cnn config diff OLD NEW``: the keys that differ."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.experiment.parser import RecipeCLI

SHOW = "Print a recipe with every default filled in, further recipes or overlays merged on top, then single keys."
DIFF = """Print the keys in which two recipes or runs differ, as key: old → new.

The first name is the old one; all others, merged, are the new one, with single keys on top. A run folder or last (the
run started or continued last) may be either; a run alone is compared with the recipe that it is named after, or with
the file of your own that started it. The title and the paper's facts (about) are not compared. The exit code is 0
whether or not keys differ.
"""


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn config", __doc__, example="lit-cnn config show quickstart")
    actions = parser.add_subparsers(dest="action", required=True)
    usage = "lit-cnn config {} [--config OVERLAY] [--KEY VALUE ...]"
    show = actions.add_parser(
        "show",
        help="a recipe with every default filled in",
        description=SHOW,
        usage=usage.format("show RECIPE [OVERLAY ...]"),
        example="lit-cnn config show resnet_rs overlays/resnet_rs_101_160 --data.batch_size 64",
    )
    show.add_argument("recipes", nargs="+", metavar="RECIPE", help="name or path; a run folder, or last")
    diff = actions.add_parser(
        "diff",
        help="the keys in which two recipes or runs differ",
        description=DIFF,
        usage=usage.format("diff OLD [NEW ...] [--json | --markdown]"),
        example="lit-cnn config diff last",
    )
    diff.add_argument("recipes", nargs="+", metavar="RECIPE", help="names or paths of recipes, run folders, or last")
    add_form_arguments(diff, "a list of objects")
    for action in (show, diff):
        action.add_argument("--config", action="append", default=[], metavar="OVERLAY", help="merged on top, too")
        action.add_argument("--runs", default="runs", metavar="DIR", help="where last is looked up (default: runs)")
    return parser


def run(arguments: list[str]) -> int:
    options, overrides = make_parser().parse_known_args(arguments)
    names = [stored_or_named(name, Path(options.runs).expanduser()) for name in options.recipes]
    if options.action == "show":
        cli = parsed([*names, *options.config], overrides)
        for notice in cli.notices:
            say(notice, stderr=True)
        print(cli.dump(), end="")
        return 0
    return diff(names, overrides, options)


def stored_or_named(name: str, runs: Path) -> str:
    """The stored recipe of a run folder or of the last run; other names as they are.

    Raises:
        ValueError: If a folder is not that of a run.
    """
    folder = Path(name).expanduser()
    if name == "last":
        from lit_cnn.run_folder.folder import find_run

        folder = find_run(name, runs)
    elif not folder.is_dir():
        return name
    stored = folder / "config.yaml"
    if not stored.is_file():
        raise ValueError(f"{name} is a folder without a config.yaml: pass a run folder, last, or the name of a recipe")
    return str(stored)


def parsed(names: list[str], overrides: list[str]) -> "RecipeCLI":
    """The recipes merged in their order."""
    from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

    return RecipeCLI(resolve_configs([*(word for name in names for word in ("--config", name)), *overrides]))


def resolved(names: list[str], overrides: list[str]) -> dict[str, Any]:
    """The same as built-in types, in this machine's precision where it says auto, as a run stores it."""
    cli = parsed(names, overrides)
    cli.settle_precision()
    return cli.values()


def diff(names: list[str], overrides: list[str], options: argparse.Namespace) -> int:
    """Print what differs between the first of ``names`` and the others.

    Raises:
        ValueError: If a recipe stands alone.
    """
    from lit_cnn.experiment.changes import changes, described, recipe_of_run
    from lit_cnn.experiment.files import find_recipe, value_text

    old, *new = names
    if not new and not options.config and not overrides:
        if old == options.recipes[0]:
            raise ValueError(f"what should {find_recipe(old)} be compared with? Name a recipe, a run or keys after it")
        old, new = recipe_of_run(Path(old).parent), [old]
        say(f"{old} → {Path(new[0]).parent}", stderr=True)
    found = changes(resolved([old], []), resolved([*(new or [old]), *options.config], overrides))
    if options.json:
        print(as_json([{"key": key, "old": change.old, "new": change.new} for key, change in found.items()]))
    elif options.markdown:
        rows = [[key, value_text(change.old), value_text(change.new)] for key, change in found.items()]
        columns = [Column(name, "name") for name in ("key", "old", "new")]
        print_tables([Table(columns, rows)], in_markdown=True)
    else:
        say("\n".join(f"{key}: {described(change)}" for key, change in found.items()) or "no key differs")
    return 0
