"""Trials of machines that have died are given back, whenever they died: a database's and a journal's."""

import os
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
from lit_cnn.sweeps.trials import OWNER_LOCK

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


@pytest.mark.slow
def test_trials_of_machines_killed_before_and_after_a_heartbeat_are_both_taken_back(
    machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALE_SECONDS", 60)
    first = machine("A")
    with monkeypatch.context() as patch:
        patch.setattr("lit_cnn.sweeps.queue.give_sign", lambda *_: None)  # killed between the two
        unseen = taken_by(first)
    second = machine("B")
    seen = taken_by(second)
    assert not has_heartbeat(second.study, second.storage, unseen.trial.number)  # type: ignore[arg-type]
    assert has_heartbeat(second.study, second.storage, seen.trial.number)  # type: ignore[arg-type]
    assert machine("C").queue.take() is None
    monkeypatch.setattr(limits, "STALE_SECONDS", 1)
    time.sleep(2.2)
    third = machine("D")
    back = [taken_by(third)]  # finds both dead
    monkeypatch.setattr(limits, "STALE_SECONDS", 60)  # however slow this machine is, what was just taken is alive
    back.append(taken_by(third))
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
    with beating(sweep.study, sweep.storage, taken.trial.number, taken.run / OWNER_LOCK):
        time.sleep(2.2)
        assert taken_by(other).job.slot == 1
        assert other.queue.take() is None


def test_a_journal_s_trial_of_another_machine_is_taken_back_once_it_has_been_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the times of two files of one disk, since clocks of machines differ."""
    (tmp_path / "s").mkdir()
    sweep = Sweep(tmp_path / "s", SPACE, {}, say=[].append)
    taken, other = taken_by(sweep), taken_by(sweep)
    os.close(taken.lock)  # what the death of its process does
    monkeypatch.setattr(socket, "gethostname", lambda: "B")
    assert sweep.queue.take() is None
    silent(taken, other)
    again = taken_by(sweep)
    assert (again.run, again.deaths, again.trial.params) == (taken.run, 1, taken.trial.params)
    assert sweep.queue.take() is None  # the lock of the other one is held, and what was taken has given a sign of life
    silent(again)
    os.close(again.lock)
    monkeypatch.setattr(limits, "HEARTBEAT_SECONDS", 0.01)
    with beating(sweep.study, sweep.storage, again.trial.number, again.run / OWNER_LOCK):
        time.sleep(0.3)
    monkeypatch.setattr(socket, "gethostname", lambda: "C")
    assert sweep.queue.take() is None


def silent(*trials: Taken) -> None:
    """Let the last sign of life be long ago."""
    for taken in trials:
        os.utime(taken.run / OWNER_LOCK, (0, time.time() - limits.STALE_SECONDS - 5))


def test_a_journal_s_trial_of_a_folder_that_was_mounted_elsewhere_is_looked_for_next_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there" / "s").mkdir(parents=True)
    sweep = Sweep(tmp_path / "there" / "s", SPACE, {}, say=[].append)
    taken = taken_by(sweep)
    os.close(taken.lock)
    (tmp_path / "there").rename(tmp_path / "here")
    monkeypatch.setattr(socket, "gethostname", lambda: "B")
    moved = Sweep(tmp_path / "here" / "s", SPACE, {}, say=[].append)
    assert taken_by(moved).job.slot == 1
    assert moved.queue.take() is None
    os.utime(moved.folder / taken.run.name / OWNER_LOCK, (0, 0))
    assert taken_by(moved).job.slot == 0
