"""Names of classes: their order, and what is said of names that are easily confused."""

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def sorted_classes(names: Iterable[str]) -> list[str]:
    """Names in order: by value where all are numbers, else by their characters."""
    listed = sorted(names)
    if all(NUMBER.fullmatch(name) for name in listed):
        listed.sort(key=float)
    return listed


def label_text(value: object) -> str:
    """The name of the class that a value of a table's column stands for; empty where it stands for none.

    A whole number has no decimals: one missing value makes floating-point numbers of a column of integers, and NaN of
    itself.
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def numbered(names: Sequence[str]) -> dict[str, int]:
    """The label of each class."""
    return {name: number for number, name in enumerate(names)}


def require_classes(names: Sequence[str], holder: str) -> None:
    """Refuse a set of one class.

    Raises:
        ValueError: naming it.
    """
    if len(names) == 1:
        raise ValueError(f"{holder} one class only ({names[0]}); classification needs at least two classes")


def require_text(name: str, place: str | os.PathLike[str]) -> None:
    """Refuse a class whose name cannot be written to files and screens.

    Raises:
        ValueError: naming its folder in escaped form.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fspath(place).encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise ValueError(f"the name of the class folder {shown} is not valid UTF-8; rename it") from None


def same_form(name: str) -> str:
    """A name without what is easily overlooked: capitals, blanks, and the two ways of writing an accent."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").split())


def similar_names(names: Iterable[str]) -> list[str]:
    """A sentence for each two names that differ only in ``same_form``, or that are one number: 1 and 1.0."""
    seen: dict[str | Decimal, str] = {}
    notes = []
    for name in names:
        form = same_form(name)
        number = NUMBER.fullmatch(form) is not None
        first = seen.setdefault(Decimal(form) if number else form, name)
        if first != name:
            difference = "are the same number" if number else "differ only in capitals, blanks or accents"
            notes.append(f"the classes {first!r} and {name!r} {difference}; are they one?")
    return notes
