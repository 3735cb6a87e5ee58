"""Who runs which trial, and what becomes of the trials of a process that died.

A sweep has a fixed number of jobs. A process that wants work adds a running trial for the next one, signed in the same
transaction with its machine and its run folder. Of several trials for one job the one with the lowest number stands and
the others are dropped before they run, so that machines which choose the same job at once do no harm. A job whose
process died or was stopped comes first and gets its next *attempt*, with its values and its run folder.
(Optuna's own queue is not used: SQLite ignores the row lock that keeps two processes from taking the same trial.)
"""

import os
import secrets
import socket
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from lit_cnn.experiment.files import argument
from lit_cnn.run_folder.folder import create_run_dir
from lit_cnn.sweeps.heartbeat import STARTED, fail_dead_trials, give_sign, is_silent
from lit_cnn.sweeps.jobs import Job, Standing, has_failed, job_of, known_points, standing, wanted_jobs
from lit_cnn.sweeps.locks import held, is_held, take
from lit_cnn.sweeps.optuna_internals import add_running_trial, open_trial
from lit_cnn.sweeps.plan import Choice, Chooser, Known, Plan
from lit_cnn.sweeps.sampling import KeyedSampler
from lit_cnn.sweeps.space import Space
from lit_cnn.sweeps.trials import OWNER_LOCK

STOPPED = "stopped"
"""Attribute of a trial whose sweep was asked to stop, unlike one whose process has died."""


@dataclass(frozen=True)
class Taken:
    """A trial that this process is to run.

    Args:
        trial: The trial, with its values.
        job: What it is for.
        run: Its run folder.
        lock: Descriptor of the folder's lock, held until it is closed.
        deaths: How many processes have died while they ran it.
    """

    trial: Trial
    job: Job
    run: Path
    lock: int
    deaths: int


