"""A share of a long table for every run of the tests; the slow ones take the rest."""

from collections.abc import Iterable
from typing import Any

import pytest

MARKED = type(pytest.param())


def one_in(step: int, values: Iterable[Any]) -> list[Any]:
    """Parameters of a test, of which the first and each ``step``-th behind it are fast and all others slow.

    A tuple holds the values of a test with several parameters, and what ``pytest.param`` has marked stays as it is.
    """
    return [slow(value) if place % step else value for place, value in enumerate(values)]


def slow(value: Any) -> Any:
    """One of the parameters, for the slow tests alone."""
    if isinstance(value, MARKED):
        return value
    row = value if isinstance(value, tuple) else (value,)
    return pytest.param(*row, marks=pytest.mark.slow)
