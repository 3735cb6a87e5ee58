"""Rows of stages as one line of text: ``;`` between the rows, of each a block's name and its numbers behind letters.

``mbconv e6 k3 s2 c24 n2 se0.25; identity s2 c64 n1``: what the letters mean depends on who reads them.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_VALUE = re.compile(r"([a-z]+)=?([a-z]+|\d+(?:\.\d+)?)")


class Letters(NamedTuple):
    """What stands in a block's row."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


class TextRow(NamedTuple):
    """One row: the block's name, and the text behind each letter."""

    block: str
    values: dict[str, str]


def split_rows(text: str, blocks: Mapping[str, Letters]) -> list[TextRow]:
    """The rows of a text.

    Args:
        text: Such as ``plain c16 n2; residual c32 s2 n3``.
        blocks: The letters that each block takes.

    Raises:
        ValueError: If a block or a letter is unknown, naming the nearest, is there twice or is missing.
    """
    return [_split_row(number, row.split(), blocks) for number, row in enumerate(text.split(";"), start=1)]


def _split_row(number: int, words: list[str], blocks: Mapping[str, Letters]) -> TextRow:
    block = words[0] if words else ""
    if block not in blocks:
        raise ValueError(f"stage {number} has the unknown block {block!r}; {_hint(block, blocks)}")
    letters = (*blocks[block].required, *blocks[block].optional)
    values: dict[str, str] = {}
    for word in words[1:]:
        found = _VALUE.fullmatch(word)
        letter = found.group(1) if found else word
        if found is None or letter not in letters:
            raise ValueError(f"stage {number} ({block}) has the unknown setting {word!r}; {_hint(letter, letters)}")
        if letter in values:
            raise ValueError(f"stage {number} ({block}) has {letter} twice: leave one out")
        values[letter] = found.group(2)
    missing = [letter for letter in blocks[block].required if letter not in values]
    if missing:
        raise ValueError(f"stage {number} ({block}) needs {missing[0]} and a number, such as {missing[0]}3")
    return TextRow(block, values)


def _hint(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"


def whole_number(number: int, row: TextRow, letter: str, default: int = 1) -> int:
    """The whole number behind a letter.

    Raises:
        ValueError: If it is below 1 or not whole.
    """
    value = row.values.get(letter, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(
            f"stage {number} ({row.block}) must have a whole number of at least 1 behind {letter}, got {value}"
        )
    return int(value)
