"""A run that is continued reads its checkpoint once, and ends as one that was not stopped."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from fitted_run import FittedRun

from lit_cnn import Recipe, fit
from lit_cnn.cli.main import main
from lit_cnn.experiment.fit import _ending_in_names, _environment
from lit_cnn.run_folder.checkpoint import load_checkpoint


@pytest.mark.slow
def test_a_resumed_run_reads_its_checkpoint_once(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "tiny" / "1"
    shutil.copytree(fitted.folder, run)
    checkpoints = run / "checkpoints"
    (checkpoints / "previous.ckpt").replace(checkpoints / "last.ckpt")
    read: list[str] = []
    load = torch.load

    def counted(file: Any, *arguments: Any, **options: Any) -> Any:
        read.append(Path(file).name)
        return load(file, *arguments, **options)

    monkeypatch.setattr(torch, "load", counted)
    assert main(["fit", "--resume", str(run)]) == 0
    assert read.count("last.ckpt") == 1
    assert read == ["last.ckpt", "best.ckpt"]  # the second for the weights that are exported at the end


def test_a_recipe_that_has_trained_begins_no_other_run(tmp_path: Path) -> None:
    recipe = Recipe.load("quickstart")
    recipe.trained_by = Path("runs/quickstart/1")
    with pytest.raises(ValueError, match=r"the run runs/quickstart/1 has trained the network of this recipe"):
        fit(recipe, runs=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_recipe_trains_one_run_which_it_may_continue(fitted: FittedRun, tmp_path: Path) -> None:
    """Another run began with the trained weights, without a word."""
    limits = {"trainer.limit_train_batches": 1, "trainer.limit_val_batches": 1, "trainer.log_every_n_steps": 1}
    recipe = Recipe.load(fitted.recipe, overrides={"trainer.max_epochs": 1, **limits})
    run = fit(recipe, runs=str(tmp_path))
    assert run.folder is not None
    with pytest.raises(ValueError, match=rf"the run {run.folder} has trained the network of this recipe"):
        fit(recipe, runs=tmp_path)
    assert fit(recipe, resume=str(run.folder)).epochs == 1
    shutil.rmtree(run.folder / "checkpoints")
    with pytest.raises(ValueError, match="load the recipe again"):
        fit(recipe, resume=run.folder)


def test_a_run_that_starts_again_says_what_its_first_start_did(tmp_path: Path) -> None:
    """It left no checkpoint; the command and the changed keys were those of --resume."""
    said = {"command": "lit-cnn fit mine.yaml --epochs 3", "changed": {"trainer.max_epochs": [90, 3]}}
    (tmp_path / "environment.json").write_text(json.dumps(said))
    recipe = Recipe.load("quickstart")
    again = _environment(tmp_path, recipe, ["lit-cnn", "fit", "--resume", "last"], resuming=True)
    assert {key: again[key] for key in said} == said
    new = _environment(tmp_path, recipe, ["lit-cnn", "fit", "quickstart"], resuming=False)
    assert (new["command"], new["changed"]) == ("lit-cnn fit quickstart", {})


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_its_best_weights_alone_too(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--config", str(fitted.recipe), "--trainer.max_epochs=100000", "--trainer.max_time=00:00:00:01"]
    assert main(["fit", *words]) == 124
    (weights,) = tmp_path.glob("runs/*/*/checkpoints/weights.safetensors")
    assert weights.stat().st_mode & 0o044
    assert load_checkpoint(weights)["class_names"] == load_checkpoint(weights.parent / "best.ckpt")["class_names"]


@pytest.mark.slow
def test_a_run_is_extended_from_within_its_folder(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder that runs of a recipe share was looked for in the path as it was stated."""
    monkeypatch.chdir(fitted.folder)
    assert main(["fit", "--extend", ".", "--epochs", "3", "--runs", str(tmp_path)]) == 0
    assert [path.parents[1].name for path in tmp_path.glob("*/*/config.yaml")] == ["tiny"]
    assert f"extending {fitted.folder.resolve()} by the new run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stated", "used"),
    [
        *((".", "runs/tiny/1"), ("../1", "runs/tiny/1"), ("../../tiny/1", "../../tiny/1")),
        *(("..", "runs/tiny"), ("../../tiny/../tiny/1", "../../tiny/../tiny/1")),
    ],
)
def test_a_path_of_a_run_ends_in_names(stated: str, used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs/tiny/1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "runs/tiny/1")
    assert _ending_in_names(Path(stated)) == (tmp_path.resolve() / used if used.startswith("runs") else Path(used))
    assert _ending_in_names(None) is None


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_fetches_the_weights_it_starts_from(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders as text, as people write them in Python."""
    run, begun = tmp_path / "tiny" / "1", []
    run.mkdir(parents=True)
    shutil.copy(fitted.folder / "environment.json", run)
    recipe = yaml.safe_load((fitted.folder / "config.yaml").read_text())
    recipe["model"]["initial"]["checkpoint"] = str(fitted.folder)
    (run / "config.yaml").write_text(yaml.safe_dump(recipe))

    def noted(recipe: Recipe, *others: Any) -> None:
        begun.append((recipe.model.initial.checkpoint, *others[2:4]))

    monkeypatch.setattr("lit_cnn.experiment.fit._fit", noted)
    fit(Recipe.load(run / "config.yaml"), resume=str(run), runs=str(tmp_path))
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last.ckpt").touch()
    fit(Recipe.load(run / "config.yaml"), resume=run, runs=tmp_path)
    assert begun == [(str(fitted.best), tmp_path, run), (str(fitted.folder), tmp_path, run)]
