"""Signs of life: how a machine learns that a trial of another one has died. A database keeps them; next to a journal
they are the times at which the file that the trial's process has locked was touched."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from lit_cnn.sweeps import storage as limits
from lit_cnn.sweeps.optuna_internals import has_heartbeat, record_heartbeat

STARTED = "started"
"""Attribute of a trial: when it was added, in seconds since 1970, which is one time for machines of all time zones."""


def give_sign(study: optuna.Study, storage: BaseStorage, number: int, lock: Path) -> None:
    """Note that the process of a trial lives.

    Args:
        study: Of the trial.
        storage: Of the study.
        number: Of the trial.
        lock: The file that the process has locked.
    """
    if isinstance(storage, RDBStorage):
        record_heartbeat(study, storage, number)
    else:
        lock.touch()


@contextlib.contextmanager
def beating(study: optuna.Study, storage: BaseStorage, number: int, lock: Path) -> Iterator[None]:
    """Give signs of life of a trial within a block, from a thread."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(limits.HEARTBEAT_SECONDS):
            with contextlib.suppress(Exception):  # such as a database that restarts: the next one may come through
                give_sign(study, storage, number, lock)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def is_silent(lock: Path, clock: Path) -> bool:
    """Whether the last sign of life by a file is long ago.

    Args:
        lock: The file.
        clock: Another one on the same disk, which is touched to learn the time there: clocks of machines differ.
    """
    if not lock.exists():
        return True
    clock.touch()
    return clock.stat().st_mtime - lock.stat().st_mtime > limits.STALE_SECONDS


def fail_dead_trials(study: optuna.Study, storage: BaseStorage) -> None:
    """Let running trials fail whose machine has died: their last heartbeat, or their start without any, is long ago."""
    if not isinstance(storage, RDBStorage):
        return
    optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(False, (TrialState.RUNNING,)):
        if seconds_since_start(trial) > limits.STALE_SECONDS and not has_heartbeat(study, storage, trial.number):
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def seconds_since_start(trial: FrozenTrial) -> float:
    """How long ago a trial was added."""
    started = trial.user_attrs.get(STARTED)
    if started is None and trial.datetime_start is not None:
        started = trial.datetime_start.timestamp()
    return 0.0 if started is None else time.time() - started
