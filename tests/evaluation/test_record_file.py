"""Files of records are whole after every batch and spare an older file until the end."""

import contextlib
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from lit_cnn.evaluation.record_file import Record, RecordFile

FIRST, SECOND, THIRD = (
    Record([name, number, None], {"name": name, "number": number})
    for number, name in enumerate(["a, b.png", "c\nd.png", 'say "e".png'])
)
COLUMNS = ["name", "number", "note"]


def read(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text())
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.reader(file))


def interrupted(path: Path, *records: Record) -> Path:
    """Where the records are that are written to ``path`` before Ctrl-C."""
    file = RecordFile(path, COLUMNS)
    with contextlib.suppress(KeyboardInterrupt), file:
        file.write(records)
        raise KeyboardInterrupt
    return file.written


@pytest.mark.parametrize("name", ["p.csv", "p.json", "p.jsonl"])
def test_a_file_is_whole_after_every_batch(tmp_path: Path, name: str) -> None:
    header = int(name == "p.csv")
    with RecordFile(tmp_path / name, COLUMNS) as file:
        assert len(read(tmp_path / name)) == header
        for count, batch in ((1, [FIRST]), (1, []), (3, [SECOND, THIRD])):
            file.write(batch)
            assert len(read(tmp_path / name)) == header + count
    assert len(read(tmp_path / name)) == header + 3


def test_csv_has_a_row_and_json_an_object_for_each_record(tmp_path: Path) -> None:
    for name in ("p.csv", "p.json", "p.jsonl"):
        with RecordFile(tmp_path / name, COLUMNS) as file:
            file.write([FIRST])
            file.write([SECOND, THIRD])
        assert file.count == 3
    rows = [["a, b.png", "0", ""], ["c\nd.png", "1", ""], ['say "e".png', "2", ""]]
    assert read(tmp_path / "p.csv") == [COLUMNS, *rows]
    assert read(tmp_path / "p.json") == read(tmp_path / "p.jsonl") == [each.fields for each in (FIRST, SECOND, THIRD)]


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("old")
    written = interrupted(path, FIRST)
    assert path.read_text() == "old"
    assert written == tmp_path / "p.csv.partial"
    assert len(read(written.rename(tmp_path / "q.csv"))) == 2
    with RecordFile(path, COLUMNS) as file:
        file.write([FIRST])
    assert len(read(path)) == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["p.csv", "q.csv"]


def test_a_new_file_keeps_what_was_written_before_an_interruption(tmp_path: Path) -> None:
    assert interrupted(tmp_path / "p.json", FIRST, SECOND) == tmp_path / "p.json"
    assert read(tmp_path / "p.json") == [FIRST.fields, SECOND.fields]


def test_a_name_that_is_not_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    for name in ("p.csv", "p.json"):
        with RecordFile(tmp_path / name, COLUMNS) as file:
            file.write([Record(["caf\udce9.png"], {"name": "caf\udce9.png"})])
    assert b"caf\xe9.png" in (tmp_path / "p.csv").read_bytes()
    assert read(tmp_path / "p.json")[0]["name"] == "caf\udce9.png"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none/p\.csv cannot be written \(No such file"):
        RecordFile(tmp_path / "none" / "p.csv", COLUMNS).__enter__()
    full = Path("/dev/full")
    if full.exists():
        (tmp_path / "p.csv").symlink_to(full)
        file = RecordFile(tmp_path / "p.csv", COLUMNS)
        file.written = file.path
        with pytest.raises(ValueError, match=r"p\.csv cannot be written \(No space left"):
            file.__enter__()
