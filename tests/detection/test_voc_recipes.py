"""The recipes on Pascal VOC run on a tiny folder of its layout, from the weights of a classifier."""

from pathlib import Path

import pytest
import torch
import yaml
from tiny_layouts import tiny_images, write_voc

from lit_cnn.architectures.catalog import create_model
from lit_cnn.experiment.files import list_recipes, recipe_id
from lit_cnn.experiment.fit import fit
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.checkpoint import FORMAT

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
}
quiet = pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*tensorboardX.*")


def write_voc0712(root: Path) -> Path:
    """VOC2007 with its test images, and VOC2012 without."""
    for year, splits in (("VOC2007", ("train", "val", "test")), ("VOC2012", ("train", "val"))):
        write_voc(root / year, {split: tiny_images(3, f"{year}_{split}_") for split in splits})
    return root


def resnet50(folder: Path) -> Path:
    """A checkpoint of an untrained classifier."""
    torch.manual_seed(0)
    network = create_model("resnet50", num_classes=2)
    described = {"architecture": "resnet50", "options": {}, "num_classes": 2, "in_channels": 3}
    state = {f"net.{name}": value for name, value in network.state_dict().items()}
    stored = {"format": FORMAT, "network": described, "state_dict": state, "global_step": 0}
    torch.save({**stored, "class_names": ["a", "b"], "preprocessing": None}, folder / "resnet50.ckpt")
    return folder / "resnet50.ckpt"


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_on_voc_runs_from_a_classifier_by_one_key(
    name: str, tmp_path: Path, classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_voc0712(tmp_path / "VOCdevkit")
    canvas = {} if "ssd" in name else {"data.canvas": [128, 128]}
    start = {"model.initial.checkpoint": str(classifier), "model.architecture": "resnet18"}
    recipe = Recipe.load(name, overrides={"data.path": str(folder), **SMALL, **canvas, **start})
    run = fit(recipe, runs=tmp_path / "runs")
    assert run.folder is None
    said = capsys.readouterr().out
    assert "fast_dev_run finished" in said
    assert f"started from {classifier} (resnet18): copied 120 of 120 tensors of the network resnet18" in said
    assert yaml.safe_load(yaml.safe_dump(recipe.resolved)) == recipe.resolved


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_on_voc_runs_as_it_is_on_both_years(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ResNet-50 on the recipe's own canvas; the trainval images of both years are trained on and held out of."""
    folder, weights = write_voc0712(tmp_path / "VOCdevkit"), resnet50(tmp_path)
    start = {"data.path": str(folder), "model.initial.checkpoint": str(weights)}
    recipe = Recipe.load(name, overrides={**start, **SMALL, "data.batch_size": 1})
    loaded = recipe.data.loaded
    assert (len(loaded.train) + len(loaded.val), len(loaded.test)) == (12, 3)
    assert {image.path.split("/")[0] for image in loaded.train.images} == {"VOC2007", "VOC2012"}
    assert {image.path.split("/")[0] for image in loaded.test.images} == {"VOC2007"}
    fit(recipe, runs=tmp_path / "runs")
    said = capsys.readouterr().out
    assert "fast_dev_run finished" in said
    assert "(resnet50): copied 318 of 318 tensors of the network resnet50" in said
