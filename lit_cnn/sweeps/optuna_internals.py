"""What is asked of Optuna that it does not document: an upgrade of Optuna is adapted to here.

Optuna's own queue would be the documented way to a trial with given values, but on SQLite two processes can take the
same trial from it. Each function has a test that says what to change when Optuna has moved what it uses.
"""

from typing import Any

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._rdb.models import TrialHeartbeatModel
from optuna.trial import FrozenTrial, Trial, TrialState

GIVEN = "fixed_params"
"""The attribute under which ``Study.enqueue_trial`` keeps the values that ``Trial.suggest_*`` then returns."""


def add_running_trial(study: optuna.Study, params: dict[str, Any], signature: dict[str, Any]) -> None:
    """Add a trial that runs from now on, whose values are ``params`` (empty: the sampler's) and which is signed."""
    given = {GIVEN: params} if params else {}
    study.add_trial(optuna.trial.create_trial(state=TrialState.RUNNING, user_attrs=signature, system_attrs=given))


def given_params(trial: FrozenTrial) -> dict[str, Any]:
    """The values that a trial was added with; empty where the sampler chooses them."""
    return trial.system_attrs.get(GIVEN, {})


def trial_id(study: optuna.Study, storage: BaseStorage, number: int) -> int:
    """By what ``storage`` knows the trial of that number."""
    return storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(study.study_name), number)


def open_trial(study: optuna.Study, storage: BaseStorage, number: int) -> Trial:
    """A running trial that was added to ``study``, open for suggestions, as ``Study.ask`` returns one."""
    return Trial(study, trial_id(study, storage, number))


def record_heartbeat(study: optuna.Study, storage: RDBStorage, number: int) -> None:
    """Note in a database that a running trial lives."""
    storage.record_heartbeat(trial_id(study, storage, number))


def has_heartbeat(study: optuna.Study, storage: RDBStorage, number: int) -> bool:
    """Whether a database has ever noted that a running trial lives."""
    with storage.scoped_session() as session:
        return TrialHeartbeatModel.where_trial_id(trial_id(study, storage, number), session) is not None
