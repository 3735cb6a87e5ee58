"""What a sweep's folder remembers, and where spaces are found."""

import csv
from pathlib import Path

import pytest
import yaml

from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.sweeps.folder import check_keys, find_parts, find_space, write_parts, write_results
from lit_cnn.sweeps.results import TrialResult
from lit_cnn.sweeps.space import Axis, Space

KEY = "model.optimizer.learning_rate"
SPACE = Space((Axis(KEY, choices=(0.1, 0.2, 0.3)),), metric="val/acc1")
SHIPPED = Path(__file__).parents[2] / "recipes" / "sweeps"


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
