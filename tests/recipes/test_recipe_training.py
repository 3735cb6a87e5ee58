"""Every recipe trains: its real network at its real image size for a step, its CPU-size twin for its few epochs."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.cli.main import main
from lit_cnn.experiment.files import list_recipes, recipe_id

RECIPES = [path.stem for path in list_recipes() if path.stem not in ("quickstart", "folder")]
TWINS = [recipe_id(path) for path in list_recipes("small")]
UNTRAINED = {
    "finetune": [
        *("--model.initial.checkpoint", "null", "--model.initial.freeze_epochs", "0"),
        *("--model.initial.batch_norm", "train", "--model.architecture", "resnet50"),
    ]
}
"""What starts a recipe from random weights that names published ones, which would be downloaded."""
HERE = [*("--trainer.accelerator", "cpu", "--trainer.devices", "1"), *("--tracking.mode", "disabled")]


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder shaped like ImageNet: three classes of eight training and two validation photographs in noise."""
    root, draws = tmp_path_factory.mktemp("imagenet"), np.random.default_rng(0)
    for split, images in (("train", 8), ("val", 2)):
        for label in ("n01440764", "n01443537", "n01484850"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(images):
                pixels = draws.integers(0, 255, (375, 500, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.JPEG")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_one_step_of_the_real_network(
    name: str, imagenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    data = ["--data.source", "imagefolder", "--data.path", str(imagenet), "--data.batch_size", "4"]
    run = ["--data.workers", "0", "--trainer.fast_dev_run", "true", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", "--config", name, *data, *run, *HERE, *UNTRAINED.get(name, [])]) == 0, capsys.readouterr().err
    assert "fast_dev_run finished" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("real_data")
@pytest.mark.parametrize("name", TWINS, ids=lambda name: name.removeprefix("small/"))
def test_a_twin_trains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    few = ["--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"]
    run = ["--data.workers", "0", "--trainer.enable_progress_bar", "false", "--runs", str(tmp_path)]
    assert main(["fit", "--config", name, *few, *run, *HERE]) == 0, capsys.readouterr().err
    (folder,) = (tmp_path / name.replace("/", "_")).iterdir()
    with (folder / "metrics.csv").open() as lines:
        losses = [float(row["val/loss"]) for row in csv.DictReader(lines) if row.get("val/loss")]
    assert len(losses) == 4
    assert all(math.isfinite(loss) for loss in losses)
