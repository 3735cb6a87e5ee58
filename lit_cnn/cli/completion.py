"""``lit-cnn completion SHELL``: prints what lets the tab key complete commands, flags, recipes and architectures.

eval "$(lit-cnn completion bash)"                            in ~/.bashrc
lit-cnn completion zsh > ~/.zfunc/_lit-cnn                   a folder of zsh's fpath
lit-cnn completion fish > ~/.config/fish/completions/lit-cnn.fish
"""

import argparse
import importlib
import re
from collections.abc import Mapping
from pathlib import Path

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import say

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
RECIPES = {"config", "recipe", "recipes"}
ARCHITECTURES = {"names", "name", "pattern", "patterns"}
"""Arguments that take names of these."""
ENTRY = re.compile(r'^    Entry\("([^"]+)"', re.MULTILINE)
"""A row of the catalog, which is read as text: importing it would import torch at every press of the key."""


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn completion", __doc__, example='eval "$(lit-cnn completion bash)"')
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("shell", nargs="?", choices=SHELLS, help="whose script is printed")
    what.add_argument("--words", choices=("recipes", "architectures"), help="print the names that are completed, alone")
    return parser


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    if options.words:
        say("\n".join(recipes() if options.words == "recipes" else architectures()))
        return 0
    import shtab

    from lit_cnn.cli.main import COMMANDS

    print(shtab.complete(whole_parser(COMMANDS), options.shell))
    return 0


def recipes() -> list[str]:
    """Names of the recipes, and the YAML files of the working folder."""
    from lit_cnn.experiment.files import KINDS, SEARCHES, list_recipes, recipe_id

    named = [recipe_id(file) for kind in (*KINDS, SEARCHES) for file in list_recipes(kind)]
    return [*named, *sorted(file.name for file in Path().glob("*.yaml"))]


def architectures() -> list[str]:
    """Names of the catalog, in its order."""
    catalog = Path(__file__).parents[1] / "architectures" / "catalog.py"
    return ENTRY.findall(catalog.read_text(encoding="utf-8"))


def whole_parser(commands: Mapping[str, tuple[str, str]]) -> argparse.ArgumentParser:
    """One parser of all commands.

    Args:
        commands: Command -> module with its parser, and one line of help.
    """
    whole = argparse.ArgumentParser(prog="lit-cnn")
    every = whole.add_subparsers()
    for name, (module, text) in commands.items():
        make = importlib.import_module(module).make_parser
        parser = make(name) if name in ("validate", "test") else make()
        if name in ("fit", "models"):  # they take their first words apart themselves
            parser.add_argument("recipe" if name == "fit" else "name", nargs="?", help="a name")
        add_completers(parser, name)
        every.add_parser(name, help=text, parents=[parser], add_help=False)
    return whole


def add_completers(parser: CommandParser, command: str) -> None:
    """Say of every argument of a command and of its parts what completes it: names, or else files."""
    import shtab

    for argument in parser.arguments:
        words = None
        if argument.dest in RECIPES or (command == "recipes" and argument.dest == "pattern"):
            words = "recipes"
        elif argument.dest in ARCHITECTURES:
            words = "architectures"
        found = shtab.cmd(f"lit-cnn completion --words {words} 2>/dev/null") if words else shtab.FILE
        if argument.nargs != 0 and argument.choices is None:
            argument.complete = found  # type: ignore[attr-defined]
    for part in parser.parts.values():
        add_completers(part, command)