@dataclass
class Queue:
    """The jobs of a sweep.

    Args:
        folder: The sweep's folder, which holds the run folders; its name is the study's.
        plan: What is tried.
        storage: Where the trials are kept.
        rungs: Number of lengths to which runs are trained.
        chooser: Who chooses the points.
    """

    folder: Path
    plan: Plan
    storage: BaseStorage
    rungs: int
    chooser: Chooser
    study: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        self._retried: set[int] = set()
        self.study = self.load()

    @property
    def mutex(self) -> Path:
        """Held while a process decides what to run next."""
        return self.folder / ".queue.lock"

    def load(self) -> optuna.Study:
        """The study as it is now: a Study object keeps the trials it has once shown to its sampler."""
        return optuna.load_study(
            storage=self.storage,
            study_name=self.folder.name,
            sampler=KeyedSampler(self.plan) if isinstance(self.plan, Space) else None,
            pruner=optuna.pruners.NopPruner(),
        )

    def standing(self) -> dict[Job, FrozenTrial]:
        """Job -> the trial that stands for it."""
        return standing(self.study.get_trials(deepcopy=False))

    def retry_failed(self) -> None:
        """Let ``take`` give out the jobs again whose trial has failed."""
        self._retried = {trial.number for trial in self.standing().values() if has_failed(trial)}

    def take(self) -> Taken | None:
        """The next trial, signed by this process; None if none is left to be taken now."""
        with held(self.mutex), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study = self.load()
            while (following := self._next_job()) is not None:
                taken = self._claim(*following)
                if taken is not None:
                    return taken
        return None

    # Which job is next ------------------------------------------------------------------------------------------------

    def _next_job(self) -> tuple[Job, FrozenTrial | None, Choice] | None:
        """The job to run next, with the trial that it continues and what its point is: interrupted ones first, then
        those never tried."""
        fail_dead_trials(self.study, self.storage)
        chosen = self.standing()
        for job, trial in chosen.items():
            if self._is_interrupted(trial) or trial.number in self._retried:
                return job, trial, self._choice(job, trial, chosen) or Choice()
        known = known_points(chosen, self.plan)
        for job in wanted_jobs(chosen, self.plan, self.rungs):
            if job not in chosen and (choice := self._choice(job, None, chosen, known)) is not None:
                return job, chosen.get(job._replace(rung=job.rung - 1)), choice
        return None

    def _is_interrupted(self, trial: FrozenTrial) -> bool:
        """Whether a trial was stopped, or its process has died."""
        if trial.state == TrialState.FAIL:
            return not has_failed(trial)
        if trial.state != TrialState.RUNNING:
            return False
        run, here = Path(trial.user_attrs["run"]), trial.user_attrs["host"] == socket.gethostname()
        if isinstance(self.storage, RDBStorage):
            if not here or not run.is_dir():
                return False  # of another machine, or container, of the same name: its heartbeat decides
        else:
            run = self.folder / run.name  # next to the journal, wherever another machine sees both
        if is_held(run / OWNER_LOCK) or not (here or is_silent(run / OWNER_LOCK, self.mutex)):
            return False
        return self.study.get_trials(deepcopy=False)[trial.number].state == TrialState.RUNNING

    def _choice(
        self, job: Job, earlier: FrozenTrial | None, chosen: Standing, known: Sequence[Known] = ()
    ) -> Choice | None:
        """What a job's point is; None where it is not decided yet, or another job has yet to draw it."""
        fixed = self.chooser.fixed(job.slot)
        if fixed is not None:
            return fixed
        for trial in (earlier, chosen.get(Job(job.slot))):
            if trial is not None and (choice := self.chooser.chosen(trial)) is not None:
                return choice
        return self.chooser.choose(job.slot, known) if job == Job(job.slot) else None

    # Taking it --------------------------------------------------------------------------------------------------------

    def _claim(self, job: Job, earlier: FrozenTrial | None, choice: Choice) -> Taken | None:
        """Add this process's trial for a job; None if another process was first.

        Args:
            job: The job.
            earlier: The trial that it continues: an earlier attempt, or the one for the rung below.
            choice: What its point is.
        """
        again = earlier is not None and job_of(earlier) == job
        run, lock = self._claim_run_dir(earlier)
        attempt = earlier.user_attrs["attempt"] + 1 if again and earlier else 0
        deaths = _deaths(earlier) if again and earlier else 0
        own = self._add(job, attempt, deaths, choice, run)
        trials = self.study.get_trials(deepcopy=False)
        if standing(trials)[job].number != own:
            self.study.tell(own, state=TrialState.FAIL)
            os.close(lock)
            return None
        if earlier is not None and earlier.state == TrialState.RUNNING:
            self.study.tell(earlier.number, state=TrialState.FAIL, skip_if_finished=True)
        trial = open_trial(self.study, self.storage, own)
        seed = [argument("seed_everything", self.plan.first_seed + job.seed)] if self.plan.seeds else []
        trial.set_user_attr("overrides", [*self.chooser.overrides(trial), *seed])
        return Taken(trial, job, run, lock, deaths)

    def _add(self, job: Job, attempt: int, deaths: int, choice: Choice, run: Path) -> int:
        """Add a running trial and its first sign of life; returns its number."""
        token = secrets.token_hex(8)
        add_running_trial(
            self.study,
            dict(choice.params),
            {
                **choice.attributes,
                **job._asdict(),
                "attempt": attempt,
                "deaths": deaths,
                "host": socket.gethostname(),
                "run": str(run),
                "token": token,
                STARTED: time.time(),
            },
        )
        trials: Sequence[FrozenTrial] = self.study.get_trials(deepcopy=False)
        own = next(trial.number for trial in reversed(trials) if trial.user_attrs.get("token") == token)
        give_sign(self.study, self.storage, own, run / OWNER_LOCK)
        return own

    def _claim_run_dir(self, earlier: FrozenTrial | None) -> tuple[Path, int]:
        """The run folder of the earlier trial if it is here and free, else a new one, locked."""
        run = Path(earlier.user_attrs["run"]) if earlier is not None else None
        if run is not None and run.is_dir():
            lock = take(run / OWNER_LOCK)
            if lock is not None:
                return run, lock
        run = create_run_dir(self.folder.parent, self.folder.name)
        lock = take(run / OWNER_LOCK, wait=True)
        assert lock is not None
        return run, lock


def _deaths(earlier: FrozenTrial) -> int:
    """How many processes have died while they ran a job, the trial's own included."""
    died = STOPPED not in earlier.user_attrs and not has_failed(earlier)
    return earlier.user_attrs.get("deaths", 0) + died
