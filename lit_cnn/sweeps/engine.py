"""The sweep itself, on Optuna: its study, its identity, the loop that runs trials, and what they have found."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    import optuna
except ModuleNotFoundError:
    raise ValueError("lit-cnn sweep needs Optuna: pip install 'lit-cnn[search]'") from None
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lit_cnn.sweeps import storage as limits
from lit_cnn.sweeps.findings import find_results
from lit_cnn.sweeps.heartbeat import beating
from lit_cnn.sweeps.locks import held
from lit_cnn.sweeps.plan import Chooser, Plan
from lit_cnn.sweeps.queue import STOPPED, Queue, Taken
from lit_cnn.sweeps.results import TrialResult
from lit_cnn.sweeps.sampling import SpaceChooser
from lit_cnn.sweeps.space import Space
from lit_cnn.sweeps.storage import open_storage
from lit_cnn.sweeps.trials import OWNER_LOCK, Fit, Pause, StopSignals, explain_failure, read_value
from lit_cnn.training.announce import announce
from lit_cnn.training.monitor import metric_text
from lit_cnn.training.stopping import PAUSED

MEASURED = "measured"
"""Attribute of a trial: its metric, where it is compared by something else."""


@dataclass
class Sweep:
    """A sweep in its folder.

    Args:
        folder: The sweep's folder; its name is the study's. Holds the run folders.
        plan: What is tried; its metric is set.
        identity: What the sweep is besides its plan: dotted recipe keys and values.
        storage_url: Optuna database URL, or None for a journal file in the folder.
        length: Epochs or steps of a whole run, in the unit of the plan's pruner; None where it has no pruner.
        say: Gets one line on each event.
        chooser: Who chooses the points; None where the plan is a space of recipe keys.
        flag: Of the command line, by which another folder is chosen.
        kind: What messages call it.
        unnoted: Keys and values that the identity of a folder of an older version stands for without naming them.

    Raises:
        ValueError: If the storage cannot be opened, or holds another sweep under this name.
    """

    folder: Path
    plan: Plan
    identity: dict[str, Any]
    storage_url: str | None = None
    length: int | None = None
    say: Callable[[str], None] = announce
    chooser: Chooser | None = None
    flag: str = "--sweep-dir"
    kind: str = "sweep"
    unnoted: Mapping[str, Any] = field(default_factory=dict)
    storage: BaseStorage = field(init=False)
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.folder = self.folder.resolve()
        self.rungs = self.plan.pruner.rungs(self.length or 0) if self.plan.pruner else (0,)
        self.storage = open_storage(self.folder, self.storage_url, self.say)
        with held(self.folder / ".queue.lock"):
            optuna.create_study(
                storage=self.storage,
                study_name=self.folder.name,
                direction=self.plan.goal,
                load_if_exists=True,
            )
            chooser = self.chooser or self._space_chooser()
            self.queue = Queue(self.folder, self.plan, self.storage, len(self.rungs), chooser)
            self._check_identity()

    def _space_chooser(self) -> Chooser:
        if not isinstance(self.plan, Space):
            raise TypeError(f"a {type(self.plan).__name__} needs a chooser")
        return SpaceChooser(self.plan)

    @property
    def study(self) -> optuna.Study:
        """The study, as the queue has last loaded it."""
        return self.queue.study

    def _check_identity(self) -> None:
        now = {**self.identity, **self.plan.identity()}
        stored = self.study.user_attrs.get("identity")
        before = now if stored is None else {**self.unnoted, **stored}
        names = [key for key in now.keys() | before.keys() if now.get(key) != before.get(key)]
        if set(names) <= {"metric", "value", "direction"} and not self.study.get_trials(False, (TrialState.COMPLETE,)):
            names = []  # nothing has been measured by the other metric yet
        if names:
            text = ", ".join(f"{key} ({before.get(key)!r} -> {now.get(key)!r})" for key in sorted(names))
            raise ValueError(
                f"the {self.kind} {self.folder} has begun as another one, these keys differ: {text}; "
                f"choose another {self.flag}"
            )
        if stored != now:
            self.study.set_user_attr("identity", now)

    def settled(self, name: str, value: Any) -> Any:
        """What all processes of the sweep use for ``name``: the value that the study keeps, or ``value``, kept now."""
        with held(self.queue.mutex):
            study = self.queue.load()
            kept = study.user_attrs.get("settled", {})
            if name not in kept:
                kept = {**kept, name: value}
                study.set_user_attr("settled", kept)
        return kept[name]

    def results(self) -> list[TrialResult]:
        """One row per point, best first, then those that were pruned, failed, run and wait."""
        return find_results(self.queue.standing(), self.plan, self.rungs, self.queue.chooser)

    # Running ----------------------------------------------------------------------------------------------------------

    def run(self, fit: Fit, stop: StopSignals) -> None:
        """Run trials until none is left, here or in another process, or until a stop signal.

        Args:
            fit: Starts trials.
            stop: Noted signals.

        Raises:
            ValueError: If a finished trial has not logged the metric.
        """
        waiting = alone = False
        while not stop.number:
            taken = self.queue.take()
            if taken is not None:
                alone = False
                try:
                    self._run_trial(taken, fit, stop)
                finally:
                    os.close(taken.lock)
                continue
            running = self.study.get_trials(False, (TrialState.RUNNING,))
            if not running and alone:
                return
            alone = not running
            if alone:
                continue  # the last of them may have ended after the look for work, and have left some
            if not waiting:
                hosts = ", ".join(sorted({trial.user_attrs.get("host", "?") for trial in running}))
                after = f"after {limits.STALE_SECONDS // 60} minutes without a sign of life each is taken over"
                self.say(f"waiting for {len(running)} trials of other processes ({hosts}); {after}")
                waiting = True
            time.sleep(1.0)

    def _run_trial(self, taken: Taken, fit: Fit, stop: StopSignals) -> None:
        trial, overrides = taken.trial, taken.trial.user_attrs["overrides"]
        name, pause = self._name(taken), self._pause(taken.job.rung)
        settings = self.queue.chooser.described(trial)
        resumes = "--resume" in fit.command_line(taken.run, overrides)
        self.say(f"{name}{' continues' if resumes else ''}: {settings} ({taken.run.name})")
        started = time.monotonic()
        with beating(self.study, self.storage, trial.number, taken.run / OWNER_LOCK):
            code = fit.run(taken.run, overrides, stop, pause, alone=taken.deaths > 0)
        seconds = time.monotonic() - started
        trial.set_user_attr("seconds", round(seconds, 1))
        if code not in (0, PAUSED) and stop.number:
            trial.set_user_attr(STOPPED, True)
            self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)  # no error: others may continue it
            self.say(f"{name} is stopped")
            return
        self._tell(taken, code, name, seconds)

    def _tell(self, taken: Taken, code: int | None, name: str, seconds: float) -> None:
        """Note how a trial has ended."""
        value, error = None, ""
        try:
            if code in (0, PAUSED):
                value = read_value(taken.run, self.plan, self._pause(taken.job.rung))
            else:
                error = explain_failure(taken.run, code or 1)
        except KeyError as logged:
            lacking = f"{name} has logged no {self.plan.metric}, but {', '.join(logged.args[0])}: correct the metric"
            if pause := self._pause(taken.job.rung):
                lacking += f", or let the pruner's first rung be no earlier than the first validation ({pause} is)"
            raise ValueError(lacking) from None
        except ValueError as problem:
            error = str(problem)
        if value is None:
            taken.trial.set_user_attr("error", error)
            self.study.tell(taken.trial, state=TrialState.FAIL, skip_if_finished=True)
            self.say(f"{name} failed: {error}")
            return
        score = self.queue.chooser.score(taken.trial, value)
        if score != value:
            taken.trial.set_user_attr(MEASURED, value)
        self.study.tell(taken.trial, score, skip_if_finished=True)
        self.say(f"{name}: {self.plan.metric} {metric_text(self.plan.metric, value)} in {seconds:.0f} s")

    def _pause(self, rung: int) -> Pause | None:
        """Where a run is paused at a rung; None at the last one, which is the end."""
        if self.plan.pruner is None or rung == len(self.rungs) - 1:
            return None
        return Pause(**{self.plan.pruner.unit: self.rungs[rung]})

    def _name(self, taken: Taken) -> str:
        job, pause = taken.job, self._pause(taken.job.rung)
        seed = f", seed {self.plan.first_seed + job.seed}" if self.plan.seeds else ""
        length = f", to {pause}" if pause else ", to the end" if self.plan.pruner else ""
        return f"trial {job.slot + 1} of {self.plan.size}{seed}{length}"
