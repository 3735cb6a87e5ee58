"""benchmarks/gpu.py in miniature on the CPU: every part runs, and a part that fails leaves the others their rows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ["waits", "precisions", "resume", "accuracy", "networks"]


def run(folder: Path, *words: str) -> dict[str, Any]:
    """What the program writes into its JSON file."""
    command = [sys.executable, str(ROOT / "benchmarks/gpu.py"), "--device", "cpu", "--smoke", "--out", "found", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    table = (folder / "found.md").read_text()
    found = json.loads((folder / "found.json").read_text())
    assert all(f"| {part} | {what} | {figures} |" in table for part, what, figures in found["rows"])
    return found


@pytest.mark.slow
def test_every_part_runs(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    found = run(tmp_path, "--part-seconds", "900")
    assert list(dict.fromkeys(row[0] for row in found["rows"])) == PARTS
    assert not [row for row in found["rows"] if row[1] == "failed"]
    assert ["resume", "stopped in step 2", "bits equal to a whole run"] in found["rows"]
    assert sum(row[0] == "networks" for row in found["rows"]) == 8
    assert {"date", "torch", "python", "device"} <= set(found)


@pytest.mark.slow
def test_a_part_that_takes_too_long_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    rows = run(tmp_path, "--part-seconds", "0.01")["rows"]
    assert [row[:2] for row in rows] == [[part, "failed"] for part in PARTS]
    assert all("not done within 0.01 s" in row[2] for row in rows)
