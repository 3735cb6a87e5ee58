"""Which installed fonts have which characters: Matplotlib's own lacks Chinese, Japanese, Korean and most emoji."""

import functools
from collections.abc import Iterable

from matplotlib import font_manager

PREFERRED = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR",
             "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic",
             "Malgun Gothic", "Arial Unicode MS", "Droid Sans Fallback", "Noto Emoji", "Symbola")  # fmt: skip
"""Fonts that are asked first for characters that the picture's own lacks; then any other installed one."""
OWN = "DejaVu Sans"
"""Comes with Matplotlib and is what pictures are written in."""
_UNFIT = ("Last Resort", "STIX", "DejaVu", "cm")
"""How the names of fonts begin that draw a box for every character, or that are for formulas."""


@functools.cache
def _characters(path: str) -> frozenset[int]:
    """The code points that a font file has glyphs for; none where Matplotlib cannot draw it, as with color emoji."""
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@functools.cache
def _others() -> tuple[tuple[str, str], ...]:
    """(name, file) of the installed fonts besides Matplotlib's, the preferred first, each name once."""
    files = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist if not entry.name.startswith(_UNFIT)}
    first = [name for name in PREFERRED if name in files]
    return tuple((name, files[name]) for name in (*first, *sorted(files.keys() - set(first))))


@functools.cache
def font_of(character: str) -> str | None:
    """The first font that has a character; None where no installed font does."""
    if ord(character) in _characters(font_manager.findfont(OWN)):
        return OWN
    return next((name for name, path in _others() if ord(character) in _characters(path)), None)


def fonts_for(characters: Iterable[str]) -> list[str]:
    """The fonts that together have these characters, Matplotlib's own first."""
    return list(dict.fromkeys([OWN, *(font for font in map(font_of, sorted(set(characters))) if font)]))
