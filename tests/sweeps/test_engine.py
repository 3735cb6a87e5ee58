"""The sweep: every slot once, whatever happens to the processes; draws by key; failures told."""

import dataclasses
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from sweep_process import FAKE, GRID

from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.jobs import Job, standing
from lit_cnn.sweeps.plan import Choice
from lit_cnn.sweeps.results import TrialResult
from lit_cnn.sweeps.sampling import KeyedSampler, suggest
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import OWNER_LOCK, Fit

PROGRAM = [sys.executable, str(Path(__file__).parent / "sweep_process.py")]


def run(folder: Path, space: Space = GRID, stop: StopSignals | None = None, storage: str | None = None) -> Sweep:
    folder.mkdir(parents=True, exist_ok=True)
    sweep = Sweep(folder, space, {"model.architecture": "resnet"}, storage, say=[].append)
    sweep.run(Fit(Path("recipe.yaml"), (), FAKE), stop or StopSignals())
    return sweep


def starts(row: TrialResult) -> list[str]:
    return (Path(row.run) / "starts").read_text().split()


def choices(*values: int | str) -> Space:
    return Space((Axis("x", choices=values),), metric="val/acc1")


def assert_complete_grid(rows: list[TrialResult]) -> None:
    assert [row.state for row in rows] == ["complete"] * 6
    assert [row.value for row in rows] == [22, 21, 20, 12, 11, 10]
    assert [row.trial for row in rows] == [6, 5, 4, 3, 2, 1]
    assert all(row.value == 10 * int(row.params["x"] or 0) + int(row.params["y"] or 0) for row in rows)
    assert len({row.run for row in rows}) == 6


def test_a_grid_ends_complete_best_first_and_is_not_run_again(tmp_path: Path) -> None:
    sweep = run(tmp_path / "grid")
    assert_complete_grid(sweep.results())
    assert_complete_grid(run(tmp_path / "grid").results())
    assert all(starts(row) == ["new"] for row in sweep.results())
    assert len(sweep.study.trials) == 6


def test_before_it_runs_every_trial_waits(tmp_path: Path) -> None:
    rows = Sweep(tmp_path, GRID, {}).results()
    assert [(row.state, row.params) for row in rows[:2]] == [
        ("waiting", {"x": 1, "y": 0}),
        ("waiting", {"x": 1, "y": 1}),
    ]


def test_failures_are_told_and_do_not_end_the_sweep(tmp_path: Path) -> None:
    rows = run(tmp_path / "s", choices("crash", "nan", 3)).results()
    assert [(row.state, row.value, row.error) for row in rows] == [
        ("complete", 30.0, ""),
        ("failed", None, "the images are missing"),
        ("failed", None, "val/acc1 was never a finite number"),
    ]
    again = run(tmp_path / "s", choices("crash", "nan", 3))
    assert starts(again.results()[1]) == ["new"]
    again.queue.retry_failed()
    again.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())
    assert starts(again.results()[1]) == ["new", "new"]
    assert [row.state for row in again.results()] == ["complete", "failed", "failed"]


def test_an_unlogged_metric_ends_the_sweep_and_can_be_corrected(tmp_path: Path) -> None:
    space = choices("other")
    with pytest.raises(ValueError, match="trial 1 of 1 has logged no val/acc1, but val/loss"):
        run(tmp_path / "s", space)
    rows = run(tmp_path / "s", dataclasses.replace(space, metric="val/loss")).results()
    assert rows[0].value == 0.5  # a loss: the smallest first


def test_a_rung_before_the_first_validation_is_named(tmp_path: Path) -> None:
    space = dataclasses.replace(choices(1, 2), metric="val/acc5", pruner=HALVING)
    sweep = Sweep(folder_made(tmp_path / "s"), space, {}, length=9)
    with pytest.raises(ValueError, match=r"let the pruner's first rung be no earlier than the first validation"):
        sweep.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())


