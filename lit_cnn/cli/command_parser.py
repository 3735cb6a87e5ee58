"""The parser of a command's arguments: its help shows an example, its errors name the flag that was meant."""

import argparse
import difflib
import itertools
import re
import shutil
import textwrap
from typing import Any

from lit_cnn.experiment.files import find_recipe


class CommandParser(argparse.ArgumentParser):
    """argparse's parser.

    Args:
        prog: The command, such as ``lit-cnn validate``.
        description: What it does; a module's docstring, whose double backticks the help leaves out.
        example: One command that people run.
        epilog: What else the help says at its end.
        options: Of argparse.

    Attributes:
        arguments: Those that were added, except in groups.
        parts: Name -> parser of the command's parts, such as show.
    """

    def __init__(self, prog: str, description: str | None, *, example: str = "", epilog: str = "", **options: Any):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)
        ending = "\n\n".join(part for part in (filled(epilog), example and f"example: {example}") if part)
        self.arguments: list[argparse.Action] = []
        self.parts: dict[str, CommandParser] = {}
        super().__init__(prog=prog, description=filled(description or ""), epilog=ending, **options)

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        self.arguments.append(super().add_argument(*names, **options))
        return self.arguments[-1]

    def add_subparsers(self, **options: Any) -> Any:
        action = super().add_subparsers(**options)
        self.parts = action.choices
        return action

    def error(self, message: str) -> Any:
        """Argparse's answer, with the nearest of the flags after an unknown one."""
        unknown = re.search(r"unrecognized arguments: (--?[\w-]+)", message)
        flags = re.findall(r"--[\w-]+", self.format_help()) if unknown else []
        near = difflib.get_close_matches(unknown[1], flags, n=1) if unknown else []
        super().error(f"{message}; did you mean {near[0]}?" if near else message)


def recipes_first(arguments: list[str]) -> list[str]:
    """The words before the first flag, which name recipes, as ``--config`` flags."""
    names = list(itertools.takewhile(lambda word: not word.startswith("-") or word == "-", arguments))
    return [*(word for name in names for word in ("--config", name)), *arguments[len(names) :]]


def require_recipe(words: list[str], command: str) -> None:
    """Refuse a command line without a recipe, or with one that does not exist, before anything slow is imported.

    Raises:
        ValueError: Saying how a recipe is named, or naming the nearest.
    """
    names = [name for flag, name in itertools.pairwise(words) if flag in ("-c", "--config")]
    names += [word.partition("=")[2] for word in words if word.startswith("--config=")]
    for name in names:
        find_recipe(name)
    if not names and not any(word.startswith("--model.architecture") for word in words):
        raise ValueError(f"name a recipe, such as {command} quickstart; `lit-cnn recipes` lists them")


def filled(text: str) -> str:
    """Paragraphs wrapped to the terminal's width, those with indented lines as they are, without double backticks."""
    width = max(shutil.get_terminal_size().columns - 2, 40)
    paragraphs = re.split(r"\n\s*\n", text.replace("``", "").strip("\n"))
    return "\n\n".join(
        part
        if re.search(r"^ ", part, re.MULTILINE)
        else textwrap.fill(" ".join(part.split()), width, break_on_hyphens=False)
        for part in paragraphs
    )
