"""Signs of life: how a machine learns that a trial of another one has died."""

import contextlib
import threading
import time
from collections.abc import Iterator

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from lit_cnn.sweeps import storage as limits
from lit_cnn.sweeps.optuna_internals import has_heartbeat, record_heartbeat

STARTED = "started"
"""Attribute of a trial: when it was added, in seconds since 1970, which is one time for machines of all time zones."""


@contextlib.contextmanager
def beating(study: optuna.Study, storage: BaseStorage, number: int) -> Iterator[None]:
    """Record heartbeats of a trial within a block, from a thread; without effect on a storage that keeps none."""
    if not isinstance(storage, RDBStorage):
        yield
        return
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(limits.HEARTBEAT_SECONDS):
            with contextlib.suppress(Exception):  # such as a database that restarts: the next one may come through
                record_heartbeat(study, storage, number)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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
