"""The recipes on COCO run on a tiny folder of its layout: every part but the size is the recipe's."""

from pathlib import Path

import pytest
import yaml
from tiny_coco import make_folder

from lit_cnn.experiment.files import list_recipes, recipe_id
from lit_cnn.experiment.fit import fit
from lit_cnn.experiment.recipe import Recipe

RECIPES = [recipe_id(path) for path in list_recipes("detection") if "coco" in path.stem]
SMALL = {
    "data.canvas": [128, 128],
    "data.batch_size": 2,
    "data.workers": 0,
    "trainer.accelerator": "cpu",
    "trainer.devices": 1,
    "trainer.fast_dev_run": True,
    "trainer.enable_progress_bar": False,
    "tracking.mode": "disabled",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*tensorboardX.*")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_on_coco_runs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = {} if name.endswith("retinanet_resnet101_coco") else {"model.architecture": "resnet18"}  # once in full
    folder = make_folder(tmp_path / "coco")
    recipe = Recipe.load(name, overrides={"data.path": str(folder), **SMALL, **own})
    run = fit(recipe, runs=tmp_path / "runs")
    assert run.folder is None
    assert "fast_dev_run finished" in capsys.readouterr().out
    assert yaml.safe_load(yaml.safe_dump(recipe.resolved)) == recipe.resolved
