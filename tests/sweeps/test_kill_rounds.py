"""Killed workers lose nothing; ``kill_rounds.py`` tries many more rounds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_two_workers_killed_at_random_times_lose_nothing_and_run_nothing_twice(tmp_path: Path) -> None:
    """In a process of its own, since the workers are forked from one that has started no threads."""
    program = [sys.executable, str(Path(__file__).parent / "kill_rounds.py"), str(tmp_path), "--rounds", "2"]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    total = json.loads(done.stdout.splitlines()[-1])
    assert total["rounds"] == 2
    assert not any(total[name] for name in ("lost", "run twice", "steps twice", "other metrics"))
