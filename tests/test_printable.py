"""Names of any characters as text that can be shown."""

import os

import pytest

from lit_cnn.printable import printable, printable_lines


@pytest.mark.parametrize(
    "text", ["cat", "[red]", "$x^{$", "naïve", "猫", "עברית", " leading", "a'b\"c", "👩‍🔬", "C:\\new"]
)
def test_what_can_be_shown_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines", r"two\nlines"),
        ("tab\there", r"tab\there"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07", r"bell\x07"),
        ("c1\x9b1m", r"c1\x9b1m"),
        ("exe\u202egpj", r"exe\u202egpj"),
        ("\ufeffcat", r"\ufeffcat"),
        ("a\u2028b", r"a\u2028b"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
        ("\ud83d", r"\ud83d"),
    ],
)
def test_what_would_act_or_cannot_be_shown_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert shown.encode("ascii").isascii()


def test_lines_of_a_text_stay() -> None:
    assert printable_lines("a\n\x1bb\n") == "a\n\\x1bb\n"
