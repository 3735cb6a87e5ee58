"""trials.csv."""

import csv
from pathlib import Path

from lit_cnn.sweeps.results import TrialResult, write_trials


def test_one_line_per_trial_and_empty_cells_for_what_is_not_known(tmp_path: Path) -> None:
    rows = [
        TrialResult(2, "complete", 0.5, {"a.b": 1, "c": "[0.9, 0.99]"}, 3.5, "runs/x"),
        TrialResult(1, "failed", None, {"a.b": 2}, error="out of memory, again"),
    ]
    with write_trials(rows, ["a.b", "c"], tmp_path / "trials.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["trial"], first["state"], first["value"], first["seconds"]) == ("2", "complete", "0.5", "3.5")
    assert (first["a.b"], first["c"], first["run"], first["error"]) == ("1", "[0.9, 0.99]", "runs/x", "")
    assert (second["value"], second["c"], second["error"]) == ("", "", "out of memory, again")
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_seeds_and_rungs_have_columns_where_there_are_any(tmp_path: Path) -> None:
    rows = [
        TrialResult(2, "complete", 0.5, {"a": 1}, sd=0.1, n=2, trained=9),
        TrialResult(1, "pruned", 0.25, {"a": 2}, n=1, trained=3),
    ]
    with write_trials(rows, ["a"], tmp_path / "trials.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["trial", "state", "value", "sd", "n", "trained", "a", "seconds", "run", "error"]
    assert [line[3:6] for line in lines[1:]] == [["0.1", "2", "9"], ["", "1", "3"]]
