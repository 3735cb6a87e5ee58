"""Choice of a row of a paper's table."""

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")
Row = TypeVar("Row")


def find_row(table: Mapping[Key, Row], key: Key, what: str) -> Row:
    """The row of ``key``.

    Args:
        table: Rows of the paper, by depth or by name of the variant.
        key: The one wanted.
        what: What ``key`` is, for the message, such as "a ResNet's depth".

    Raises:
        ValueError: If the paper has no such row.
    """
    if key not in table:
        raise ValueError(f"{what} must be one of {', '.join(str(known) for known in table)}, got {key}")
    return table[key]
