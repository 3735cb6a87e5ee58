from pathlib import Path

import lightning.pytorch as pl
import pytest

from lit_cnn.experiment.parser import RecipeCLI, recipe_parser
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.experiment.task import require_classification, task_of

DETECTION = "task: detection\nmodel: {architecture: resnet18}\ndata: {path: fruit}\n"


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_recipe_without_a_task_is_of_classification() -> None:
    assert task_of({"a.yaml": {"model": {}}}, []) == "classification"
    assert task_of({}, ["--data.path", "x"]) == "classification"


def test_files_and_the_command_line_state_the_task() -> None:
    assert task_of({"a.yaml": {"task": "detection"}, "overlay.yaml": {"data": {}}}, []) == "detection"
    assert task_of({}, ["--task", "detection"]) == task_of({}, ["--task=detection"]) == "detection"


def test_two_tasks_are_refused_in_one_sentence() -> None:
    recipes = {"a.yaml": {"task": "detection"}, "b.yaml": {"task": "classification"}}
    with pytest.raises(ValueError, match=r"^a\.yaml is a recipe of the task detection, b\.yaml one of the task class"):
        task_of(recipes, [])
    with pytest.raises(ValueError, match="the command line one of the task classification"):
        task_of({"a.yaml": {"task": "detection"}}, ["--task=classification"])


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^a\.yaml: task must be classification or detection, got 'segment'$"):
        task_of({"a.yaml": {"task": "segment"}}, [])


def test_what_is_for_classifiers_says_so() -> None:
    require_classification("classification")
    with pytest.raises(ValueError, match="this one's task is detection"):
        require_classification("detection")


def test_a_recipe_of_a_detector_has_its_sections(tmp_path: Path) -> None:
    cli = RecipeCLI(["--config", str(file(tmp_path, "fruit.yaml", DETECTION))])
    assert cli.task == cli.config.task == "detection"
    assert (cli.config.monitor, cli.config.early_stopping.monitor) == ("val/map", "val/map")
    assert cli.config.model.detector == "fcos"
    assert cli.config.about.title == "fcos with resnet18 on fruit"
    assert "task: detection" in cli.dump()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("progressive_learning.stages=2", "the recipe has no key 'progressive_learning.stages'"),
        ("data.image_size=64", "'data.image_size', since its task is detection: .*, or state task: classification$"),
        ("model.fcos.dept=2", "did you mean 'model.fcos.depth'"),
        ("model.detector=yolo", "model.detector"),
    ],
)
def test_a_key_that_a_detector_has_not_is_named(tmp_path: Path, key: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RecipeCLI(["--config", str(file(tmp_path, "fruit.yaml", DETECTION)), f"--{key}"])


def test_a_detector_s_keys_without_its_task_are_named_with_it(tmp_path: Path) -> None:
    recipe = file(
        tmp_path, "fruit.yaml", DETECTION.replace("task: detection\n", "").replace("fruit", "fruit, canvas: [64, 64]")
    )
    with pytest.raises(ValueError, match=r"'data\.canvas', since its task is classification: .* task: detection$"):
        RecipeCLI(["--config", str(recipe)])


def test_a_metric_that_a_detector_does_not_have_is_no_monitor(tmp_path: Path) -> None:
    recipe = Recipe.load(file(tmp_path, "fruit.yaml", DETECTION), overrides={"monitor": "val/loss"})
    with pytest.raises(ValueError, match=r"^monitor is val/loss, but a validation of this task has only val/map, "):
        recipe.check_monitor()
    for known in ("val/map50", "train/loss"):
        recipe.monitor = known
        recipe.check_monitor()


def test_the_parser_of_classification_is_the_default() -> None:
    assert recipe_parser() is not recipe_parser("detection")
    assert RecipeCLI(["--config", "recipes/quickstart.yaml"]).config.task == "classification"


@pytest.mark.slow
def test_a_classifier_is_not_chosen_by_a_metric_that_it_has_not() -> None:
    wrong, right = ("val/acc", "val/map", "val_loss", "accuracy"), ("val/acc3", "train/loss")
    for monitor, refused in [*((name, True) for name in wrong), *((name, False) for name in right)]:
        recipe = Recipe.load("quickstart", overrides={"monitor": monitor})
        if refused:
            with pytest.raises(ValueError, match=r"has only val/loss, val/acc1, val/acc5, val/loss_raw, val/acc1_raw$"):
                recipe.check_monitor()
        else:
            recipe.check_monitor()
    Recipe.load("quickstart", overrides={"monitor": "my/f1"}).check_monitor([pl.Callback()])  # which may log it
