"""What a run changed of its recipe."""

import json
from pathlib import Path

import pytest
import yaml

import lit_cnn
from lit_cnn.experiment.changes import Change, changes, differing, labels, one_line, recipe_of_run, trained_changes
from lit_cnn.experiment.files import find_recipe

OLD = {"about": {"title": "a"}, "data": {"batch_size": 64, "path": None}, "ema": {"decay": 0.9, "start": 1}}


def test_only_keys_that_differ_count_and_not_the_title() -> None:
    new = {"about": {"title": "b"}, "data": {"batch_size": 32, "path": None}, "ema": {"decay": 0.9}}
    assert changes(OLD, new) == {"data.batch_size": (64, 32), "ema.start": (1, None)}
    assert changes(OLD, OLD) == {}


def test_where_a_run_happens_is_no_change_of_what_it_yields() -> None:
    different = Change(1, 2)
    found = dict.fromkeys(
        ["data.path", "data.workers", "tracking.group", "trainer.devices", "trainer.max_epochs"], different
    )
    assert trained_changes(found) == {"trainer.max_epochs": different}


def test_several_recipes_differ_in_what_any_two_do() -> None:
    recipes = [
        {"data": {"batch_size": 1, "path": "a"}, "about": {"title": "a"}},
        {"data": {"batch_size": 1, "path": "b"}, "seed_everything": 1},
        {"data": {"batch_size": 2, "mixup": {"alpha": 1}}},
    ]
    assert differing(recipes) == {
        "seed_everything": [None, 1, None],
        "data.batch_size": [1, 1, 2],
        "data.mixup.alpha": [None, None, 1],
    }
    assert differing(recipes[:1]) == {}


def test_the_line_counts_what_it_does_not_name() -> None:
    assert one_line({"data.batch_size": Change(64, 32)}) == "data.batch_size 64 → 32"
    many = {f"model.options.{letter}": Change(None, True) for letter in "abcdefghij"}
    text = one_line(many)
    assert text.endswith("model.options.h null → true, and 2 more")
    assert text.count("→") == 8


def test_labels_are_as_short_as_they_can_be_told_apart() -> None:
    found = {
        "data.mixup.alpha": Change(0, 0.2),
        "data.cutmix.alpha": Change(1.0, 0.5),
        "model.schedule.name": Change("step", "cosine"),
        "monitor": Change("val/acc1", "val/loss"),
    }
    assert labels(found) == ["mixup.alpha=0.2", "cutmix.alpha=0.5", "name=cosine", "monitor=val/loss"]


def test_a_runs_folder_names_its_recipe(tmp_path: Path) -> None:
    assert recipe_of_run(tmp_path / "small_resnet50" / "20260101-000000-abc") == "small/resnet50"
    with pytest.raises(ValueError, match=r"there is no recipe mine, .* lit-cnn config diff YOUR\.yaml "):
        recipe_of_run(tmp_path / "mine" / "20260101-000000-abc")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("lit-cnn fit 'my own/fruit.yaml' --epochs 2", "my own/fruit.yaml"),
        ("lit-cnn fit --config 'my own/fruit.yaml' --config overlay.yaml", "my own/fruit.yaml"),
        (["lit-cnn", "fit", "--seed", "1", "--config=my own/fruit.yaml"], "my own/fruit.yaml"),
        ("lit-cnn fit gone/fruit.yaml", "fruit.yaml"),
        ("lit-cnn fit --extend last --epochs 3", "fruit.yaml"),
        (None, "fruit.yaml"),
    ],
)
def test_a_run_of_ones_own_recipe_knows_its_file(
    command: object, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "fruit" / "20260101-000000-abc"
    for folder in (run, tmp_path / "my own"):
        folder.mkdir(parents=True)
    for file in ("my own/fruit.yaml", "fruit.yaml", "overlay.yaml"):
        Path(file).write_text("{}")
    if command is not None:
        (run / "environment.json").write_text(json.dumps({"command": command}))
    assert recipe_of_run(run) == found


@pytest.mark.slow
def test_a_recipe_knows_what_lies_on_top_of_its_first_file(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("model: {optimizer: {learning_rate: 0.5}}\ntrainer: {enable_progress_bar: false}\n")
    recipe = lit_cnn.Recipe.load("quickstart", overlay, overrides={"data.batch_size": 32})
    rate = yaml.safe_load(find_recipe("quickstart").read_text())["model"]["optimizer"]["learning_rate"]
    assert recipe.changed == {"model.optimizer.learning_rate": (rate, 0.5), "data.batch_size": (64, 32)}
    assert lit_cnn.Recipe.load("quickstart").changed == {}


@pytest.mark.slow
def test_the_changes_of_a_run_stand_in_its_folder_its_results_and_its_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = []
    monkeypatch.setattr("lit_cnn.experiment.fit.make_logger", lambda tracking, *_: given.append(tracking.tags))
    few = {"trainer.max_epochs": 1, "trainer.limit_train_batches": 1, "trainer.limit_val_batches": 1}
    quiet = {"trainer.enable_progress_bar": False, "trainer.precision": "32-true", "trainer.log_every_n_steps": 1}
    recipe = lit_cnn.Recipe.load("quickstart", overrides={**few, **quiet, "tracking.tags": ["mine"]})
    run = lit_cnn.fit(recipe)
    assert run.folder is not None
    stored = json.loads((run.folder / "environment.json").read_text())["changed"]
    assert stored["trainer.max_epochs"] == [20, 1]
    assert run.notes[0].startswith("changed: ")
    assert "trainer.max_epochs 20 → 1" in run.notes[0]
    (labeled,) = given
    assert labeled[0] == "mine"
    assert "max_epochs=1" in labeled
