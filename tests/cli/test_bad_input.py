"""Each mistake is answered by one sentence that names it, a non-zero exit code and no traceback."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.cli.main import main
from lit_cnn.training.runs import FORMAT

MODEL = "model: {architecture: cifar_resnet20}\n"
FOLDER = "data: {source: imagefolder, path: PATH, image_size: 16, batch_size: 4, workers: 0, crop: {kind: resize}}\n"
TRAINER = "trainer: {max_epochs: 1, accelerator: cpu, enable_progress_bar: false}\ntracking: {mode: disabled}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIT_CNN_DEBUG", raising=False)
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / "images" / split / name).mkdir(parents=True)
            for number in range(4):
                pixels = np.random.default_rng(number).integers(0, 255, (20, 20, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "images" / split / name / f"{number}.jpg")
    return tmp_path


def recipe(folder: Path, text: str) -> str:
    path = folder / "recipe.yaml"
    path.write_text(text.replace("PATH", str(folder / "images")))
    return str(path)


def sentence(capsys: pytest.CaptureFixture, arguments: list[str], code: int = 1) -> str:
    assert main(arguments) == code
    error = capsys.readouterr().err.strip().splitlines()
    said = [line for line in error if line.startswith("lit-cnn: ")]
    assert len(said) == 1, error
    assert not any("Traceback" in line for line in error)
    return said[0]


def test_unknown_command(capsys: pytest.CaptureFixture) -> None:
    assert "did you mean 'models'" in sentence(capsys, ["model"], 2)


@pytest.mark.usefixtures("folder")
def test_unknown_recipe(capsys: pytest.CaptureFixture) -> None:
    assert "did you mean quickstart" in sentence(capsys, ["fit", "--config", "quickstrt"])


RECIPES = {
    "misspelt key": (MODEL.replace("architecture", "architecure"), "did you mean 'model.architecture'"),
    "misspelt nested key": (
        MODEL + FOLDER.replace("path", "rand_augment: {layer: 2}, path"),
        "did you mean 'data.rand_augment.layers'",
    ),
    "wrong type": (MODEL + FOLDER.replace("batch_size: 4", "batch_size: lots"), "data.batch_size"),
    "unknown architecture": (MODEL.replace("resnet20", "resnt20") + FOLDER + TRAINER, "did you mean 'cifar_resnet20'"),
    "unknown option": (
        MODEL.replace("20}", "20, options: {stride_in: 1x1}}") + FOLDER + TRAINER,
        "cifar_resnet20 has no option 'stride_in'",
    ),
    "YAML syntax": ("model:\n  architecture: [cifar\ndata: x\n", "recipe.yaml, line"),
    "not a mapping": ("- a\n- b\n", "must hold a mapping"),
    "contradicting classes": (
        MODEL.replace("20}", "20, num_classes: 7}") + FOLDER + TRAINER,
        "model.num_classes is 7 but the data has 2",
    ),
    "missing folder": (MODEL + FOLDER.replace("PATH", "/nowhere/at/all") + TRAINER, "/nowhere/at/all"),
    "batch larger than the set": (MODEL + FOLDER.replace("batch_size: 4", "batch_size: 64") + TRAINER, "larger than"),
    "negative size": (MODEL + FOLDER.replace("image_size: 16", "image_size: -1") + TRAINER, "data.image_size is -1"),
    "missing initial weights": (
        MODEL.replace("20}", "20, initial: {checkpoint: nowhere.ckpt}}") + FOLDER + TRAINER,
        "there is no checkpoint nowhere.ckpt",
    ),
    "lightning's own clipping": (
        MODEL + FOLDER + TRAINER.replace("max_epochs: 1", "max_epochs: 1, gradient_clip_val: 1.0"),
        "set model.clipping.kind norm",
    ),
    "more stages than epochs": (
        MODEL + FOLDER + TRAINER + "progressive_learning: {stages: 4, image_size: 8}\n",
        "progressive_learning.stages is 4, more than the run's 1 epochs",
    ),
    "no end of the schedule": (
        MODEL + FOLDER + TRAINER.replace("max_epochs: 1", "max_epochs: -1"),
        "needs an end",
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(name: str, folder: Path, capsys: pytest.CaptureFixture) -> None:
    text, expected = RECIPES[name]
    assert expected in sentence(capsys, ["fit", "--config", recipe(folder, text)])


def test_an_abbreviated_key_is_no_key(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = recipe(folder, MODEL + FOLDER + TRAINER)
    said = sentence(capsys, ["fit", "--config", path, "--data.rand_augment.magnitud", "5"])
    assert "did you mean 'data.rand_augment.magnitude'" in said


def test_empty_class_folder(folder: Path, capsys: pytest.CaptureFixture) -> None:
    for path in (folder / "images" / "train" / "cat").iterdir():
        path.unlink()
    said = sentence(capsys, ["fit", "--config", recipe(folder, MODEL + FOLDER + TRAINER)])
    assert os.path.join("train", "cat") in said


@pytest.mark.parametrize("workers", [0, 1])
def test_truncated_image_is_named(folder: Path, capsys: pytest.CaptureFixture, workers: int) -> None:
    path = folder / "images" / "train" / "cat" / "2.jpg"
    path.write_bytes(path.read_bytes()[:200])
    text = MODEL + FOLDER.replace("workers: 0", f"workers: {workers}") + TRAINER
    assert str(path) in sentence(capsys, ["fit", "--config", recipe(folder, text)])


def checkpoint(path: Path, **changes: object) -> Path:
    network = {"architecture": "cifar_resnet20", "options": {}, "num_classes": 2, "in_channels": 3}
    torch.save({"network": network, "state_dict": {}, "format": FORMAT, **changes}, path)
    return path


def test_checkpoint_of_another_architecture(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = checkpoint(folder / "other.ckpt", state_dict={"net.fc.weight": torch.ones(2, 2)})
    said = sentence(capsys, ["predict", str(path), str(folder / "images")])
    assert "does not fit cifar_resnet20" in said


def test_truncated_checkpoint(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = checkpoint(folder / "torn.ckpt")
    path.write_bytes(path.read_bytes()[:300])
    for command in ("predict", "validate"):
        arguments = [command, str(path)] + ([str(folder / "images")] if command == "predict" else [])
        assert "truncated or not a checkpoint" in sentence(capsys, arguments)


@pytest.mark.usefixtures("folder")
def test_no_run_to_resume(capsys: pytest.CaptureFixture) -> None:
    assert "there is no run below" in sentence(capsys, ["fit", "--resume", "last"])


@pytest.mark.usefixtures("folder")
def test_no_recipe(capsys: pytest.CaptureFixture) -> None:
    said = sentence(capsys, ["fit"])
    assert "model.architecture" in said or "config" in said
