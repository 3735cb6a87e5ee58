"""One trial of a sweep: ``lit-cnn fit``, here or in a process of its own, continued where an earlier one stopped."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE, has_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.sweeps.in_process import LOG, run_in_process
from lit_cnn.sweeps.locks import take
from lit_cnn.sweeps.plan import Plan
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.training.stopping import Pause

OWNER_LOCK = ".sweep.lock"
"""Held by the sweep that runs a trial: distinguishes a running trial from one whose sweep has died."""
FIT_LOCK = ".fit.lock"
"""Held by the fit itself, which may outlive its sweep."""


@dataclass(frozen=True)
class Fit:
    """How trials are started.

    Args:
        recipe: File of the resolved recipe that all trials share.
        arguments: Further arguments of every trial.
        command: The program that runs a trial in a process of its own.
        main: What runs a trial in this process: takes the arguments after ``lit-cnn`` and returns the exit code. None
            starts a process for each trial.
    """

    recipe: Path
    arguments: Sequence[str] = ()
    command: Sequence[str] = (sys.executable, "-m", "lit_cnn", "fit")
    main: Callable[[list[str]], int] | None = None

    def command_line(self, run_dir: Path, overrides: Sequence[str], pause: Pause | None = None) -> list[str]:
        """The command that starts a trial, or continues it if its folder holds a checkpoint."""
        return [*self.command, *self._arguments(run_dir, overrides, pause)]

    def _arguments(self, run_dir: Path, overrides: Sequence[str], pause: Pause | None) -> list[str]:
        pauses = _pause_arguments(pause)
        if has_checkpoint(run_dir):
            return ["--resume", str(run_dir), *self.arguments, *pauses]
        return ["--config", str(self.recipe), *self.arguments, *overrides, *pauses]

    def run(
        self,
        run_dir: Path,
        overrides: Sequence[str],
        stop: StopSignals,
        pause: Pause | None = None,
        *,
        alone: bool = False,
    ) -> int | None:
        """Run a trial to its end; at a stop signal the trial saves its state first.

        Args:
            run_dir: The trial's run folder; what the trial prints goes to ``fit.log`` in it.
            overrides: ``--key=value`` of this trial.
            stop: Noted signals.
            pause: Where the trial is paused; None trains it to the end.
            alone: Use a process of its own in any case.

        Returns:
            The exit code, or None if the trial was not started because a stop was wished while an earlier fit in the
            same folder, which had outlived its sweep, was still running.
        """
        lock = take(run_dir / FIT_LOCK)
        while lock is None:
            if stop.number:
                return None
            time.sleep(0.2)
            lock = take(run_dir / FIT_LOCK)
        try:
            if self.main is None or alone:
                process = self._start(run_dir, overrides, pause, lock)
            else:
                return run_in_process(self.main, ["fit", *self._arguments(run_dir, overrides, pause)], run_dir, stop)
        finally:
            os.close(lock)
        return _wait(process, stop)

    def _start(self, run_dir: Path, overrides: Sequence[str], pause: Pause | None, lock: int) -> subprocess.Popen:
        with (run_dir / LOG).open("ab") as log:
            return subprocess.Popen(
                self.command_line(run_dir, overrides, pause),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, RUN_DIR_VARIABLE: str(run_dir)},
                pass_fds=(lock,),
                start_new_session=True,  # so that Ctrl-C reaches it once, from here
            )


def _pause_arguments(pause: Pause | None) -> list[str]:
    if pause is None:
        return []
    if pause.epochs is not None:
        return [f"--pause-after={pause.epochs}"]
    return [f"--pause-after-steps={pause.steps}"]


def _wait(process: subprocess.Popen, stop: StopSignals) -> int:
    told = False
    while True:
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            pass
        if stop.number and not told:
            process.send_signal(stop.number)
            told = True


def explain_failure(run_dir: Path, exit_code: int) -> str:
    """One sentence on why a fit failed: what it said last, or the signal that ended it."""
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        return f"ended by {name}" + (", as when memory runs out" if exit_code == -signal.SIGKILL else "")
    log = run_dir / LOG
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    said = [line for line in lines if line.startswith("lit-cnn: ")] or [line for line in lines if line.strip()]
    return said[-1].removeprefix("lit-cnn: ") if said else f"ended with exit code {exit_code} and said nothing"


def read_value(run_dir: Path, plan: Plan, pause: Pause | None = None) -> float:
    """The metric of a run that has ended, or is paused: of its best epoch, or of its last, up to the pause.

    Raises:
        KeyError: If the run logged no such metric; the argument is what it logged.
        ValueError: If it was never a number.
    """
    rows = read_metrics(run_dir / "metrics.csv")
    if pause is not None:  # rows are numbered from 0
        rows = [row for row in rows if not pause.is_reached(int(row.get("epoch", 0)), int(row["step"]))]
    values = [row[plan.metric] for row in rows if plan.metric in row]
    if not values:
        raise KeyError(sorted({name for row in rows for name in row} - {"epoch", "step"}))
    values = values[-1:] if plan.value == "last" else values
    numbers = [value for value in values if math.isfinite(value)]
    if not numbers:
        raise ValueError(f"{plan.metric} was never a finite number")
    return max(numbers) if plan.metric_goal == "maximize" else min(numbers)
