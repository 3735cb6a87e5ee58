"""Run folders do not collide, and broken or dangerous checkpoints are refused in one sentence."""

import os
import shlex
import time
from pathlib import Path

import pytest
import torch

from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.run_folder import checkpoint
from lit_cnn.run_folder.checkpoint import BEST, FORMAT, LAST, MIGRATIONS, PREVIOUS, load_checkpoint
from lit_cnn.run_folder.folder import (
    create_run_dir,
    describe_environment,
    find_checkpoint,
    find_run,
    note_last,
    resumable_checkpoint,
)


class Evil:
    def __reduce__(self) -> tuple:
        return os.mkdir, ("executed",)


def write(path: Path, **changes: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"network": {}, "state_dict": {"net.w": torch.ones(1000)}, "format": FORMAT, **changes}, path)
    return path


def test_a_run_folder_means_its_best_checkpoint_or_else_its_last(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no checkpoint"):
        find_checkpoint(tmp_path)
    for name in (PREVIOUS, LAST, BEST):
        path = write(tmp_path / "checkpoints" / name)
        assert find_checkpoint(tmp_path) == find_checkpoint(str(tmp_path / "checkpoints")) == path


def test_a_file_means_itself_whether_it_is_there_or_not(tmp_path: Path) -> None:
    for name in (LAST, "gone.ckpt"):
        write(tmp_path / LAST)
        assert find_checkpoint(tmp_path / name) == tmp_path / name
    assert find_checkpoint("https://example.org/x.ckpt") == "https://example.org/x.ckpt"


def test_runs_of_one_second_do_not_collide(tmp_path: Path) -> None:
    folders = {create_run_dir(tmp_path, "quickstart") for _ in range(20)}
    assert len(folders) == 20


@pytest.mark.parametrize("place", ["runs", "runs/recipe"])
@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_below_a_link_to_nothing_or_a_file_is_refused(place: str, kind: str, tmp_path: Path) -> None:
    """It was tried again for ever, as if another run had taken the name."""
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to("/nowhere/runs") if kind == "link" else (tmp_path / place).write_text("")
    named = {"link": "a link to nothing; restore its target", "file": "a file; move it away"}[kind]
    with pytest.raises(ValueError, match=f"cannot create the run folder .*/{place} is {named}"):
        create_run_dir(tmp_path / "runs", "recipe")


def test_last_is_the_run_noted_last_whatever_the_clock_says(tmp_path: Path) -> None:
    """The clock jumps back by a day between two runs, and forward within one."""
    old, new, killed = (create_run_dir(tmp_path, "recipe") for _ in range(3))
    now = time.time()
    for seconds, folder in ((0, old), (-86400, new)):
        (folder / "config.yaml").write_text("{}")
        os.utime(folder / "config.yaml", (now + seconds,) * 2)
    os.utime(write(old / "checkpoints" / LAST), (now + 86400,) * 2)
    note_last(tmp_path, new)
    assert find_run("last", tmp_path) == new
    note_last(tmp_path, old)
    assert find_run("last", tmp_path) == old
    note_last(tmp_path, killed)  # before it had a recipe: nothing of it can be continued
    assert find_run("last", tmp_path) == old


@pytest.mark.parametrize("recipe", ["[v1] birds", " leading and trailing ", "猫", os.fsdecode(b"caf\xe9")])
def test_last_is_found_whatever_its_recipe_is_called(recipe: str, tmp_path: Path) -> None:
    other, run = create_run_dir(tmp_path, "other"), create_run_dir(tmp_path, recipe)
    for folder in (run, other):
        (folder / "config.yaml").write_text("{}")
    note_last(tmp_path, run)
    assert find_run("last", tmp_path) == run


def test_the_newest_checkpoint_is_told_by_its_name_not_by_the_clock(tmp_path: Path) -> None:
    last = write(tmp_path / "checkpoints" / LAST)
    write(tmp_path / "checkpoints" / PREVIOUS)
    os.utime(last, (0, 0))
    found, problem = resumable_checkpoint(tmp_path)
    assert (found.path, problem) == (last, None)
    assert found.checkpoint.keys() == load_checkpoint(last).keys()


def test_without_a_note_last_is_the_run_that_started_or_saved_last(tmp_path: Path) -> None:
    old, new, young = (create_run_dir(tmp_path, "recipe") for _ in range(3))
    now = time.time()
    for age, folder in ((300, old), (200, new), (100, young)):
        (folder / "config.yaml").write_text("{}")
        os.utime(folder / "config.yaml", (now - age,) * 2)
    assert find_run("last", tmp_path) == young  # killed before its first checkpoint
    for age, folder in ((90, old), (50, new)):
        os.utime(write(folder / "checkpoints" / LAST), (now - age,) * 2)
    assert find_run("last", tmp_path) == new
    assert find_run(str(old), tmp_path) == old
    with pytest.raises(ValueError, match="no run folder"):
        find_run("elsewhere", tmp_path)
    with pytest.raises(ValueError, match="no run below"):
        find_run("last", tmp_path / "none")


def test_a_torn_checkpoint_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / LAST)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ValueError, match="truncated or not a checkpoint"):
        load_checkpoint(path)


