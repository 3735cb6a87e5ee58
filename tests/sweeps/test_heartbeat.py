"""A database's trials of machines that have died are given back, whenever they died."""

import socket
import time
from pathlib import Path

import pytest

from lit_cnn.sweeps import storage as limits
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.heartbeat import beating
from lit_cnn.sweeps.optuna_internals import has_heartbeat
from lit_cnn.sweeps.queue import Taken
from lit_cnn.sweeps.space import Axis, Space

SPACE = Space((Axis("x", choices=(1, 2)),), metric="val/acc1")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A sweep as another machine opens it, with its own folder and name."""
    monkeypatch.setattr(limits, "STALE_SECONDS", 1)

    def opened(name: str) -> Sweep:
        monkeypatch.setattr(socket, "gethostname", lambda: name)
        folder = tmp_path / name / "s"
        folder.mkdir(parents=True)
        return Sweep(folder, SPACE, {}, f"sqlite:///{tmp_path}/sweeps.db")

    return opened


def taken_by(sweep: Sweep) -> Taken:
    taken = sweep.queue.take()
    assert taken is not None
    return taken


def test_trials_of_machines_killed_before_and_after_a_heartbeat_are_both_taken_back(
    machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALE_SECONDS", 60)
    first = machine("A")
    with monkeypatch.context() as patch:
        patch.setattr("lit_cnn.sweeps.queue.record_heartbeat", lambda *_: None)  # killed between the two
        unseen = taken_by(first)
    second = machine("B")
    seen = taken_by(second)
    assert not has_heartbeat(second.study, second.storage, unseen.trial.number)  # type: ignore[arg-type]
    assert has_heartbeat(second.study, second.storage, seen.trial.number)  # type: ignore[arg-type]
    assert machine("C").queue.take() is None
    monkeypatch.setattr(limits, "STALE_SECONDS", 1)
    time.sleep(2.2)
    third = machine("D")
    back = [taken_by(third), taken_by(third)]
    assert [taken.job.slot for taken in back] == [0, 1]
    assert [taken.trial.params for taken in back] == [{"x": 1}, {"x": 2}]
    assert [taken.deaths for taken in back] == [1, 1]
    assert third.queue.take() is None


def test_a_trial_has_its_first_heartbeat_when_it_is_taken(machine) -> None:
    sweep = machine("A")
    taken = taken_by(sweep)
    assert has_heartbeat(sweep.study, sweep.storage, taken.trial.number)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_trial_that_beats_is_left_to_its_machine(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEARTBEAT_SECONDS", 0.2)
    sweep = machine("A")
    taken = taken_by(sweep)
    other = machine("B")
    with beating(sweep.study, sweep.storage, taken.trial.number):
        time.sleep(2.2)
        assert taken_by(other).job.slot == 1
        assert other.queue.take() is None
