"""A finished run is extended by a new one that carries its state, and ends the same when it is killed on the way."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import yaml
from fitted_run import FittedRun
from torch.optim import SGD

from lit_cnn import Recipe
from lit_cnn import fit as fit_recipe
from lit_cnn.cli.main import main
from lit_cnn.experiment.extending import extended_checkpoint, is_finished, planned
from lit_cnn.experiment.fit import Run
from lit_cnn.experiment.starting import check_same_run
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint, network_weights
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.training.optimization.schedules import ScheduleSettings, factor

STEPS = 3  # of an epoch of the tiny run, which has trained 2 epochs


class Kill(Exception):
    """Ends a run as a kill would: nothing is saved."""


class KillAfter(pl.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.step:
            raise Kill


class Rates(pl.Callback):
    """Note rate, momentum and the momentum buffers' presence at each step."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float, bool]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        (optimizer,) = trainer.optimizers
        assert isinstance(optimizer, SGD)
        group = optimizer.param_groups[0]
        self.seen.append((group["lr"], group["momentum"], "momentum_buffer" in optimizer.state[group["params"][0]]))


def recipe_of(folder: Path, **changes: Any) -> Recipe:
    keys = {key.replace("__", "."): value for key, value in {"trainer__log_every_n_steps": 1, **changes}.items()}
    return Recipe.load(folder / "config.yaml", overrides=keys)


def extend(fitted: FittedRun, runs: Path, *watchers: pl.Callback, **changes: Any) -> Run:
    recipe = recipe_of(fitted.folder, **{"trainer__max_epochs": 4, **changes})
    return fit_recipe(recipe, extend=fitted.folder, runs=runs, watchers=watchers)


@pytest.mark.slow
def test_an_extending_run_goes_on_with_weights_averages_and_counts(fitted: FittedRun, tmp_path: Path) -> None:
    before = load_checkpoint(fitted.last)
    with pytest.raises(Kill):
        extend(fitted, tmp_path, KillAfter(2 * STEPS + 1))
    (folder,) = (tmp_path / "tiny").iterdir()
    assert folder.name != fitted.folder.name
    start = load_checkpoint(folder / "checkpoints" / "start.ckpt")
    for weights in ("raw", "ema"):
        expected = network_weights(before, weights)
        assert all(tensor.equal(expected[name]) for name, tensor in network_weights(start, weights).items())
    run = fit_recipe(recipe_of(folder), resume=folder, runs=tmp_path)
    assert run.epochs == 4
    after = load_checkpoint(folder / "checkpoints" / LAST)
    assert after["global_step"] == 4 * STEPS
    assert int(after["averaging_state"]["n_averaged"]) == 4 * STEPS


@pytest.mark.slow
def test_it_records_where_it_came_from_and_goes_on_with_the_curves(fitted: FittedRun, tmp_path: Path) -> None:
    run = extend(fitted, tmp_path)
    assert run.folder is not None
    origin = json.loads((run.folder / "extends.json").read_text())
    assert origin == {"run": str(fitted.folder.resolve()), "epochs": 2, "steps": 2 * STEPS}
    assert yaml.safe_load((run.folder / "config.yaml").read_text())["trainer"]["max_epochs"] == 4
    rows = read_metrics(run.folder / "metrics.csv")
    assert [row["epoch"] for row in rows if "val/acc1" in row] == [0, 1, 2, 3]
    assert rows[: len(read_metrics(fitted.folder / "metrics.csv"))] == read_metrics(fitted.folder / "metrics.csv")
    best = max(row["val/acc1"] for row in rows if "val/acc1" in row)
    assert run.best_score == pytest.approx(best, abs=1e-6)