def test_work_that_the_last_one_left_as_it_ended_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process ends its trial after this one has looked for work, and before it asks who is running."""
    folder = folder_made(tmp_path / "s")
    sweep = Sweep(folder, GRID, {"model.architecture": "resnet"}, say=[].append)
    take, looks = sweep.queue.take, itertools.count()
    monkeypatch.setattr(sweep.queue, "take", lambda: take() if next(looks) else None)
    sweep.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())
    assert_complete_grid(sweep.results())


def test_another_sweep_under_the_same_name_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "s", choices(1))
    with pytest.raises(ValueError, match=r"these keys differ: keys.x \(.*choose another --sweep-dir"):
        run(tmp_path / "s", choices(2))
    with pytest.raises(ValueError, match=r"model.architecture \('resnet' -> 'vgg'\)"):
        Sweep(tmp_path / "s", choices(1), {"model.architecture": "vgg"})


def test_a_stopped_trial_is_continued_from_its_checkpoint_before_new_ones(tmp_path: Path) -> None:
    folder, space = tmp_path / "s", choices("hang", 2)
    with StopSignals() as stop:
        first = Sweep(folder_made(folder), space, {"model.architecture": "resnet"}, say=[].append)
        signaler = threading.Thread(target=stop_when_saved, args=(folder,))
        signaler.start()
        first.run(Fit(Path("recipe.yaml"), (), FAKE), stop)
        signaler.join()
    assert [row.state for row in first.results()] == ["stopped", "waiting"]
    lines: list[str] = []
    second = Sweep(folder, space, {"model.architecture": "resnet"}, say=lines.append)
    second.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())
    assert "trial 1 of 2 continues" in lines[0]
    rows = second.results()
    assert [(row.value, starts(row)) for row in rows] == [(20.0, ["new"]), (1.0, ["new", "resume"])]


def folder_made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def stop_when_saved(folder: Path) -> None:
    """Send this process SIGTERM as soon as a run below ``folder`` has a checkpoint."""
    while not any(folder.glob("*/checkpoints/last.ckpt")):
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_running_trial_is_left_to_the_living_and_taken_from_the_dead(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, choices(5), {})
    taken = sweep.queue.take()
    assert taken is not None
    trial, folder, lock = taken.trial, taken.run, taken.lock
    other = Sweep(tmp_path, choices(5), {})
    assert other.queue.take() is None
    os.close(lock)  # what the death of its process does
    again = other.queue.take()
    assert again is not None
    assert (again.trial.params, again.run) == (trial.params, folder)
    assert [trial.state for trial in other.study.trials] == [TrialState.FAIL, TrialState.RUNNING]
    os.close(again.lock)


def test_a_trial_that_ends_while_its_lock_is_looked_at_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, other = Sweep(tmp_path, choices(5), {}), Sweep(tmp_path, choices(5), {})
    taken = sweep.queue.take()
    assert taken is not None
    trial, lock = taken.trial, taken.lock

    def end_then_look(_: Path) -> bool:
        sweep.study.tell(trial, 50.0)
        os.close(lock)
        return False

    monkeypatch.setattr("lit_cnn.sweeps.queue.is_held", end_then_look)
    assert other.queue.take() is None
    assert [row.value for row in other.results()] == [50.0]


@pytest.mark.slow
def test_a_slot_that_another_process_has_just_taken_is_dropped_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines with folders, and so queue locks, of their own."""
    storage = f"sqlite:///{tmp_path}/sweeps.db"
    first, second = (Sweep(folder_made(tmp_path / name / "s"), choices(5), {}, storage) for name in "ab")
    taken = first.queue.take()
    assert taken is not None
    monkeypatch.setattr(second.queue, "_next_job", iter([(Job(0), None, Choice()), None]).__next__)
    assert second.queue.take() is None
    assert [row.state for row in first.results()] == ["running"]
    os.close(taken.lock)


def test_a_running_trial_of_another_machine_is_left_alone_while_it_gives_signs_of_life(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, choices(5), {})
    taken = sweep.queue.take()
    assert taken is not None
    os.close(taken.lock)
    taken.trial.set_user_attr("host", f"not-{socket.gethostname()}")
    assert sweep.queue.take() is None
    lines, stop = [], StopSignals()
    sweep.say = lambda line: [lines.append(line), stop.note(signal.SIGTERM)]
    sweep.run(Fit(Path("recipe.yaml"), (), FAKE), stop)
    assert "after 5 minutes without a sign of life each is taken over" in lines[0]


def trial_of(slot: int, attempt: int, number: int) -> FrozenTrial:
    trial = create_trial(state=TrialState.RUNNING, user_attrs={"slot": slot, "attempt": attempt})
    trial.number = number
    return trial


def test_of_equal_attempts_the_first_stands_and_a_later_attempt_before_it() -> None:
    tried = ((0, 0), (0, 0), (1, 0), (1, 1), (1, 1), (1, 0))
    trials = [trial_of(slot, attempt, number) for number, (slot, attempt) in enumerate(tried)]
    assert {job: trial.number for job, trial in standing(trials).items()} == {Job(0): 0, Job(1): 3}


def seeded(*values: int, seeds: int) -> Space:
    return Space((Axis("x", choices=values),), metric="val/acc1", seeds=seeds)


