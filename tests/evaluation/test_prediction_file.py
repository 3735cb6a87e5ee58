"""Files of predictions are whole after every batch and spare an older file until the end."""

import contextlib
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from lit_cnn.evaluation.predict import Prediction
from lit_cnn.evaluation.prediction_file import PredictionFile, answer

SURE = Prediction("a, b.png", ["cat", "dog"], [0.9, 0.1])
UNSURE = Prediction("c.png", ["dog", "cat"], [0.6, 0.4])
BROKEN = Prediction("d.png", [], [], "d.png cannot be read")


def read(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text())
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.reader(file))


def interrupted(path: Path, *predictions: Prediction) -> Path:
    """Where the predictions are that are written to ``path`` before Ctrl-C."""
    file = PredictionFile(path, 2)
    with contextlib.suppress(KeyboardInterrupt), file:
        file.write(predictions)
        raise KeyboardInterrupt
    return file.written


@pytest.mark.parametrize("name", ["p.csv", "p.json", "p.jsonl"])
def test_a_file_is_whole_after_every_batch(tmp_path: Path, name: str) -> None:
    header = int(name == "p.csv")
    with PredictionFile(tmp_path / name, 2) as file:
        assert len(read(tmp_path / name)) == header
        for count, batch in ((1, [SURE]), (1, []), (3, [UNSURE, BROKEN])):
            file.write(batch)
            assert len(read(tmp_path / name)) == header + count
    assert len(read(tmp_path / name)) == header + 3


def test_csv_has_a_row_for_each_file_and_a_reason_for_a_broken_one(tmp_path: Path) -> None:
    with PredictionFile(tmp_path / "p.csv", 2) as file:
        file.write([SURE, BROKEN])
    assert read(tmp_path / "p.csv") == [
        ["file", "class1", "probability1", "class2", "probability2", "error"],
        ["a, b.png", "cat", "0.9", "dog", "0.1", ""],
        ["d.png", "", "", "", "", "d.png cannot be read"],
    ]


@pytest.mark.parametrize("name", ["p.json", "p.jsonl"])
def test_json_holds_the_same(tmp_path: Path, name: str) -> None:
    with PredictionFile(tmp_path / name, 2) as file:
        file.write([SURE])
        file.write([BROKEN])
    assert read(tmp_path / name) == [
        {"file": "a, b.png", "classes": ["cat", "dog"], "probabilities": [0.9, 0.1], "error": None},
        {"file": "d.png", "classes": [], "probabilities": [], "error": "d.png cannot be read"},
    ]


def test_an_answer_is_given_from_the_least_probability_on(tmp_path: Path) -> None:
    assert [answer(each, 0.6) for each in (SURE, UNSURE, BROKEN)] == ["cat", "dog", None]
    assert [answer(each, 0.61) for each in (SURE, UNSURE, BROKEN)] == ["cat", None, None]
    for name in ("p.csv", "p.json"):
        with PredictionFile(tmp_path / name, 2, 0.61) as file:
            file.write([SURE, UNSURE, BROKEN])
    assert [row[-2] for row in read(tmp_path / "p.csv")] == ["answer", "cat", "", ""]
    assert [row["answer"] for row in read(tmp_path / "p.json")] == ["cat", None, None]


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("old")
    written = interrupted(path, SURE)
    assert path.read_text() == "old"
    assert written == tmp_path / "p.csv.partial"
    assert len(read(written.rename(tmp_path / "q.csv"))) == 2
    with PredictionFile(path, 2) as file:
        file.write([SURE])
    assert len(read(path)) == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["p.csv", "q.csv"]


def test_a_new_file_keeps_what_was_predicted_before_an_interruption(tmp_path: Path) -> None:
    assert interrupted(tmp_path / "p.json", SURE, UNSURE) == tmp_path / "p.json"
    assert [row["file"] for row in read(tmp_path / "p.json")] == ["a, b.png", "c.png"]


def test_a_name_that_is_not_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    for name in ("p.csv", "p.json"):
        with PredictionFile(tmp_path / name, 1) as file:
            file.write([Prediction("caf\udce9.png", ["cat"], [1.0])])
    assert b"caf\xe9.png" in (tmp_path / "p.csv").read_bytes()
    assert read(tmp_path / "p.json")[0]["file"] == "caf\udce9.png"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none/p\.csv cannot be written \(No such file"):
        PredictionFile(tmp_path / "none" / "p.csv", 2).__enter__()
    full = Path("/dev/full")
    if full.exists():
        (tmp_path / "p.csv").symlink_to(full)
        file = PredictionFile(tmp_path / "p.csv", 2)
        file.written = file.path
        with pytest.raises(ValueError, match=r"p\.csv cannot be written \(No space left"):
            file.__enter__()
