"""What lit_cnn/sweeps/optuna_internals.py uses of Optuna is there, and does what is said of it."""

from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import TrialState

from lit_cnn.sweeps.optuna_internals import (
    GIVEN,
    add_running_trial,
    given_params,
    has_heartbeat,
    open_trial,
    record_heartbeat,
    trial_id,
)

SIGNATURE = {"slot": 3, "host": "here"}


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(storage=InMemoryStorage(), study_name="sweep")


def storage_of(study: optuna.Study) -> BaseStorage:
    return study._storage


def test_an_added_trial_runs_with_its_values_and_its_signature(study: optuna.Study) -> None:
    add_running_trial(study, {"x": 7}, SIGNATURE)
    (added,) = study.get_trials()
    assert (added.state, added.user_attrs, given_params(added)) == (TrialState.RUNNING, SIGNATURE, {"x": 7})
    trial = open_trial(study, storage_of(study), added.number)
    assert trial.suggest_int("x", 0, 100) == 7, (
        f"Trial.suggest_* does not return the values under the attribute {GIVEN!r} any more: see where "
        "Study.enqueue_trial keeps them now, and adapt GIVEN in lit_cnn/sweeps/optuna_internals.py"
    )
    study.tell(trial, 0.5)
    assert study.best_params == {"x": 7}


def test_the_values_are_kept_where_optunas_own_queue_keeps_them(study: optuna.Study) -> None:
    study.enqueue_trial({"x": 7})
    (waiting,) = study.get_trials()
    assert given_params(waiting) == {"x": 7}, "Study.enqueue_trial keeps its values elsewhere: adapt GIVEN"


def test_a_trial_without_values_takes_the_samplers(study: optuna.Study) -> None:
    study.sampler = optuna.samplers.GridSampler({"x": [5]})
    study.add_trial(optuna.trial.create_trial(value=1.0))  # numbers and ids begin at the same number otherwise
    add_running_trial(study, {}, SIGNATURE)
    trial = open_trial(study, storage_of(study), 1)
    assert given_params(study.get_trials()[1]) == {}
    assert trial.suggest_int("x", 0, 100) in range(101)
    assert (trial.number, trial.user_attrs) == (1, SIGNATURE)


def test_a_trial_of_the_second_study_is_found_by_its_number(tmp_path: Path) -> None:
    storage = RDBStorage(f"sqlite:///{tmp_path / 'both.db'}")
    for name in ("one", "two"):
        study = optuna.create_study(storage=storage, study_name=name)
        add_running_trial(study, {"x": 1}, {"study": name})
    number = trial_id(study, storage, 0)
    assert storage.get_trial(number).user_attrs == {"study": "two"}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_trial_without_heartbeat_is_stale_and_one_with_it_is_not(tmp_path: Path) -> None:
    assert hasattr(RDBStorage, "record_heartbeat"), (
        "RDBStorage has no record_heartbeat: adapt record_heartbeat in lit_cnn/sweeps/optuna_internals.py to how "
        "Optuna notes that a trial lives"
    )
    storage = RDBStorage(f"sqlite:///{tmp_path / 'one.db'}", heartbeat_interval=60)
    study = optuna.create_study(storage=storage, study_name="sweep")
    for _ in range(2):
        add_running_trial(study, {}, SIGNATURE)
    record_heartbeat(study, storage, 1)
    assert [has_heartbeat(study, storage, number) for number in (0, 1)] == [False, True], (
        "Optuna keeps heartbeats elsewhere: adapt has_heartbeat in lit_cnn/sweeps/optuna_internals.py"
    )
    storage.grace_period = 60
    optuna.storages.fail_stale_trials(study)
    assert [trial.state for trial in study.get_trials()] == [TrialState.RUNNING, TrialState.RUNNING]