def test_with_seeds_the_best_mean_wins_and_the_spread_is_told(tmp_path: Path) -> None:
    rows = run(tmp_path / "s", seeded(1, 3, seeds=3)).results()
    assert [(row.trial, row.state, row.n) for row in rows] == [(2, "complete", 3), (1, "complete", 3)]
    assert [(row.value, row.sd) for row in rows] == [(31.0, 1.0), (9.0, 1.0)]  # 30 + (0, 1, 2), 10 - (0, 1, 2)
    assert len({run for row in rows for run in row.runs}) == 6
    seeds = [(Path(run) / "settings").read_text().split("seed_everything=")[1].strip() for run in rows[0].runs]
    assert seeds == ["0", "1", "2"]


class Later(Space):
    """Its points are run with the seeds from 5 on."""

    first_seed = 5


def test_a_plan_states_its_first_seed(tmp_path: Path) -> None:
    folders = run(tmp_path / "s", Later((Axis("x", choices=(1,)),), metric="val/acc1", seeds=2)).results()[0].runs
    seeds = [(Path(folder) / "settings").read_text().split("seed_everything=")[1].strip() for folder in folders]
    assert seeds == ["5", "6"]


def test_more_seeds_are_added_to_those_that_have_run(tmp_path: Path) -> None:
    first = run(tmp_path / "s", seeded(1, 3, seeds=2)).results()
    more = run(tmp_path / "s", seeded(1, 3, seeds=3)).results()
    assert [row.n for row in more] == [3, 3]
    assert [row.runs[:2] for row in more] == [row.runs for row in first]
    with pytest.raises(ValueError, match="these keys differ: seeds"):
        run(tmp_path / "s", choices(1, 3))


def test_a_sampler_s_point_has_the_same_values_with_every_seed(tmp_path: Path) -> None:
    space = Space((Axis("x", low=1, high=9),), sampler="tpe", trials=3, metric="val/acc1", seeds=2)
    sweep = run(tmp_path / "s", space)
    drawn = [(trial.user_attrs["slot"], trial.params["x"]) for trial in sweep.study.trials]
    assert len(drawn) == 6
    assert len(set(drawn)) == 3


def test_a_point_of_which_a_seed_has_failed_does_not_win(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    run(folder, seeded(1, 3, seeds=1))
    sweep = Sweep(folder, seeded(1, 3, seeds=2), {"model.architecture": "resnet"})
    while (taken := sweep.queue.take()) is not None:
        if taken.job.slot == 1:
            taken.trial.set_user_attr("error", "out of memory")
        sweep.study.tell(taken.trial, *([] if taken.job.slot == 1 else [11.0]), **fail_if(taken.job.slot == 1))
        os.close(taken.lock)
    rows = sweep.results()
    assert [(row.trial, row.state, row.n, row.error) for row in rows] == [
        (1, "complete", 2, ""),
        (2, "failed", 1, "out of memory"),
    ]


def fail_if(failed: bool) -> dict[str, TrialState]:
    return {"state": TrialState.FAIL} if failed else {}


HALVING = Pruner(min_epochs=1, factor=3)


def test_pruning_trains_the_best_on_and_pauses_the_others(tmp_path: Path) -> None:
    space = Space((Axis("x", choices=(1, 2, 3, 4, 5, 6, 7, 8, 9)),), metric="val/acc1", pruner=HALVING)
    sweep = Sweep(folder_made(tmp_path / "s"), space, {}, length=9, say=[].append)
    assert sweep.rungs == (1, 3, 9)
    sweep.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())
    rows = sweep.results()
    assert [(row.trial, row.state, row.trained, row.value) for row in rows[:4]] == [
        (9, "complete", 9, 81.0),
        (8, "pruned", 3, 24.0),
        (7, "pruned", 3, 21.0),
        (6, "pruned", 1, 6.0),
    ]
    assert [starts(row) for row in rows[:4]] == [
        ["new", "resume", "resume"],
        ["new", "resume"],
        ["new", "resume"],
        ["new"],
    ]
    again = Sweep(tmp_path / "s", space, {}, length=9, say=[].append)
    again.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())
    assert again.results() == rows
    with pytest.raises(ValueError, match="these keys differ: pruner"):
        Sweep(tmp_path / "s", dataclasses.replace(space, pruner=Pruner(min_epochs=2)), {}, length=9)


def test_pruning_compares_means_over_seeds(tmp_path: Path) -> None:
    space = Space((Axis("x", choices=(1, 2, 3)),), metric="val/acc1", pruner=HALVING, seeds=2)
    sweep = Sweep(folder_made(tmp_path / "s"), space, {}, length=2, say=[].append)
    sweep.run(Fit(Path("recipe.yaml"), (), FAKE), StopSignals())
    assert [(row.trial, row.state, row.n) for row in sweep.results()] == [
        (3, "complete", 2),
        (2, "pruned", 2),
        (1, "pruned", 2),
    ]


