"""What is handed on of this machine: paths become their last part, so that private folders are not named."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

PATTERNS = ("group_by",)
"""Keys whose values are regular expressions, which may begin as a path does."""
_HOME = re.compile(r"~[\w.-]*/")
_INSIDE = re.compile(r"""(?<![\w:/.~\\-])(?:~?/(?:[^/'",\[\]{}]+/)*|[A-Za-z]:\\(?:[^\\'",\[\]{}]+\\)*)""")
"""The folders of an absolute path within a word; those of an address on the web are none."""


def without_folders(value: Any) -> Any:
    r"""A value in which texts that are an absolute path have become its last part; of mappings and lists, each entry.

    >>> without_folders({"path": "/home/me/my flowers", "group_by": r"/(patient\d+)/", "sizes": [32, "1 / 2"]})
    {'path': 'my flowers', 'group_by': '/(patient\\d+)/', 'sizes': [32, '1 / 2']}
    """
    if isinstance(value, Mapping):
        return {key: inner if _is_pattern(str(key)) else without_folders(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_folders(inner) for inner in value]
    return last_part(value) if isinstance(value, str) and _is_absolute(value) else value


def command_without_folders(command: str | Sequence[str]) -> str:
    """A command line, as text or its words, in which absolute paths have become their last part.

    >>> command_without_folders("lit-cnn fit folder --data.path '/home/Jane Doe/flowers' --config=~/a/b.yaml")
    'lit-cnn fit folder --data.path flowers --config=b.yaml'
    """
    words = shlex.split(command) if isinstance(command, str) else list(command)
    kept = []
    for before, word in zip(["", *words], words, strict=False):
        flag, equals, value = word.partition("=") if re.match("--.*=", word) else ("", "", word)
        shown = value if _is_pattern(flag or before) else _value_without_folders(value)
        kept.append(f"{flag}{equals}{shown}")
    return shlex.join(kept)


def last_part(path: str) -> str:
    """The name of what a path leads to."""
    return PureWindowsPath(path).name or path


def _value_without_folders(value: str) -> str:
    """A word, or what a flag is set to: a path as a whole, or a text with paths in it."""
    return last_part(value) if _is_absolute(value) else _INSIDE.sub("", value)


def _is_absolute(text: str) -> bool:
    windows = PureWindowsPath(text).is_absolute()
    return windows or PurePosixPath(text).is_absolute() or _HOME.match(text) is not None


def _is_pattern(key: str) -> bool:
    return key.rpartition(".")[2].lstrip("-") in PATTERNS
