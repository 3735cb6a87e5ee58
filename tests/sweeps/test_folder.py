"""What a sweep's folder remembers, and where spaces are found."""

import csv
from pathlib import Path

import pytest
import yaml

from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.sweeps.folder import (
    check_keys,
    find_parts,
    find_space,
    needs_processes,
    run_length,
    value_of,
    write_parts,
    write_results,
)
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.results import TrialResult
from lit_cnn.sweeps.space import Axis, Space

KEY = "model.optimizer.learning_rate"
SPACE = Space((Axis(KEY, choices=(0.1, 0.2, 0.3)),), metric="val/acc1")
SHIPPED = Path(__file__).parents[2] / "recipes" / "sweeps"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rand_augment_grid", "learning_rate"])
def test_the_spaces_we_ship_fit_their_recipe(name: str) -> None:
    stated = ["--config", "cifar10_resnet20"]
    space, recipe = find_parts(Path("nowhere"), f"sweeps/{name}", stated)
    assert space.metric == "val/acc1"  # the recipe's monitor, or the space's own
    check_keys(space, recipe, stated)


@pytest.mark.parametrize("prefix", ["sweeps/", "recipes/sweeps/", "search/", "recipes/search/", "./recipes/search/"])
def test_a_space_is_found_where_it_lies_and_by_the_name_of_its_former_folder(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweeps" / "learning_rate").mkdir(parents=True)  # the folder of a sweep of that name
    for name in (f"{prefix}learning_rate", f"{prefix}learning_rate.yaml"):
        assert find_space(name).resolve() == SHIPPED / "learning_rate.yaml"


def test_an_own_space_in_a_folder_of_the_former_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "learning_rate.yaml").write_text("keys: {}")
    assert find_space("search/learning_rate.yaml") == Path("search/learning_rate.yaml")


def test_a_wrong_space_names_where_spaces_are() -> None:
    with pytest.raises(ValueError, match="there is no space file search/nowhere: pass a path, or sweeps/rand_augment_"):
        find_space("search/nowhere")


def test_a_folder_gives_back_what_it_was_made_of(tmp_path: Path) -> None:
    cli = RecipeCLI(["--model.architecture=cifar_resnet8", "--data.source=digits", f"--{KEY}=0.5"])
    fit = write_parts(tmp_path, SPACE, cli)
    space, recipe = find_parts(tmp_path, None, [])
    assert space == SPACE
    assert RecipeCLI(recipe).config[KEY] == 0.5
    assert fit.recipe == tmp_path / "recipe.yaml"
    assert fit.arguments[-1] == f"--tracking.group={tmp_path.name}"


@pytest.mark.slow
def test_the_best_trial_s_values_are_those_of_the_recipe_that_is_left(tmp_path: Path) -> None:
    write_parts(tmp_path, SPACE, RecipeCLI(["--model.architecture=cifar_resnet8", "--data.source=digits"]))
    rows = [
        TrialResult(2, "complete", 0.75, {KEY: 0.2}, run="runs/2"),
        TrialResult(1, "complete", 0.5, {KEY: 0.1}),
        TrialResult(3, "failed", None, {KEY: 0.3}, error="out of memory"),
    ]
    write_results(tmp_path, SPACE, rows)
    assert yaml.safe_load((tmp_path / "best.yaml").read_text())["model"]["optimizer"]["learning_rate"] == 0.2
    assert "the best of 2 complete trials of 3 (grid)" in (tmp_path / "best.yaml").read_text()
    assert (tmp_path / "heatmap.png").stat().st_size > 1000
    with (tmp_path / "trials.csv").open(newline="") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["2", "1", "3"]


def test_without_a_complete_trial_there_is_the_list_alone(tmp_path: Path) -> None:
    write_results(tmp_path, SPACE, [TrialResult(1, "waiting", None, {})])
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def recipe(*arguments: str) -> RecipeCLI:
    return RecipeCLI(["--model.architecture=cifar_resnet8", "--data.source=digits", *arguments])