@pytest.mark.slow
def test_a_trial_whose_process_died_runs_again_in_a_process_of_its_own(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, choices(5, 6), {}, say=[].append)
    taken = sweep.queue.take()
    assert taken is not None
    os.close(taken.lock)
    here: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        here.append(arguments)
        return 1

    sweep.run(Fit(Path("recipe.yaml"), (), FAKE, main), StopSignals())
    assert len(here) == 1
    assert "--x=6" in here[0]
    assert [(row.trial, row.state) for row in sweep.results()] == [(1, "complete"), (2, "failed")]


def draws(space: Space, slots: list[int]) -> list[float]:
    """What a new sampler draws for a study whose trials have these slots."""
    study = optuna.create_study(sampler=KeyedSampler(space))
    found = []
    for slot in slots:
        study.add_trial(create_trial(state=TrialState.WAITING, user_attrs={"slot": slot}))
        trial = study.ask()
        suggest(trial, space.keys[0], grid=False)
        found.append(trial.params["lr"])
    return found


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_draw_is_a_function_of_seed_and_slot(sampler: str) -> None:
    space = Space((Axis("lr", low=0.01, high=1.0, log=True),), sampler=sampler, trials=4)  # type: ignore[arg-type]
    forward = draws(space, [0, 1, 2, 3])
    assert draws(space, [3, 2, 1, 0]) == forward[::-1]
    assert len(set(forward)) == 4
    assert draws(dataclasses.replace(space, seed=1), [0]) != forward[:1]
    assert all(0.01 <= value <= 1.0 for value in forward)


def test_a_sampler_runs_its_trials_and_more_when_asked(tmp_path: Path) -> None:
    axes = (Axis("x", low=1, high=9), Axis("y", low=0.0, high=1.0, step=0.3))
    space = Space(axes, sampler="tpe", trials=3, metric="val/acc1")
    first = run(tmp_path / "s", space).results()
    assert [row.state for row in first] == ["complete"] * 3
    assert {round(float(row.params["y"] or 0), 9) for row in first} <= {0.0, 0.3, 0.6, 0.9}
    more = run(tmp_path / "s", dataclasses.replace(space, trials=5)).results()
    assert len(more) == 5
    assert {row.run for row in first} < {row.run for row in more}


@pytest.mark.slow
def test_a_database_serves_as_storage(tmp_path: Path) -> None:
    sweep = run(tmp_path / "s", storage=f"sqlite:///{tmp_path}/sweeps.db")
    assert_complete_grid(sweep.results())
    assert not (tmp_path / "s" / "journal.log").exists()


def test_a_storage_that_cannot_be_opened_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot open the storage nosuch://me:\*\*\*@host/x") as error:
        Sweep(tmp_path, GRID, {}, "nosuch://me:secret@host/x")
    assert "secret" not in str(error.value)


def start(folder: Path, *storage: str) -> subprocess.Popen:
    environment = {**os.environ, "FAKE_SECONDS": "0.4"}
    return subprocess.Popen([*PROGRAM, str(folder), *storage], env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.parametrize("database", [False, True])
def test_two_processes_share_a_grid_without_doubles(tmp_path: Path, database: bool) -> None:
    storage = [f"sqlite:///{tmp_path}/sweeps.db"] if database else []
    folders = [tmp_path / "a" / "s", tmp_path / ("b" if database else "a") / "s"]
    processes = [start(folder, *storage) for folder in folders]
    assert [process.wait() for process in processes] == [0, 0]
    sweep = Sweep(folders[0], GRID, {}, *storage)
    assert_complete_grid(sweep.results())
    assert sum(trial.state == TrialState.COMPLETE for trial in sweep.study.trials) == 6
    assert len(list(tmp_path.glob("*/s/*/starts"))) == 6


@pytest.mark.slow
def test_a_killed_sweep_is_completed_by_the_next_and_nothing_runs_twice(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    process = start(folder)
    while len(list(folder.glob("*/metrics.csv"))) < 2:
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = set(folder.glob("*/metrics.csv"))
    assert start(folder).wait() == 0
    rows = Sweep(folder, GRID, {}).results()
    assert_complete_grid(rows)
    again = [row.run for row in rows if len(starts(row)) > 1]
    assert len(again) <= 1  # at most the trial that was running when the sweep was killed
    assert len(list(folder.glob("*/starts"))) == 6
    assert done <= set(folder.glob("*/metrics.csv"))
    assert not any((Path(row.run) / OWNER_LOCK).stat().st_size for row in rows)
