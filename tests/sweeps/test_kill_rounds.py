"""Killed workers lose nothing; ``kill_rounds.py`` tries many more rounds."""

import random
from pathlib import Path

import kill_rounds
import pytest


@pytest.mark.slow
def test_two_workers_killed_at_random_times_lose_nothing_and_run_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(kill_rounds.BASE)
    (tmp_path / "space.yaml").write_text(kill_rounds.SPACE)
    expected = kill_rounds.whole_runs(tmp_path / "whole")
    assert len(expected) == kill_rounds.POINTS
    for number in range(2):
        folder = tmp_path / f"round{number}"
        kill_rounds.run_round(folder, random.Random(number), database=number == 1)
        found = kill_rounds.findings(folder, expected)
        wrong = {name: found[name] for name in ("lost", "run twice", "steps twice", "other metrics")}
        assert not any(wrong.values()), wrong
