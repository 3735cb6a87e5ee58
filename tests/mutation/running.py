"""Runs tests on mutants in copies of the project, so that the project itself is never changed."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

MEMORY = 8 * 2**30
"""Bytes of data that a process of the tests may have (Linux), so that a mutant cannot fill the machine."""
NO_TESTS = 5
"""Pytest's exit code when all tests are slow."""
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]


@dataclass(frozen=True)
class Outcome:
    """``verdict`` is killed, timeout or survived; ``test`` is the test that failed, if one did."""

    verdict: str
    test: str
    seconds: float


def project_files(root: Path) -> list[str]:
    """What git tracks and what it would track, as paths from the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return [file for file in sorted(set(listed)) if (root / file).is_file()]


class Copies:
    """Copies of the project, one for each mutant that is tried at the same time.

    Args:
        root: The project.
        folder: Where the copies go.
        number: How many.
    """

    def __init__(self, root: Path, folder: Path, number: int) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False
        for index in range(number):
            for file in project_files(root):
                target = folder / str(index) / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / file, target)
            self._free.put(folder / str(index))

    def measure(self, tests: Sequence[str], processes: int) -> tuple[dict[str, float], str]:
        """Seconds of each test file without any mutant, 0 for a file with slow tests only, and what went wrong.

        Where a test fails the second is pytest's output, and files that did not pass have no time.
        """
        copy = self._free.get()
        report = copy.parent / "report.xml"
        spread = ["--numprocesses", str(processes), "--dist", "loadfile"] if processes > 1 else []
        command = [*PYTEST, *spread, "-o", "junit_family=xunit1", f"--junitxml={report}", *tests]
        code, output = self._run(command, copy, None)
        self._free.put(copy)
        seconds, failed = dict.fromkeys(tests, 0.0), set()
        for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
            file = case.get("file", "")  # a file that cannot be imported is not named
            seconds[file] = seconds.get(file, 0.0) + max(float(case.attrib["time"]), 0.001)
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add(file)
        if code in (0, NO_TESTS):
            return seconds, ""
        return {file: spent for file, spent in seconds.items() if spent and file not in failed}, output[-3000:]

    def try_mutant(self, file: str, source: str, tests: Sequence[str], timeout: float) -> Outcome:
        """The outcome of the tests when ``file`` reads ``source``."""
        copy, begin = self._free.get(), time.monotonic()
        original = (copy / file).read_text()
        try:
            (copy / file).write_text(source)
            code, output = self._run([*PYTEST, "-x", *tests], copy, timeout)
        finally:
            (copy / file).write_text(original)
            self._free.put(copy)
        seconds = round(time.monotonic() - begin, 1)
        if code is None:
            return Outcome("timeout", "", seconds)
        return Outcome("survived" if code == 0 else "killed", failed_test(output) if code else "", seconds)

    def stop(self) -> None:
        """End what runs, and let nothing new begin."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                os.killpg(process.pid, signal.SIGKILL)

    def _run(self, command: Sequence[str], copy: Path, timeout: float | None) -> tuple[int | None, str]:
        """Exit code (None after the timeout) and output of a command and of the processes it starts."""
        # Equal size and equal second would let Python take the compiled file of another mutant, so none is written.
        environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        with self._lock:
            if self._stopped:
                return None, ""
            process = subprocess.Popen(
                command,
                cwd=copy,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            self._running.add(process)
        if sys.platform == "linux":
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        with process:
            try:
                output, _ = process.communicate(timeout=timeout)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                return None, ""
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                with self._lock:
                    self._running.remove(process)


def failed_test(output: str) -> str:
    """The test that pytest names as failed, or the file that could not be imported; "?" if pytest itself died."""
    named = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE)
    return named[1] if named else "?"
