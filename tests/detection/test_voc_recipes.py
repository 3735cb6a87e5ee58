"""The recipes on Pascal VOC run on a tiny folder of its layout, from the weights of a classifier."""

from pathlib import Path

import pytest
import yaml
from tiny_layouts import write_voc

from lit_cnn.experiment.files import list_recipes, recipe_id
from lit_cnn.experiment.fit import fit
from lit_cnn.experiment.recipe import Recipe

RECIPES = [recipe_id(path) for path in list_recipes("detection") if "voc" in path.stem]
SMALL = {
    "data.batch_size": 2,
    "data.val_fraction": 0.5,
    "data.workers": 0,
    "trainer.accelerator": "cpu",
    "trainer.devices": 1,
    "trainer.fast_dev_run": True,
    "trainer.enable_progress_bar": False,
    "tracking.mode": "disabled",
    "model.architecture": "resnet18",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*tensorboardX.*")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_on_voc_runs_from_a_classifier_by_one_key(
    name: str, tmp_path: Path, classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_voc(tmp_path / "VOCdevkit")
    canvas = {} if "ssd" in name else {"data.canvas": [128, 128]}
    start = {"model.initial.checkpoint": str(classifier)}
    recipe = Recipe.load(name, overrides={"data.path": str(folder), **SMALL, **canvas, **start})
    run = fit(recipe, runs=tmp_path / "runs")
    assert run.folder is None
    said = capsys.readouterr().out
    assert "fast_dev_run finished" in said
    assert f"started from {classifier} (resnet18): copied 120 of 120 tensors of the network resnet18" in said
    assert yaml.safe_load(yaml.safe_dump(recipe.resolved)) == recipe.resolved
