"""A run that is killed and continued ends as if nothing had happened; ``torture.py`` beside this kills it 25 times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_run_killed_three_times_ends_bit_equal() -> None:
    script = Path(__file__).with_name("torture.py")
    command = [sys.executable, str(script), "--kills", "3", "--seed", "1"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=900, check=True).stdout
    result = json.loads(out.splitlines()[-1])
    assert result["kills"] == 3
    assert result["equal"]
