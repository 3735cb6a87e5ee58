"""Names that folders and files have and that break what does not expect them."""

import os

LONG = "a" * 99 + "{}" + "b" * 100
SHOWN_AS_THEY_ARE = [
    "[red]",
    "tube [open]",
    "tube [closed]",
    "[/]",
    ":smile:",
    "$x^{$",
    "$5 and $10",
    "a_b^c\\d",
    "a\\$b",
    "a | b",
    " leading",
    "a'b\"c",
    "猫",
    "naïve",
    "עברית",
    "😀",
    LONG.format("x"),
    LONG.format("y"),
]
"""Of text that can be shown."""
ESCAPED = {
    "two\nlines": r"two\nlines",
    "\x1b[31mred\x1b[0m": r"\x1b[31mred\x1b[0m",
    "exe\u202egpj": r"exe\u202egpj",
    os.fsdecode(b"caf\xe9"): r"caf\xe9",
}
"""Of characters that act or cannot be shown -> how they are shown."""
NASTY = [*SHOWN_AS_THEY_ARE, *ESCAPED]
