"""Names in pictures: of characters that can be drawn, short, and different where the names are different."""

import functools
import unicodedata
from collections import Counter
from collections.abc import Sequence

from lit_cnn.printable import printable
from lit_cnn.reports.fonts import font_of


def drawable(text: str) -> str:
    r"""``text`` on one line, with an escape such as ``\u732b`` for what cannot be shown or no installed font has."""
    shown = printable(text)
    if shown.isascii():
        return shown
    return "".join(character if font_of(character) else _escape(character) for character in shown)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def cells(text: str) -> int:
    """Width of ``text`` in narrow characters: those of Chinese, Japanese and Korean and emoji are twice as wide."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def shortened(text: str, length: int) -> str:
    """``text`` as it can be drawn, at most ``length`` cells wide; where it is longer, its middle is an ellipsis."""
    text = drawable(text)
    if cells(text) <= length:
        return text
    tail = (length - 1) // 3
    head = _first(text, length - 1 - tail).rstrip()
    return f"{head}…{_first(text[::-1], tail)[::-1].lstrip()}"


def _first(text: str, width: int) -> str:
    """The longest beginning of at most ``width`` cells."""
    end = 0
    while end < len(text) and cells(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def distinct(names: Sequence[str], length: int) -> list[str]:
    """Each of ``names`` ``shortened``; where two different names became equal, each ends in its place in the list."""
    return list(_distinct(tuple(names), length))


@functools.lru_cache(maxsize=8)
def _distinct(names: tuple[str, ...], length: int) -> tuple[str, ...]:
    short = [shortened(name, length) for name in names]
    count = Counter(dict(zip(names, short, strict=True)).values())
    return tuple(
        text if count[text] == 1 else f"{shortened(name, length - len(f' #{number}'))} #{number}"
        for number, (name, text) in enumerate(zip(names, short, strict=True), start=1)
    )
