"""One trial of a sweep: ``lit-cnn fit`` in a process of its own, continued where an earlier one stopped."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from lit_cnn.run_folder.checkpoint import LAST, PREVIOUS
from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.sweeps.locks import take
from lit_cnn.sweeps.space import Space

LOG = "fit.log"
OWNER_LOCK = ".sweep.lock"
"""Held by the sweep that runs a trial: distinguishes a running trial from one whose sweep has died."""
FIT_LOCK = ".fit.lock"
"""Held by the fit itself, which may outlive its sweep."""


class StopSignals:
    """Notes SIGINT and SIGTERM within a block instead of raising; ``number`` is the first one."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number


@dataclass(frozen=True)
class Fit:
    """How trials are started.

    Args:
        recipe: File of the resolved recipe that all trials share.
        arguments: Further arguments of every trial.
        command: The program.
    """

    recipe: Path
    arguments: Sequence[str] = ()
    command: Sequence[str] = (sys.executable, "-m", "lit_cnn", "fit")

    def command_line(self, run_dir: Path, overrides: Sequence[str]) -> list[str]:
        """The command that starts a trial, or continues it if its folder holds a checkpoint."""
        if any((run_dir / "checkpoints" / name).is_file() for name in (LAST, PREVIOUS)):
            return [*self.command, "--resume", str(run_dir), *self.arguments]
        return [*self.command, "--config", str(self.recipe), *self.arguments, *overrides]

    def run(self, run_dir: Path, overrides: Sequence[str], stop: StopSignals, tick: Callable[[], None]) -> int | None:
        """Run a trial to its end; a stop signal is passed on and awaited, so that the trial saves its state.

        Args:
            run_dir: The trial's run folder; what the trial prints goes to ``fit.log`` in it.
            overrides: ``--key=value`` of this trial.
            stop: Noted signals.
            tick: Called several times a second while waiting.

        Returns:
            The exit code, or None if the trial was not started because a stop was wished while an earlier fit in the
            same folder, which had outlived its sweep, was still running.
        """
        lock = take(run_dir / FIT_LOCK)
        while lock is None:
            if stop.number:
                return None
            tick()
            time.sleep(0.2)
            lock = take(run_dir / FIT_LOCK)
        try:
            with (run_dir / LOG).open("ab") as log:
                process = subprocess.Popen(
                    self.command_line(run_dir, overrides),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, RUN_DIR_VARIABLE: str(run_dir)},
                    pass_fds=(lock,),
                    start_new_session=True,  # so that Ctrl-C reaches it once, from here
                )
        finally:
            os.close(lock)
        return _wait(process, stop, tick)


def _wait(process: subprocess.Popen, stop: StopSignals, tick: Callable[[], None]) -> int:
    told = False
    while True:
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            tick()
        if stop.number and not told:
            process.send_signal(stop.number)
            told = True


def explain_failure(run_dir: Path, exit_code: int) -> str:
    """One sentence on why a fit failed: what it said last, or the signal that ended it."""
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        return f"ended by {name}" + (", as when memory runs out" if exit_code == -signal.SIGKILL else "")
    lines = (run_dir / LOG).read_text(errors="replace").splitlines()
    said = [line for line in lines if line.startswith("lit-cnn: ")] or [line for line in lines if line.strip()]
    return said[-1].removeprefix("lit-cnn: ") if said else f"ended with exit code {exit_code} and said nothing"


def read_value(run_dir: Path, space: Space) -> float:
    """The metric of a finished run: of its best epoch, or of its last.

    Raises:
        KeyError: If the run logged no such metric; the argument is what it logged.
        ValueError: If it was never a number.
    """
    rows = read_metrics(run_dir / "metrics.csv")
    values = [row[space.metric] for row in rows if space.metric in row]
    if not values:
        raise KeyError(sorted({name for row in rows for name in row} - {"epoch", "step"}))
    values = values[-1:] if space.value == "last" else values
    numbers = [value for value in values if math.isfinite(value)]
    if not numbers:
        raise ValueError(f"{space.metric} was never a finite number")
    return max(numbers) if space.goal == "maximize" else min(numbers)
