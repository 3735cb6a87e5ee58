"""Locks that tell the living from the dead."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from lit_cnn.sweeps.locks import held, is_held, take


def test_a_lock_is_held_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    descriptor = take(path)
    assert descriptor is not None
    assert is_held(path)
    assert take(path) is None
    os.close(descriptor)
    assert not is_held(path)
    with held(path):
        assert is_held(path)
    assert not is_held(path)


def test_a_passed_lock_outlives_the_passing_and_ends_with_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = take(path)
    assert descriptor is not None
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"], pass_fds=(descriptor,))
    os.close(descriptor)
    assert is_held(path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not is_held(path)