def test_code_in_a_checkpoint_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / LAST, extra=Evil())
    with pytest.raises(ValueError, match="can run code"):
        load_checkpoint(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [({"format": FORMAT + 1}, "upgrade lit-cnn"), ({"network": None, "state_dict": None}, None)],
)
def test_formats(tmp_path: Path, content: dict, sentence: str | None) -> None:
    path = write(tmp_path / LAST, **content)
    if sentence is None:
        assert load_checkpoint(path)["format"] == FORMAT
    else:
        with pytest.raises(ValueError, match=sentence):
            load_checkpoint(path)


def test_an_older_checkpoint_is_migrated_version_by_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / LAST, old=1)
    monkeypatch.setattr(checkpoint, "FORMAT", FORMAT + 2)
    with pytest.raises(ValueError, match=f"has format {FORMAT}, which this lit-cnn no longer reads"):
        load_checkpoint(path)
    monkeypatch.setitem(MIGRATIONS, FORMAT, lambda found: {**found, "between": found["old"] + 1})
    with pytest.raises(ValueError, match=f"has format {FORMAT}, which"):  # half of the way is none
        load_checkpoint(path)
    monkeypatch.setitem(MIGRATIONS, FORMAT + 1, lambda found: {**found, "new": found["between"] + 1})
    migrated = load_checkpoint(path)
    assert (migrated["new"], migrated["format"]) == (3, FORMAT + 2)


def test_version_2_knew_squares_and_the_side_before_the_crop_as_a_ratio(tmp_path: Path) -> None:
    others = {"interpolation": "bicubic", "mean": [0.5], "std": [0.5], "in_channels": 1}
    for size, ratio, side in ((224, 0.875, 256), (32, 1.0, 32), (224, 224 / 232, 232), (300, 0.9, 333)):
        stored = {"image_size": size, "crop_ratio": ratio, **others}
        found = load_checkpoint(write(tmp_path / LAST, format=2, preprocessing=stored))["preprocessing"]
        assert found == {"image_size": [size, size], "resize": side, "resize_mode": "shorter_side", **others}
        assert Preprocessing.from_dict(found).box == (side, side)
    assert load_checkpoint(write(tmp_path / LAST, format=2, preprocessing=None))["preprocessing"] is None
    present = Preprocessing((8, 9), 10, "squash", "bilinear", (0.5,), (0.5,), 1).as_dict()
    assert load_checkpoint(write(tmp_path / LAST, preprocessing=present))["preprocessing"] == present


def test_foreign_files_and_urls_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "foreign.pt")
    with pytest.raises(ValueError, match="not written by lit-cnn"):
        load_checkpoint(tmp_path / "foreign.pt")
    with pytest.raises(ValueError, match="is a URL"):
        load_checkpoint("https://example.org/x.ckpt")
    with pytest.raises(ValueError, match="there is no checkpoint"):
        load_checkpoint(tmp_path / "none.ckpt")


def test_a_torn_last_checkpoint_falls_back_to_the_previous(tmp_path: Path) -> None:
    write(tmp_path / "checkpoints" / PREVIOUS)
    last = tmp_path / "checkpoints" / LAST
    last.write_bytes(b"torn")
    found, problem = resumable_checkpoint(tmp_path)
    assert found.path.name == PREVIOUS
    assert problem is not None
    assert "continuing from the previous" in problem
    (tmp_path / "checkpoints" / PREVIOUS).unlink()
    with pytest.raises(ValueError, match="no readable checkpoint"):
        resumable_checkpoint(tmp_path)


def test_the_command_of_a_run_can_be_pasted() -> None:
    words = ["lit-cnn", "fit", "--config", "my recipe.yaml", "--about.title", "it's new"]
    command = describe_environment(words)["command"]
    assert command.startswith("lit-cnn fit --config 'my recipe.yaml'")
    assert shlex.split(command) == words
