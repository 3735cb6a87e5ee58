"""A recipe as YAML whose keys say why they have their values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from lit_cnn.experiment.identity import nested

WIDTH = 110
"""Columns up to which a reason stands behind its key; a longer one stands above it."""


class Stated(NamedTuple):
    """A key of a recipe.

    Args:
        key: Dotted, such as data.batch_size.
        value: Of built-in types.
        why: The reason, on one line.
    """

    key: str
    value: Any
    why: str = ""


def recipe_text(header: Sequence[str], stated: Sequence[Stated]) -> str:
    """YAML with ``header`` as comments above it; of a key that is stated twice the last counts."""
    rows = nested({each.key: each for each in stated})
    return "".join(f"# {line}\n" for line in header) + "\n".join(_lines(rows, 0)) + "\n"


def values_of(stated: Sequence[Stated]) -> dict[str, Any]:
    """The recipe as nested mappings."""
    return nested({each.key: each.value for each in stated})


def _lines(rows: Mapping[str, Any], depth: int) -> list[str]:
    found = []
    for name, row in rows.items():
        if isinstance(row, Stated):
            found += _with_reason(f"{'  ' * depth}{name}: {flow(row.value)}", row.why, depth)
        else:
            found += [f"{'  ' * depth}{name}:", *_lines(row, depth + 1)]
    return found


def _with_reason(line: str, why: str, depth: int) -> list[str]:
    if not why:
        return [line]
    short = f"{line}  # {why}"
    return [short] if len(short) <= WIDTH else [f"{'  ' * depth}# {why}", line]


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n").strip()