@pytest.mark.slow
def test_the_schedule_is_the_new_recipes_at_the_carried_step(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates, settings = Rates(), {"model__optimizer__learning_rate": 0.2, "model__optimizer__momentum": 0.5}
    extend(fitted, tmp_path, rates, **settings)
    multiples = [factor(ScheduleSettings(), step, total_steps=12, steps_per_epoch=3) for step in range(6, 12)]
    assert [rate for rate, _, _ in rates.seen] == pytest.approx([0.2 * multiple for multiple in multiples])
    assert {momentum for _, momentum, _ in rates.seen} == {0.5}
    assert all(carried for _, _, carried in rates.seen)
    said = [line for line in capsys.readouterr().out.splitlines() if "carried over" in line]
    assert len(said) == 1
    assert f"after 2 epochs and 6 steps: learning rate {0.2 * multiples[0]:g}" in said[0]


@pytest.mark.parametrize("step", [2 * STEPS + 2, 3 * STEPS + 1])
@pytest.mark.slow
def test_killed_and_resumed_it_ends_bit_equal(fitted: FittedRun, tmp_path: Path, step: int) -> None:
    """Killed before its first checkpoint, and after it; the early stopping's and the rate's keys are its own."""
    changes = {"model__optimizer__learning_rate": 0.2, "early_stopping__patience": 3}
    whole = extend(fitted, tmp_path / "whole", **changes)
    with pytest.raises(Kill):
        extend(fitted, tmp_path / "parts", KillAfter(step), **changes)
    (folder,) = (tmp_path / "parts" / "tiny").iterdir()
    fit_recipe(recipe_of(folder), resume=folder, runs=tmp_path / "parts")
    assert whole.folder is not None
    first, second = (load_checkpoint(run / "checkpoints" / LAST) for run in (whole.folder, folder))
    for weights in ("raw", "ema"):
        expected = network_weights(first, weights)
        assert all(tensor.equal(expected[name]) for name, tensor in network_weights(second, weights).items())
    assert (folder / "metrics.csv").read_bytes() == (whole.folder / "metrics.csv").read_bytes()


@pytest.mark.slow
def test_the_command_extends_by_the_stored_recipe(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "--extend", str(fitted.folder), "--epochs", "3", "--runs", str(tmp_path)]) == 0
    assert "results after 3 epochs" in capsys.readouterr().out
    assert len(list((tmp_path / "tiny").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], r"has trained 2 epochs and trainer\.max_epochs is 2: set --trainer\.max_epochs above 2 to extend it"),
        (["--epochs", "4", "--data.batch_size", "4"], r"data\.batch_size \(8 -> 4\); to take its weights alone"),
        (["--epochs", "4", "--model.optimizer.name", "lamb"], r"model\.optimizer\.name \('sgd' -> 'lamb'\)"),
        (["--epochs", "4", "--model.optimizer.head_factor", "5"], r"model\.optimizer\.head_factor \(1\.0 -> 5\.0\)"),
        (["--epochs", "4", "--resume", "RUN"], "either continued .* or extended"),
    ],
)
def test_what_cannot_be_extended_is_one_sentence(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    words = [str(fitted.folder) if word == "RUN" else word for word in arguments]
    assert main(["fit", "--extend", str(fitted.folder), *words, "--runs", str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.search(message, said)
    assert not (tmp_path / "tiny").exists()


def test_a_run_that_is_older_than_some_keys_is_continued_and_extended(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a later version adds has its default in it, so no key differs."""
    folder = tmp_path / "tiny" / "older"
    shutil.copytree(fitted.folder, folder)
    stored = yaml.safe_load((folder / "config.yaml").read_text())
    del (
        stored["data"]["crop"]["border"],
        stored["model"]["optimizer"]["layer_decay"],
        stored["model"]["initial"]["head"],
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(stored))
    check_same_run(folder, Recipe.load(folder / "config.yaml").resolved)
    assert capsys.readouterr().out == ""
    assert extended_checkpoint(folder, recipe_of(folder, trainer__max_epochs=4).resolved).parents[1] == folder


@pytest.mark.slow
def test_missing_unfinished_and_foreign_folders_are_refused(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Kill):
        fit_recipe(recipe_of(fitted.folder), runs=tmp_path, watchers=[KillAfter(STEPS + 1)])
    (unfinished,) = tmp_path.glob("*/*/config.yaml")
    (tmp_path / "empty").mkdir()
    cases = {
        "gone": "there is no run folder",
        "empty": "is not a run folder, it has no config.yaml",
        str(unfinished.parent.relative_to(tmp_path)): "is not finished, it stands after step 3: continue it with "
        f"lit-cnn fit --resume {unfinished.parent}",
    }
    for name, message in cases.items():
        assert main(["fit", "--extend", str(tmp_path / name), "--epochs", "9", "--runs", str(tmp_path)]) == 1
        assert message in capsys.readouterr().err


@pytest.mark.slow
def test_resuming_a_finished_run_says_so_and_how_to_extend_it(
    fitted: FittedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "--resume", str(fitted.folder)]) == 0
    said = capsys.readouterr().out
    assert f"the run {fitted.folder} is finished: it has trained its 2 epochs" in said
    assert f"lit-cnn fit --extend {fitted.folder} --trainer.max_epochs N" in said
    assert "val/acc1" in said


def test_a_run_that_early_stopping_ended_is_finished() -> None:
    progress = {"loops": {"fit_loop": {"epoch_progress": {"current": {"processed": 3}}}}, "global_step": 30}
    state = {"EarlyStopping{'monitor': 'val/acc1'}": {"wait_count": 2}}
    recipe: dict[str, Any] = {"trainer": {"max_epochs": 9, "max_steps": -1}, "early_stopping": {"patience": 2}}
    assert is_finished({**progress, "callbacks": state, "recipe": recipe})
    recipe["early_stopping"]["patience"] = 3
    assert not is_finished({**progress, "callbacks": state, "recipe": recipe})


def test_limits_that_a_recipe_leaves_out_are_lightnings() -> None:
    assert planned({"max_epochs": None, "max_steps": -1})[0] == 1000
    assert planned({"max_epochs": None, "max_steps": 50}) == (float("inf"), 50)
    assert planned({"max_epochs": -1}) == (float("inf"), float("inf"))
