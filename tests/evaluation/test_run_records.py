"""Runs are found by any name, and a folder says how its run stands."""

import os
from pathlib import Path

import pytest
import torch
from made_runs import make_run, make_runs
from nasty_names import NASTY

from lit_cnn.evaluation.run_records import epochs_ended, find_runs, means_runs, read_run
from lit_cnn.run_folder.checkpoint import FORMAT
from lit_cnn.run_folder.lock import locked


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return make_runs(tmp_path / "runs", {0.1: [0.8, 0.9], 0.2: [0.7]})


def test_runs_are_found_by_folder_by_the_folder_above_and_by_pattern(runs: Path) -> None:
    names = ["0.1-0", "0.1-1", "0.2-0"]
    assert [found.name for found in find_runs([str(runs)])] == names
    assert [found.name for found in find_runs([f"{runs}/*/0.1*"])] == names[:2]
    assert [found.name for found in find_runs([f"{runs}/made/0.2-0", f"{runs}/made"])] == ["0.2-0", *names[:2]]


def test_a_run_named_twice_is_one(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    assert find_runs(["made/0.1-0", f"{runs}/made/0.1-0", "made/../made/0.1*"]) == [
        Path("made/0.1-0"),
        Path("made/../made/0.1-1"),
    ]


def test_files_inside_a_run_are_no_other_run(runs: Path) -> None:
    inner = runs / "made" / "0.1-0" / "wandb" / "files"
    inner.mkdir(parents=True)
    (inner / "config.yaml").write_text("a: 1\n")
    assert len(find_runs([str(runs)])) == 3


def test_a_name_that_is_of_no_run_is_refused(runs: Path) -> None:
    (runs / "empty").mkdir()
    for name in (str(runs / "empty"), str(runs / "missing"), f"{runs}/x*/*"):
        with pytest.raises(ValueError, match=r"there is no run in .*: name a run folder"):
            find_runs([name])


def test_networks_and_checkpoints_do_not_mean_runs(runs: Path) -> None:
    (runs / "made" / "0.1-0" / "checkpoints").mkdir()
    (runs / "a.ckpt").touch()
    for name in ("resnet50", "resnet*", "resnet50@timm:tv_in1k", f"{runs}/made/0.1-0/checkpoints", f"{runs}/a.ckpt"):
        assert not means_runs(name), name
    for name in (str(runs), f"{runs}/made/0.1-0", f"{runs}/*", "nowhere/*"):
        assert means_runs(name), name


@pytest.mark.parametrize("name", NASTY)
def test_folders_of_any_name_are_found(name: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "runs" / name)
    assert means_runs(str(folder))
    assert find_runs([str(folder)]) == [folder]
    assert find_runs([f"{tmp_path}/runs/*"]) == [folder]
    assert read_run(folder).state == "finished"


def test_how_a_run_stands(tmp_path: Path) -> None:
    finished = read_run(make_run(tmp_path / "a"))
    assert (finished.state, finished.detail, finished.epochs, finished.seed) == ("finished", "", 3, 0)
    assert finished.metrics() == ["val/loss", "val/acc1", "train/loss"]
    half = make_run(tmp_path / "b", (0.5, 0.6))
    assert (read_run(half).state, read_run(half).detail) == ("unfinished", "2 of 3 epochs")
    with locked(half):
        assert read_run(half).state == "running"
    steps = make_run(tmp_path / "c", (0.5, 0.6), trainer__max_epochs=-1, trainer__max_steps=4)
    assert read_run(steps).state == "finished"
    more = make_run(tmp_path / "d", (0.5, 0.6), trainer__max_epochs=None, trainer__max_steps=5)
    assert (read_run(more).state, read_run(more).detail) == ("unfinished", "4 of 5 steps")
    diverged = make_run(tmp_path / "e", (0.5, float("nan")))
    assert (read_run(diverged).state, read_run(diverged).detail) == (
        "failed",
        "val/loss not finite after 2 of 3 epochs",
    )


def test_early_stopping_ends_a_run_by_its_last_checkpoint(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", (0.5, 0.6), early_stopping__patience=1)
    assert read_run(folder).state == "unfinished"
    (folder / "checkpoints").mkdir()
    checkpoint = {
        "network": {"architecture": None},
        "state_dict": {},
        "format": FORMAT,
        "recipe": {"trainer": {"max_epochs": 3}, "early_stopping": {"patience": 1}},
        "loops": {"fit_loop": {"epoch_progress": {"current": {"processed": 2}}}},
        "global_step": 4,
        "callbacks": {"EarlyStopping{}": {"wait_count": 1}},
    }
    torch.save(checkpoint, folder / "checkpoints" / "last.ckpt")
    assert read_run(folder).state == "finished"


def test_files_of_older_versions_may_be_missing(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path / "a", data=None, environment=None, speed=None))
    assert (run.data_set, run.environment, run.timing, run.state) == (None, None, [], "finished")
    (tmp_path / "a" / "data.json").write_text("[1")
    assert read_run(tmp_path / "a").data_set is None


def test_what_cannot_be_read_has_failed(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a")
    (folder / "metrics.csv").write_text("a,b\n1,2\n")
    assert read_run(folder).state == "failed"
    assert "is not a metrics file" in read_run(folder).detail
    (folder / "config.yaml").write_text("- 1\n")
    assert "config.yaml is not a recipe" in read_run(folder).detail
    (folder / "config.yaml").write_text("a: [\n")
    assert read_run(folder).state == "failed"


def test_a_trial_that_never_began_has_failed(tmp_path: Path) -> None:
    make_run(tmp_path / "sweep" / "a")
    (tmp_path / "sweep" / "b").mkdir()
    (tmp_path / "sweep" / "b" / "fit.log").write_text("lit-cnn: wrong\n")
    states = [read_run(folder).state for folder in find_runs([str(tmp_path / "sweep")])]
    assert states == ["finished", "failed"]


def test_a_validation_inside_an_epoch_does_not_end_it() -> None:
    inside = {"epoch": 2.0, "step": 9.0, "val/acc1": 0.5}
    assert epochs_ended([{"epoch": 1.0, "step": 7.0, "train/loss": 0.5}, inside]) == 2
    assert epochs_ended([inside]) == 3
    assert epochs_ended([]) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_run_that_may_not_be_read_has_failed(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a")
    (folder / "config.yaml").chmod(0)
    assert read_run(folder).state == "failed"
