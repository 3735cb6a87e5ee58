"""A record goes on where it was, and holds nothing that another tree may have changed."""

from dataclasses import replace
from pathlib import Path

from record import Record, digest
from reporting import Result

KILLED = Result(
    identity="first",
    room="data",
    place="lit_cnn/data/a.py:7",
    line="return a + b",
    kind="arithmetic",
    original="a + b",
    mutant="a - b",
    verdict="killed",
    test="tests/data/test_a.py::test_a",
    seconds=3.0,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    record = Record.read(tmp_path / "build" / "mutants.json", "tree", again=False)
    assert not record.results
    record.seconds["tests/data/test_a.py"] = 2.5
    record.add(KILLED)
    assert Record.read(record.path, "tree", again=False) == record


def test_another_tree_begins_anew_unless_its_survivors_are_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    Record(path, "tree", {"tests/data/test_a.py": 2.5}, {"first": KILLED}).write()
    assert Record.read(path, "other tree", again=False) == Record(path, "other tree")
    assert Record.read(path, "other tree", again=True) == Record(path, "other tree", {}, {"first": KILLED})


def test_open_are_the_new_and_again_the_survivors(tmp_path: Path) -> None:
    survived = replace(KILLED, identity="second", verdict="survived")
    record = Record(tmp_path / "a.json", "tree", {}, {"first": KILLED, "second": survived})
    assert record.open_ones(["first", "second", "third"], again=False) == {"third"}
    assert record.open_ones(["first", "second", "third"], again=True) == {"second", "third"}


def test_the_digest_is_of_names_and_contents() -> None:
    assert digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"})
    assert digest({"a": "1", "b": "2"}) != digest({"a": "2", "b": "1"})
