"""A run that is signalled at any moment, with or without workers, saves, says so, and ends the same when continued."""

from pathlib import Path

import pytest
import signal_matrix
from signal_matrix import MOMENTS, SHORT, SIGNALS, signalled


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "target", "workers", "moment"),
    [
        ("SIGINT", "group", 2, "step"),
        ("SIGTERM", "group", 2, "validation"),
        ("SIGUSR1", "group", 2, "checkpoint"),
        ("SIGTERM", "process", 0, "start-up"),
    ],
)
def test_a_row_of_the_matrix_is_as_promised(tmp_path: Path, name: str, target: str, workers: int, moment: str) -> None:
    """The whole table is what ``signal_matrix.py`` beside this prints."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    (whole / "recipe.yaml").write_text(signal_matrix.RECIPE)
    signal_matrix.finish(whole, ("--config", "recipe.yaml", *SHORT))
    row = signalled(parts, name, target, workers, moment, signal_matrix.ends(whole))
    assert (row.code, row.problem) == (SIGNALS[name], "")
    if moment != "start-up":
        assert row.step in MOMENTS[moment].saved
        assert row.equal
