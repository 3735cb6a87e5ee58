"""Parameters and multiply-adds as people write them: in millions."""

import math
import re

UNITS = {"": 1e6, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}
_WRITTEN = re.compile(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kmgb]?)\s*", re.IGNORECASE)
_MOST = 1e6
"""Millions without a unit beyond which the whole number was meant."""


def parse_size(written: float | str) -> float:
    """A number of parameters or multiply-adds: ``6``, ``"6"`` and ``"6M"`` are six million; k, M, G and B are units.

    Raises:
        ValueError: If it is not a positive number, or so large that millions cannot be meant.
    """
    match = _WRITTEN.fullmatch(str(written))
    try:
        number = float(match[1]) if match else math.nan
    except ValueError:
        number = math.nan
    if isinstance(written, bool) or not match or not 0 < number < math.inf:
        raise ValueError(
            f"a size must be a positive number of millions, such as 6 or 6M, or 400k or 1.5G, not {written!r}"
        )
    unit = match[2].lower()
    if not unit and number >= _MOST:
        raise ValueError(f"{written} would be millions: write {number / 1e6:g}M")
    return number * UNITS[unit]


def format_size(size: float) -> str:
    """``6M``, ``410M``, ``1.5G`` or ``400k``: four digits and a unit that :func:`parse_size` reads."""
    unit = "G" if size >= 1e9 else "M" if size >= 1e6 else "k"
    return f"{size / UNITS[unit.lower()]:.4g}{unit}"
