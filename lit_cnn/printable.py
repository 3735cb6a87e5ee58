"""Names that anyone gave to anything, as text that a terminal, a picture or a file of text can show."""

import unicodedata

_SHOWN = {"\u200c", "\u200d"}
"""Format characters that joined scripts and emoji need."""
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's control characters, format characters (such as those that turn the writing's direction), surrogates (bytes
of a file name that are not UTF-8) and line separators."""


def printable(text: str) -> str:
    r"""``text`` on one line: what cannot be shown, or would act on a terminal, becomes an escape such as ``\x1b``.

    Bytes of a file name that are not UTF-8, which Python keeps as lone surrogates, become ``\xe9``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """``printable`` for text of several lines, which stay."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN or character in _SHOWN:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # os.fsdecode
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
