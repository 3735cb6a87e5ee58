import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import PREPROCESSING, write_checkpoint
from foreign import LITE0, hub_with_lite0, offline
from PIL import Image
from scenes import scene
from tiny_coco import make_folder, recipe_of, write_recipe
from tiny_layouts import tiny_splits, write_coco, write_voc, write_yolo

from lit_cnn.cli.main import main
from lit_cnn.evaluation.checking import WEIGHTS
from lit_cnn.experiment.fit import fit
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.checkpoint import BEST, export_weights, load_checkpoint

__all__ = ["hub_with_lite0", "offline"]
GRAY = {**PREPROCESSING, "image_size": [8, 8], "resize": 8, "mean": [0.5], "std": [0.5], "in_channels": 1}


def write(path: Path, **changes: Any) -> Path:
    return write_checkpoint(path, ["a", "b", "c"], preprocessing=GRAY, global_step=7, **changes)


def write_poisoned(path: Path) -> Path:
    state = load_checkpoint(write(path))["state_dict"]
    state["net.head.classifier.bias"][1] = float("inf")
    return write(path, state_dict=state)


def findings(path: Path, capsys: pytest.CaptureFixture, code: int) -> dict[str, list[str]]:
    assert main(["check", str(path), "--json"]) == code
    said: dict[str, list[str]] = {"error": [], "warning": [], "fact": []}
    for finding in json.loads(capsys.readouterr().out):
        said[finding["kind"]].append(finding["text"])
    return said


@pytest.mark.slow
@pytest.mark.usefixtures("hub_with_lite0")
def test_published_weights_are_checked_by_name(capsys: pytest.CaptureFixture) -> None:
    assert main(["check", LITE0, "--json"]) == 0
    (fact,) = (each["text"] for each in json.loads(capsys.readouterr().out) if each["kind"] == "fact")
    assert "efficientnet_lite0" in fact


def test_a_sound_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (fact,) = findings(write(tmp_path / "last.ckpt"), capsys, 0)["fact"]
    assert fact.startswith("last.ckpt: cifar_resnet20, 7 steps, sha256 ")


