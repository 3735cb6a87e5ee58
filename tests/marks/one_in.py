"""A share of a long table for every run of the tests; the slow ones take the rest."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(step: int, values: Iterable[Any]) -> list[Any]:
    """Parameters of a test, of which the first and each ``step``-th behind it are fast and all others slow."""
    return [
        pytest.param(value, marks=pytest.mark.slow) if place % step else value for place, value in enumerate(values)
    ]
