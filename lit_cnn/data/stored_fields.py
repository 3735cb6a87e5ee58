"""A frozen dataclass of plain values as a checkpoint stores it, and back."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any, TypeVar

Stored = TypeVar("Stored")


def to_stored(value: Any) -> dict[str, Any]:
    """The fields of a dataclass in built-in types only (lists instead of tuples), ready for a checkpoint or JSON."""
    return {name: list(inner) if isinstance(inner, tuple) else inner for name, inner in asdict(value).items()}


def from_stored(kind: type[Stored], values: Mapping[str, Any], what: str) -> Stored:
    """Undo ``to_stored``.

    Args:
        kind: The dataclass.
        values: As they were stored.
        what: What the checkpoint holds them as, for the sentence.

    Raises:
        ValueError: If a key without a default is missing, or a key is unknown.
    """
    known = fields(kind)  # type: ignore[arg-type]
    needed = {field.name for field in known if field.default is MISSING}
    if wrong := sorted((set(values) - {field.name for field in known}) | (needed - set(values))):
        raise ValueError(f"{what} has missing or unknown entries ({', '.join(wrong)}); it needs {sorted(needed)}")
    return kind(**{name: tuple(inner) if isinstance(inner, list) else inner for name, inner in values.items()})