@pytest.mark.slow
def test_the_best_mean_is_told_with_its_spread_and_runs(tmp_path: Path) -> None:
    space = Space(SPACE.keys, metric="val/acc1", seeds=3)
    write_parts(tmp_path, space, recipe())
    rows = [
        TrialResult(2, "complete", 0.75, {KEY: 0.2}, run="a", sd=0.01, n=3, runs=("a", "b", "c")),
        TrialResult(1, "running", 0.9, {KEY: 0.1}, run="d", n=1, runs=("d",)),  # one lucky seed
    ]
    write_results(tmp_path, space, rows)
    text = (tmp_path / "best.yaml").read_text()
    assert yaml.safe_load(text)["model"]["optimizer"]["learning_rate"] == 0.2
    assert yaml.safe_load(text)["seed_everything"] == 0
    assert "val/acc1 75.00 % ± 1.00 % (n=3) of its best epoch, the best of 1 complete trials of 3 (grid)" in text
    assert "# Mean ± standard deviation over the seeds 0 to 2; no single seed decides.\n" in text
    assert all(f"# Run folder: {run}\n" in text for run in "abc")
    with (tmp_path / "trials.csv").open(newline="") as file:
        assert [(row["sd"], row["n"]) for row in csv.DictReader(file)] == [("0.01", "3"), ("", "1")]
    assert find_parts(tmp_path, None, [])[0].seeds == 3


def test_a_value_is_shown_with_what_is_known_of_its_spread() -> None:
    assert value_of(TrialResult(1, "waiting", None, {}), SPACE) == "–"
    assert value_of(TrialResult(1, "complete", 0.5, {}), SPACE) == "50.00 %"
    assert value_of(TrialResult(1, "running", 0.5, {}, n=1), SPACE) == "50.00 % (n=1)"


@pytest.mark.parametrize(
    ("key", "arguments"),
    [("seed_everything", []), (KEY, ["--seed_everything=4"])],
)
def test_seeds_are_stated_in_one_place(key: str, arguments: list[str]) -> None:
    space = Space((Axis(key, choices=(1, 2)),), seeds=3)
    with pytest.raises(ValueError, match="and the sweep has seeds: leave out one of them"):
        check_keys(space, ["--model.architecture=cifar_resnet8", "--data.source=digits", *arguments], arguments)


@pytest.mark.slow
def test_a_pruned_sweep_has_the_length_of_the_recipe() -> None:
    assert run_length(SPACE, recipe()) is None
    assert run_length(pruned(min_epochs=2), recipe("--trainer.max_epochs=9")) == 9
    assert run_length(pruned(min_steps=20), recipe("--trainer.max_steps=90")) == 90


def pruned(key: str = KEY, **rung: int) -> Space:
    return Space((Axis(key, choices=(5, 6)),), metric="val/acc1", pruner=Pruner(**rung))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (pruned(min_epochs=9), "pruner.min_epochs is 9 but must be below trainer.max_epochs, which is 9"),
        (pruned(min_steps=9), "pruner.min_steps needs trainer.max_steps, which the recipe leaves open"),
        (pruned(min_epochs=1), "pruner.min_epochs is 1, but the first validation is after epoch 2"),
        (pruned("trainer.max_epochs", min_epochs=1), "trainer.max_epochs is in the space, but a pruner compares"),
    ],
)
def test_a_pruner_that_does_not_fit_the_recipe_is_refused(space: Space, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_length(space, recipe("--trainer.max_epochs=9", "--trainer.check_val_every_n_epoch=2"))


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--trainer.accelerator=cpu", "--trainer.devices=1"], False),
        (["--trainer.accelerator=cpu", "--trainer.devices=auto"], False),
        (["--trainer.accelerator=cpu", "--trainer.devices=2"], True),
        (["--trainer.devices=[0,1]"], True),
        (["--trainer.devices=[1]"], False),
        (["--trainer.devices=1", "--trainer.num_nodes=2"], True),
        (["--trainer.devices=1", "--trainer.strategy=ddp"], True),
    ],
)
def test_more_than_one_device_needs_a_process_for_each_trial(arguments: list[str], needed: bool) -> None:
    assert needs_processes(recipe(*arguments)) is needed


def test_sweeping_what_a_process_sets_once_needs_processes() -> None:
    assert needs_processes(recipe("--trainer.devices=1"), ["machine.interop_threads"])
