"""A command run to its end: elapsed and processor time, with that of the processes it has waited for."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Taken(NamedTuple):
    """Seconds of a command, its largest resident memory in bytes, and what it printed."""

    processor: float
    wall: float
    memory: int
    output: str


def run_command(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Taken:
    """Run ``command`` in ``folder`` with ``environment`` over this process's own.

    Raises:
        RuntimeError: If it fails, with what it printed.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said)
    return Taken(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss * 1024, said)
