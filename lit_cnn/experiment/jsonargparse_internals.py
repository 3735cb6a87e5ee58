"""What is read of jsonargparse that it does not document: its list of actions and the English of its messages.

Each expression has a test that makes jsonargparse raise the message it matches.
"""

import argparse
import re
from typing import NamedTuple

from jsonargparse import ArgumentParser

UNKNOWN = (
    re.compile(r"Group '(?P<group>[\w.]+)' does not accept option '(?P<key>[\w.]+)'"),
    re.compile(r"Option '(?P<key>[\w.+-]+)' is not accepted"),
    re.compile(r"unrecognized arguments: -*(?P<key>[\w.+-]+)"),
)
"""How it names a key that it does not know: in a section of a file, outside the sections, on the command line."""
SECTION_VALUE = re.compile(r"Parser key \"(?P<key>[\w.]+)\": Unable to load config [\"'](?P<value>[^\"']*)[\"']")
"""How it says that the value of a section is not the name of a file."""
UNION = re.compile(r"Does not validate .* Errors: - (.*) Given value type: .* Given value:")
"""How it lists what each type of a union expected."""
TYPE = re.compile(r"(?:an? )?(?:<class '([\w.]+)'>|typing\.Literal)")
"""How it writes a type that it expected."""
MISSING = re.compile(r"the following arguments are required: ([\w.]+)")
"""How it names keys without a default that are not stated."""
SECTION_HELP = "Path to a config"
"""How the help begins of the options that read a whole section, or a whole recipe, from a file."""


class Key(NamedTuple):
    """A key of a recipe with its default and meaning, as they are shown."""

    name: str
    default: str
    meaning: str


def keys_of(parser: ArgumentParser) -> list[str]:
    """The dotted name of every key that ``parser`` knows, sections included, but not the options that print a help."""
    return [action.dest for action in parser._actions if not action.dest.endswith(".help")]


def described_keys(parser: ArgumentParser) -> list[Key]:
    """The keys that hold a value of their own and have a meaning to show, in the order of the parser."""
    hidden = (None, argparse.SUPPRESS)
    sections = {action.dest for action in parser._actions if str(action.help).startswith(SECTION_HELP)}
    return [
        Key(action.dest, "" if action.default in hidden else str(action.default), plain_meaning(str(action.help)))
        for action in parser._actions
        if action.dest not in sections and not action.dest.endswith(("help", "config")) and action.help not in hidden
    ]


def plain_meaning(text: str) -> str:
    """A docstring's text on one line, without its backticks and roles such as ``:class:``.

    >>> plain_meaning("the ``rho`` of\\n:class:`~torch.optim.SGD`")
    'the rho of torch.optim.SGD'
    """
    return " ".join(re.sub(r":\w+:`~?([^`]*)`", r"\1", text).replace("`", "").split())


def missing_key(message: str) -> str | None:
    """The first dotted key that ``message`` calls required; None if it says something else."""
    found = MISSING.search(" ".join(message.split()))
    return found[1] if found else None


def unknown_key(message: str) -> str | None:
    """The dotted key that ``message`` calls unknown; None if it says something else."""
    text = " ".join(message.split())
    for pattern in UNKNOWN:
        if found := pattern.search(text):
            parts = [found.groupdict().get("group"), found["key"].lstrip("-")]
            return ".".join(part for part in parts if part)
    return None


def section_given_a_value(message: str) -> tuple[str, str] | None:
    """The section of which ``message`` says that the value given to it names no file, and the value."""
    found = SECTION_VALUE.search(" ".join(message.split()))
    return (found["key"], found["value"]) if found else None


def plain(message: str) -> str:
    """``message`` on one line, in the words of a recipe instead of Python's types."""
    text = UNION.sub(_alternatives, " ".join(message.split()))
    text = TYPE.sub(lambda found: found[1] or "one of ", text)
    return text.replace("Parser key ", "recipe key ").replace(": Expected ", ": expected ")


def _alternatives(union: re.Match) -> str:
    types = " or ".join(error.removeprefix("Expected ") for error in union[1].split(" - "))
    return f"expected {types.replace('NoneType', 'null')}. Got value:"
