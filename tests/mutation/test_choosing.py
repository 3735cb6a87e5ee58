"""The draw: the same for the same seed, fair to rooms and files, and only changes of what is executed."""

from collections import Counter
from random import Random

import pytest
from choosing import choose, draw, room_of, shares

LINES = "\n".join(f"a{index} = b{index} + c" for index in range(9))
SOURCES = {
    "lit_cnn/__init__.py": LINES,
    "lit_cnn/randomness.py": LINES,
    "lit_cnn/data/long.py": "\n".join([LINES] * 30),
    "lit_cnn/data/short.py": LINES,
    "lit_cnn/training/callbacks/ema.py": LINES,
}


def test_rooms_are_folders_and_the_files_beside_them() -> None:
    assert room_of("lit_cnn/training/callbacks/ema.py") == "training/callbacks"
    assert room_of("lit_cnn/training/__init__.py") == "training"
    assert room_of("lit_cnn/randomness.py") == "randomness.py"
    assert room_of("lit_cnn/__init__.py") is None


def test_shares_give_every_room_some_and_large_rooms_more() -> None:
    given = shares({"small": 9, "middle": 100, "large": 900}, 40)
    assert sum(given.values()) == 40
    assert 2 <= given["small"] < given["middle"] < given["large"] < 30
    assert shares({"small": 3, "large": 900}, 40)["small"] <= 3


def test_files_take_turns() -> None:
    places = draw({"a": {1: [], 2: []}, "b": {line: [] for line in range(90)}, "c": {5: []}}, 7, Random(0))
    assert Counter(file for file, _ in places) == {"a": 2, "b": 4, "c": 1}
    assert len(set(places)) == 7


def test_the_seed_decides() -> None:
    chosen = choose(SOURCES, 12, 0)
    assert chosen == choose(SOURCES, 12, 0)
    assert chosen != choose(SOURCES, 12, 1)
    assert {room_of(file) for file, _ in chosen} == {"data", "randomness.py", "training/callbacks"}


@pytest.mark.parametrize("only", ["data", "lit_cnn/data/short.py"])
def test_one_room_or_file_gets_all(only: str) -> None:
    files = [file for file, _ in choose(SOURCES, 6, 0, only)]
    assert len(files) == 6
    assert all(only in (file, room_of(file)) for file in files)


def test_an_unknown_room_is_named() -> None:
    with pytest.raises(ValueError, match="kitchen"):
        choose(SOURCES, 6, 0, "kitchen")


def test_changes_that_compile_to_the_same_are_not_chosen() -> None:
    chosen = [choose({"lit_cnn/randomness.py": "a = 0 * 5"}, 1, seed) for seed in range(20)]
    assert {mutant.mutant for ((_, mutant),) in chosen} == {"1", "0 / 5"}  # 0 * 6 would be the same