@pytest.mark.slow
def test_a_checkpoint_that_is_not_finite(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (error,) = findings(write_poisoned(tmp_path / "last.ckpt"), capsys, 1)["error"]
    assert "1 tensors are not finite, the first is net.head.classifier.bias" in error


def test_a_torn_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write(tmp_path / "last.ckpt")
    path.write_bytes(path.read_bytes()[:1000])
    (error,) = findings(path, capsys, 1)["error"]
    assert "truncated or not a checkpoint" in error


def test_a_run_folder_without_its_recipe(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "checkpoints").mkdir()
    write(tmp_path / "checkpoints" / "last.ckpt")
    (tmp_path / "metrics.csv").write_text("epoch,step,lr\n0,1,0.1\n")
    said = findings(tmp_path, capsys, 1)
    assert len(said["error"]) == 1
    assert "config.yaml is missing or unreadable" in said["error"][0]
    assert "metrics.csv: 1 rows" in said["fact"]


@pytest.mark.slow
def test_exported_weights_are_compared_with_the_best_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    export_weights(load_checkpoint(write(folder / BEST)), folder / WEIGHTS)
    assert f"{WEIGHTS} equals the weights of {BEST}" in findings(tmp_path, capsys, 1)["fact"]
    write(folder / BEST, seed=1)
    assert f"{WEIGHTS} differs from the weights of {BEST}" in findings(tmp_path, capsys, 1)["error"]
    (folder / WEIGHTS).write_bytes(b"torn")
    assert any("cannot be compared" in text for text in findings(tmp_path, capsys, 1)["error"])


@pytest.mark.parametrize("name", ["nowhere", "typo.ckpt", "typo.npz"])
def test_what_does_not_exist(name: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["check", name]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"the path '{name}' does not exist" in said
    assert "data.path" not in said


def test_strict_ends_with_1_on_warnings_too(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for row in range(2):
            scene(2 * number + row).save(tmp_path / name / f"{row}.png")
    assert main(["check", str(tmp_path), "--strict"]) == 0
    (tmp_path / "cat" / "notes.txt").touch()
    assert main(["check", str(tmp_path)]) == 0
    assert main(["check", str(tmp_path), "--strict"]) == 1
    assert main(["check", str(tmp_path), "--strict", "--json"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "]"
    assert "warning 1 file left out: no image by the ending (.txt)" in lines
    assert "0 errors, 1 warning" in lines


def test_files_are_decoded_by_the_flags(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for row in range(2):
            Image.fromarray(np.full((6, 8), number + row / 4, dtype=np.float32)).save(tmp_path / name / f"{row}.tif")
    assert main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("or state --levels LOW HIGH, the numbers that are black and white") == 4
    assert main(["check", str(tmp_path), "--levels", "0", "2"]) == 0
    assert main(["check", str(tmp_path), "--levels", "0", "2", "--max-pixels", "47"]) == 1
    assert "has 8 x 6 = 48 px, more than the 47 px allowed; make it smaller or remove it, or raise --max-pixels" in (
        capsys.readouterr().out
    )


def test_a_folder_of_images_with_boxes_is_checked_as_one(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    splits = tiny_splits()
    splits["train"][0].boxes.append(("dog", 50, 5, 51, 9))
    write_coco(tmp_path, splits)
    assert main(["check", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["text"] for each in said["findings"] if "degenerate" in each["text"]] == [
        "train: train2017/train_00.png, annotation 1001 (dog), degenerate box [50, 5, 51, 9]: left out"
    ]
    assert {(each["split"], each["name"]): each["boxes"] for each in said["classes"]}["train", "dog"] == 3
    assert main(["check", str(tmp_path), "--strict"]) == 1
    out = capsys.readouterr().out
    assert "0 errors, " in out.splitlines()[-1]
    assert [line.split()[:4] for line in out.splitlines() if line.startswith("dog ")] == [
        ["dog", "train", "3", "3"],
        ["dog", "val", "1", "1"],
        ["dog", "test", "1", "1"],
    ]


def test_programs_are_named_every_wrong_box_and_people_ten(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    splits = tiny_splits(1, 0, 0)
    splits["train"][0].boxes.extend(("dog", 50, 5, 51, 10 + row) for row in range(15))
    write_coco(tmp_path, splits)
    assert main(["check", str(tmp_path), "--json"]) == 0
    texts = [each["text"] for each in json.loads(capsys.readouterr().out)["findings"]]
    assert sum("degenerate box [" in text for text in texts) == 15
    assert main(["check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("degenerate box [") == 10
    assert "5 more of train: 15 degenerate boxes in all (--json names them all)" in out


def test_the_recipe_of_a_detector_is_checked_by_its_images(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_yolo(write_voc(tmp_path / "set"))
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"task: detection\ndata: {{path: {tmp_path / 'set'}, layout: voc}}\n")
    assert main(["check", str(recipe), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["findings"][0]["text"]
    assert "has the layout voc" in first
    assert main(["check", str(tmp_path / "set")]) == 1
    assert "has 2 layouts, voc and yolo" in capsys.readouterr().err
    recipe.write_text("task: detection\ndata: {canvas: [8, 8]}\n")
    assert main(["check", str(recipe)]) == 1
    assert "does not state data.path" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
def test_the_run_of_a_detector_is_rebuilt(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    images = make_folder(tmp_path / "fruit")
    run = fit(Recipe.load(write_recipe(tmp_path / "fruit.yaml", recipe_of(images))), runs=tmp_path / "runs")
    assert run.folder is not None
    capsys.readouterr()  # what the training said
    facts = findings(run.folder, capsys, 0)["fact"]
    assert any(fact.startswith("last.ckpt: fcos on resnet18, ") for fact in facts)
    assert any(fact.startswith("config.yaml: ") and str(images) in fact for fact in facts)
    last = run.folder / "checkpoints" / "last.ckpt"
    content = load_checkpoint(last)
    del content["state_dict"][next(iter(content["state_dict"]))]
    torch.save(content, last)
    errors = findings(run.folder, capsys, 1)["error"]
    assert [error for error in errors if error.startswith("last.ckpt: the network cannot be rebuilt: ")] == errors
    assert "\n" not in errors[0]
