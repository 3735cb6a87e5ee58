"""The sweep itself, on Optuna: who runs which trial, and what becomes of the trials of a process that died.

A sweep has a fixed number of *slots*. A process that wants work adds a running trial for the next slot, signed in the
same transaction with its machine and its run folder. Of several trials for one slot the one with the lowest number
stands and the others are dropped before they run, so that machines which choose the same slot at once do no harm. A
slot whose process died or was stopped comes first and gets its next *attempt*, with its values and its run folder.
(Optuna's own queue is not used: SQLite ignores the row lock that keeps two processes from taking the same trial.)
"""

import os
import re
import secrets
import socket
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    import optuna
except ModuleNotFoundError:
    raise ValueError("lit-cnn sweep needs Optuna: pip install 'lit-cnn[search]'") from None
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.pool import NullPool

from lit_cnn.experiment.files import argument
from lit_cnn.randomness import derive_key
from lit_cnn.run_folder.folder import create_run_dir
from lit_cnn.sweeps.locks import held, is_held, take
from lit_cnn.sweeps.optuna_internals import add_running_trial, given_params, open_trial, record_heartbeat
from lit_cnn.sweeps.results import TrialResult
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.trials import OWNER_LOCK, Fit, StopSignals, explain_failure, read_value

JOURNAL = "journal.log"
OPENING_TRIES = 4
HEARTBEAT_SECONDS = 60
STALE_SECONDS = 300
"""Without a heartbeat for that long, a trial of another machine counts as dead; a database keeps heartbeats."""


class KeyedSampler(BaseSampler):
    """Draws by the key (seed, slot), so that neither interruptions nor the number of processes repeat a draw."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._sampler = self._seeded(0)

    def _seeded(self, slot: int) -> BaseSampler:
        seed = derive_key(self.space.seed, "sweep", slot) & 0xFFFFFFFF
        if self.space.sampler != "tpe":
            return RandomSampler(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return TPESampler(seed=seed, constant_liar=True)  # running trials repel those of other processes

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler = self._seeded(trial.user_attrs.get("slot", -1))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)


def suggest(trial: Trial, axis: Axis, grid: bool) -> None:
    """Let Optuna choose the axis' value of a trial."""
    if grid or axis.low is None or axis.high is None:
        trial.suggest_categorical(axis.key, axis.values() or ())
    elif axis.whole:
        trial.suggest_int(axis.key, int(axis.low), int(axis.top), step=int(axis.step or 1), log=axis.log)
    else:
        trial.suggest_float(axis.key, axis.low, axis.top, step=axis.step, log=axis.log)


def open_storage(folder: Path, url: str | None) -> BaseStorage:
    """The journal file in the sweep's folder, or a database.

    Raises:
        ValueError: If the database cannot be opened; a password in the URL is not repeated.
    """
    if url is None:
        journal = str((folder / JOURNAL).resolve())
        return JournalStorage(JournalFileBackend(journal, JournalFileOpenLock(journal)))
    for remaining in reversed(range(OPENING_TRIES)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return RDBStorage(
                    url,
                    engine_kwargs={"poolclass": NullPool},  # a trial takes hours: no connection waits open for its end
                    heartbeat_interval=HEARTBEAT_SECONDS,
                    grace_period=STALE_SECONDS,
                )
        except Exception as error:
            if remaining and type(error).__name__ in ("IntegrityError", "OperationalError", "ProgrammingError"):
                time.sleep(0.5)  # another process may be making the tables of a new database
                continue
            shown = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)
            reason = str(error).strip().splitlines()[0].replace(url, shown)
            raise ValueError(
                f"cannot open the storage {shown}: {reason}; expected a database URL such as "
                "postgresql://user@host/name or sqlite:///file.db"
            ) from None
    raise AssertionError("unreachable: the last try returns or raises")


def standing(trials: list[FrozenTrial]) -> dict[int, FrozenTrial]:
    """Slot -> the trial that stands for it: of its last attempt the one with the lowest number."""
    chosen: dict[int, FrozenTrial] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        slot, attempt = trial.user_attrs.get("slot"), trial.user_attrs.get("attempt", 0)
        if slot is not None and (slot not in chosen or attempt > chosen[slot].user_attrs["attempt"]):
            chosen[slot] = trial
    return dict(sorted(chosen.items()))


