"""A claim whose workers are killed has the result of one that nobody kills."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

WORKER = """
import sys
from fake_claim import CLAIM
from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.cli.main import main

CLAIMS[CLAIM.name] = CLAIM
raise SystemExit(main(["reproduce", CLAIM.name, "--folder", "runs", "--results", "results"]))
"""
"""Trains on the digits: four points of a grid, and three seeds of two arms."""
RUNS = 4 + 6


def start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "tests" / "claims")])
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=folder, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": paths})  # fmt: skip


def ended(folder: Path) -> set[Path]:
    """The runs that have written the figures of their last epoch."""
    return {path for path in folder.rglob("metrics.csv") if path.read_text().count("\n") > 2}


def kill_after(folder: Path, count: int) -> None:
    """Start a worker, and kill it as soon as so many runs have figures."""
    with start(folder) as worker:
        while len(ended(folder)) < count:
            time.sleep(0.05)
            assert worker.poll() is None, worker.communicate()[0][-2000:]
        worker.send_signal(signal.SIGKILL)


def result(folder: Path) -> dict[str, Any]:
    """What was measured, without what depends on the clock and the day."""
    content = json.loads((folder / "results" / "depth.cpu.json").read_text())
    for figures in [run["figures"] for run in content["runs"]] + list(content["arms"].values()):
        for name in ("seconds", "log_seconds"):
            figures.pop(name, None)
    return {name: value for name, value in content.items() if name not in ("date", "environment")}


@pytest.mark.slow
def test_a_claim_killed_three_times_and_continued_by_two_workers_has_the_same_result(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    alone = start(whole)
    for count in (2, 5, 8):  # in the grid, at its end, among the seeds
        kill_after(killed, count)
    workers = [start(killed), start(killed)]
    for worker in (alone, *workers):
        said = worker.communicate()[0]
        assert worker.returncode == 0, said[-2000:]
    assert len(ended(killed)) == len(ended(whole)) == RUNS
    assert len(result(whole)["runs"]) == 6
    assert result(killed) == result(whole)
