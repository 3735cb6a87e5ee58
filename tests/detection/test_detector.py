from pathlib import Path
from typing import Any

import pytest
import torch
from digits_run import assert_equal_trees
from tiny_coco import make_folder, recipe_of, write_recipe

from lit_cnn.detection.detector import Detector
from lit_cnn.experiment.fit import Run, fit
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.checkpoint import BEST, LAST, load_checkpoint
from lit_cnn.training.stopping import Pause

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*does not have many workers.*")]
STATE = ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "global_step", "thresholds")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("images") / "fruit")


def load(tmp_path: Path, folder: Path, **sections: Any) -> Recipe:
    return Recipe.load(write_recipe(tmp_path / "fruit.yaml", recipe_of(folder, **sections)))


RANDOM: dict[str, Any] = {
    "ema": {"decay": 0.9, "validate_raw": True},
    "model": {
        "detector": "fcos",
        "architecture": "resnet18",
        "options": {"drop_path": 0.3},
        "pyramid": {"width": 32, "top": "none"},
        "fcos": {"depth": 1},
        "optimizer": {"name": "adamw", "learning_rate": 1e-3, "base_batch_size": None},
    },
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Run:
    path = tmp_path_factory.mktemp("whole")
    return fit(load(path, folder, **RANDOM), runs=path / "runs")


def test_a_run_leaves_checkpoints_figures_and_pictures(whole: Run) -> None:
    assert whole.folder is not None
    assert (whole.epochs, whole.monitor) == (2, "val/map")
    assert {"val/map", "val/map50", "val/map_raw", "train/loss", "train/loss_box"} <= whole.metrics.keys()
    left = {path.name for path in whole.folder.iterdir()}
    assert {"first_batch.png", "precision_recall.png", "confusion.png", "found_boxes.png", "curves.png"} <= left
    assert (whole.folder / "checkpoints" / "weights.safetensors").is_file()


def test_a_run_stopped_inside_an_epoch_and_resumed_ends_with_the_same_bits(
    whole: Run, tmp_path: Path, folder: Path
) -> None:
    stopped = fit(load(tmp_path, folder, **RANDOM), runs=tmp_path / "runs", pause=Pause(None, 6))
    assert stopped.exit_code == 75
    assert stopped.folder is not None
    assert whole.folder is not None
    stored = Recipe.load(stopped.folder / "config.yaml")
    fit(stored, resume=stopped.folder)
    first, second = (load_checkpoint(each / "checkpoints" / LAST) for each in (whole.folder, stopped.folder))
    assert first["global_step"] == 8
    for key in STATE:
        assert_equal_trees(first[key], second[key], key)
    assert (stopped.folder / "metrics.csv").read_bytes() == (whole.folder / "metrics.csv").read_bytes()


SMALL: dict[str, dict[str, Any]] = {
    "faster_rcnn": {
        "pyramid": {"width": 16, "strides": [4, 8, 16, 32], "top": "pool"},
        "faster_rcnn": {"anchors_per_image": 16, "training_proposals": 20, "proposals_per_image": 8, "hidden": 16},
    },
    "ssd": {"ssd": {"scales": [0.1, 0.2, 0.33, 0.51, 0.69, 0.87, 1.05]}},
}


@pytest.mark.parametrize("name", SMALL)
def test_detectors_that_draw_what_they_count_resume_to_the_same_bits(
    name: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = {**RANDOM["model"], "detector": name, **SMALL[name]}
    model["options"] = {"drop_path": 0.3, "width_multiplier": 0.25}
    sections = {**RANDOM, "model": model}
    straight = fit(load(tmp_path, folder, **sections), runs=tmp_path / "straight")
    stopped = fit(load(tmp_path, folder, **sections), runs=tmp_path / "runs", pause=Pause(None, 6))
    assert stopped.folder is not None
    assert straight.folder is not None
    torch.rand(3)  # what others draw does not matter
    fit(Recipe.load(stopped.folder / "config.yaml"), resume=stopped.folder)
    first, second = (load_checkpoint(each / "checkpoints" / LAST) for each in (straight.folder, stopped.folder))
    for key in STATE:
        assert_equal_trees(first[key], second[key], key)
    assert first["network"]["detector"].keys() == {"name", "canvas", "pyramid", "fcos", "retinanet", name}
    again = Detector.load_from_checkpoint(stopped.folder / "checkpoints" / LAST)
    assert getattr(again, name) == getattr(load(tmp_path, folder, **sections).model, name)
    said = "1 of 8 training images have no box: ssd learns nothing from them"
    assert (said in capsys.readouterr().out) == (name == "ssd")


@pytest.mark.parametrize("name", [BEST, "weights.safetensors"])
def test_a_detector_is_made_again_from_its_file(whole: Run, name: str) -> None:
    assert whole.folder is not None
    detector = Detector.load_from_checkpoint(whole.folder / "checkpoints" / name)
    stored = load_checkpoint(whole.folder / "checkpoints" / BEST)
    assert detector.class_names == ["apple", "pear"]
    assert detector.category_ids == (2, 7)
    assert tuple(detector.preprocessing.canvas) == (64, 64)
    assert detector.thresholds is not None
    assert detector.thresholds.as_dict() == stored["thresholds"]
    assert detector.network.decoding == detector.decoding
    state = {f"net.{key}": value for key, value in detector.network.state_dict().items()}
    assert all(torch.equal(value, stored["state_dict"][key]) for key, value in state.items())