@dataclass
class Sweep:
    """A sweep in its folder.

    Args:
        folder: The sweep's folder; its name is the study's. Holds the run folders.
        space: What is tried; its metric is set.
        identity: What the sweep is besides its space: dotted recipe keys and values.
        storage_url: Optuna database URL, or None for a journal file in the folder.

    Raises:
        ValueError: If the storage cannot be opened, or holds another sweep under this name.
    """

    folder: Path
    space: Space
    identity: dict[str, Any]
    storage_url: str | None = None
    storage: BaseStorage = field(init=False)
    study: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.folder = self.folder.resolve()
        self._grid = self.space.combinations() if self.space.sampler == "grid" else None
        self._retried: set[int] = set()
        self.storage = open_storage(self.folder, self.storage_url)
        with held(self._mutex):
            optuna.create_study(
                storage=self.storage,
                study_name=self.folder.name,
                direction=self.space.goal,
                load_if_exists=True,
            )
            self.study = self._load()
            self._check_identity()

    def _load(self) -> optuna.Study:
        """The study as it is now: a Study object keeps the trials it has once shown to its sampler."""
        return optuna.load_study(
            storage=self.storage,
            study_name=self.folder.name,
            sampler=KeyedSampler(self.space),
            pruner=optuna.pruners.NopPruner(),
        )

    @property
    def _mutex(self) -> Path:
        """Held while a process decides what to run next."""
        return self.folder / ".queue.lock"

    def _check_identity(self) -> None:
        space = self.space.as_dict()
        now = {
            **self.identity,
            **{f"keys.{key}": values for key, values in space["keys"].items()},
            "order of keys": list(space["keys"]),
            **{name: space[name] for name in ("sampler", "seed", "metric", "value")},
            "direction": self.space.goal,
        }
        before = self.study.user_attrs.get("identity")
        names = [key for key in now.keys() | (before or now).keys() if now.get(key) != (before or now).get(key)]
        if set(names) <= {"metric", "value", "direction"} and not self.study.get_trials(False, (TrialState.COMPLETE,)):
            names = []  # nothing has been measured by the other metric yet
        if before is not None and names:
            text = ", ".join(f"{key} ({before.get(key)!r} -> {now.get(key)!r})" for key in sorted(names))
            raise ValueError(
                f"the sweep {self.folder} has begun as another one, these keys differ: {text}; "
                "choose another --sweep-dir"
            )
        if before != now:
            self.study.set_user_attr("identity", now)

    def settled(self, name: str, value: Any) -> Any:
        """What all processes of the sweep use for ``name``: the value that the study keeps, or ``value``, kept now."""
        with held(self._mutex):
            kept = self._load().user_attrs.get("settled", {})
            if name not in kept:
                kept = {**kept, name: value}
                self.study.set_user_attr("settled", kept)
        return kept[name]

    # Which trial is next ----------------------------------------------------------------------------------------------

    def retry_failed(self) -> None:
        """Let ``run`` try the slots again whose trial has failed."""
        self._retried = {trial.number for trial in self._standing().values() if "error" in trial.user_attrs}

    def _standing(self) -> dict[int, FrozenTrial]:
        return standing(self.study.get_trials(deepcopy=False))

    def _take(self) -> tuple[Trial, Path, int] | None:
        """The next trial, signed by this process, with its run folder and the folder's lock; None if none is left."""
        with held(self._mutex), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study = self._load()
            while (following := self._next_slot()) is not None:
                taken = self._claim(*following)
                if taken is not None:
                    return taken
        return None

    def _next_slot(self) -> tuple[int, FrozenTrial | None] | None:
        """The slot to run next, with its earlier trial: interrupted ones first, then those never tried."""
        if isinstance(self.storage, RDBStorage):
            optuna.storages.fail_stale_trials(self.study)
        chosen = self._standing()
        for slot, trial in chosen.items():
            if self._is_interrupted(trial) or trial.number in self._retried:
                return slot, trial
        missing = next((slot for slot in range(self.space.size) if slot not in chosen), None)
        return None if missing is None else (missing, None)

    def _is_interrupted(self, trial: FrozenTrial) -> bool:
        """Whether a trial was stopped, or its process has died."""
        if trial.state == TrialState.FAIL:
            return "error" not in trial.user_attrs
        if trial.state != TrialState.RUNNING or trial.user_attrs["host"] != socket.gethostname():
            return False
        if is_held(Path(trial.user_attrs["run"]) / OWNER_LOCK):
            return False
        # Its end is recorded before its lock is freed, so only now is it certain that there is none.
        return self.study.get_trials(deepcopy=False)[trial.number].state == TrialState.RUNNING

    def _claim(self, slot: int, earlier: FrozenTrial | None) -> tuple[Trial, Path, int] | None:
        """Add this process's trial for a slot; None if another process was first."""
        params = self._grid[slot] if self._grid else {}
        attempt = 0
        if earlier is not None:
            params = earlier.params if len(earlier.params) == len(self.space.keys) else params
            attempt = earlier.user_attrs["attempt"] + 1
        run, lock = self._claim_run_dir(earlier)
        token = secrets.token_hex(8)
        self._add_trial(slot, attempt, params, run, token)
        trials = self.study.get_trials(deepcopy=False)
        own = next(trial for trial in reversed(trials) if trial.user_attrs.get("token") == token)
        if standing(trials)[slot].number != own.number:
            self.study.tell(own.number, state=TrialState.FAIL)
            os.close(lock)
            return None
        if earlier is not None and earlier.state == TrialState.RUNNING:
            self.study.tell(earlier.number, state=TrialState.FAIL, skip_if_finished=True)
        trial = open_trial(self.study, self.storage, own.number)
        for axis in self.space.keys:
            suggest(trial, axis, self._grid is not None)
        trial.set_user_attr("overrides", [argument(key, value) for key, value in trial.params.items()])
        return trial, run, lock

    def _add_trial(self, slot: int, attempt: int, params: dict[str, Any], run: Path, token: str) -> None:
        signature = {"host": socket.gethostname(), "run": str(run), "token": token}
        add_running_trial(self.study, params, {"slot": slot, "attempt": attempt, **signature})

    def _claim_run_dir(self, earlier: FrozenTrial | None) -> tuple[Path, int]:
        """The run folder of the earlier attempt if it is here and free, else a new one, locked."""
        run = Path(earlier.user_attrs["run"]) if earlier is not None else None
        if run is not None and run.is_dir():
            lock = take(run / OWNER_LOCK)
            if lock is not None:
                return run, lock
        run = create_run_dir(self.folder.parent, self.folder.name)
        lock = take(run / OWNER_LOCK, wait=True)
        assert lock is not None
        return run, lock

    # Running ----------------------------------------------------------------------------------------------------------

    def run(self, fit: Fit, stop: StopSignals, say: Callable[[str], None]) -> None:
        """Run trials until none is left, here or in another process, or until a stop signal.

        Args:
            fit: Starts trials.
            stop: Noted signals.
            say: Gets one line on each event.

        Raises:
            ValueError: If a finished trial has not logged the metric.
        """
        waiting = False
        while not stop.number:
            taken = self._take()
            if taken is not None:
                trial, run, lock = taken
                try:
                    self._run_trial(trial, run, fit, stop, say)
                finally:
                    os.close(lock)
                continue
            running = self.study.get_trials(False, (TrialState.RUNNING,))
            if not running:
                return
            if not waiting:
                hosts = ", ".join(sorted({trial.user_attrs.get("host", "?") for trial in running}))
                say(f"waiting for {len(running)} trials of other processes ({hosts})")
                waiting = True
            time.sleep(1.0)

    def _run_trial(self, trial: Trial, run: Path, fit: Fit, stop: StopSignals, say: Callable[[str], None]) -> None:
        number, overrides = trial.user_attrs["slot"] + 1, trial.user_attrs["overrides"]
        name = f"trial {number} of {self.space.size}"
        settings = " ".join(override.removeprefix("--") for override in overrides)
        resumes = "--resume" in fit.command_line(run, overrides)
        say(f"{name}{' continues' if resumes else ''}: {settings} ({run.name})")
        started = time.monotonic()
        code = fit.run(run, overrides, stop, self._heartbeat(trial))
        seconds = time.monotonic() - started
        if code != 0 and stop.number:
            self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)  # no error: others may continue it
            say(f"{name} is stopped")
            return
        trial.set_user_attr("seconds", round(seconds, 1))
        try:
            error = "" if code == 0 else explain_failure(run, code or 1)
            value = read_value(run, self.space) if code == 0 else None
        except KeyError as logged:
            raise ValueError(
                f"{name} has logged no {self.space.metric}, but {', '.join(logged.args[0])}: "
                "correct metric in the space file"
            ) from None
        except ValueError as problem:
            error, value = str(problem), None
        if value is None:
            trial.set_user_attr("error", error)
            self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            say(f"{name} failed: {error}")
            return
        self.study.tell(trial, value, skip_if_finished=True)
        say(f"{name}: {self.space.metric} {value:.4f} in {seconds:.0f} s")

    def _heartbeat(self, trial: Trial) -> Callable[[], None]:
        """Tells a database now and then that the trial lives."""
        due = 0.0

        def beat() -> None:
            nonlocal due
            if isinstance(self.storage, RDBStorage) and time.monotonic() >= due:
                record_heartbeat(self.study, self.storage, trial.number)
                due = time.monotonic() + HEARTBEAT_SECONDS

        return beat

    def results(self) -> list[TrialResult]:
        """One row per slot, best first, then those that failed, run and wait."""
        chosen = self._standing()
        rows = [
            self._result(slot, chosen.get(slot)) for slot in range(max(self.space.size, max(chosen, default=-1) + 1))
        ]
        sign = -1 if self.space.goal == "maximize" else 1
        return sorted(rows, key=lambda row: (row.value is None, sign * (row.value or 0.0), row.trial))

    def _result(self, slot: int, trial: FrozenTrial | None) -> TrialResult:
        if trial is None:
            return TrialResult(slot + 1, "waiting", None, self._grid[slot] if self._grid else {})
        attributes, state = trial.user_attrs, trial.state.name.lower()
        params = trial.params or given_params(trial)
        return TrialResult(
            trial=slot + 1,
            state={"fail": "failed" if "error" in attributes else "stopped"}.get(state, state),
            value=trial.value if trial.state == TrialState.COMPLETE else None,
            params={axis.key: params[axis.key] for axis in self.space.keys if axis.key in params},
            seconds=attributes.get("seconds"),
            run=attributes.get("run", ""),
            error=attributes.get("error", ""),
        )
