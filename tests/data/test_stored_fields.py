from dataclasses import dataclass

import pytest

from lit_cnn.data.stored_fields import from_stored, to_stored


@dataclass(frozen=True)
class Plain:
    sides: tuple[int, int]
    name: str = "full"
    fill: tuple[int, ...] | None = None


def test_tuples_are_stored_as_lists_and_come_back() -> None:
    value = Plain((3, 4), fill=(1, 2, 3))
    stored = to_stored(value)
    assert stored == {"sides": [3, 4], "name": "full", "fill": [1, 2, 3]}
    assert from_stored(Plain, stored, "it") == value


def test_entries_with_a_default_may_be_missing() -> None:
    assert from_stored(Plain, {"sides": [3, 4]}, "it") == Plain((3, 4))


def test_missing_and_unknown_entries_are_named_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^the box has missing or unknown entries \(sides, size\); it needs \['sides"):
        from_stored(Plain, {"size": 3}, "the box")
