import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from made_choice import make_images, make_weights

from lit_cnn.choosing.trainings import FITTED_RATE
from lit_cnn.cli.main import main
from lit_cnn.experiment.files import configs_of


def test_a_recipe_with_reasons_is_written_and_the_next_commands_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = make_images(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    assert main(["init", "images", "--pretrained", "none"]) == 0
    printed = capsys.readouterr().out
    assert "36 training images of 3 classes (every class has 12), 7 of them held out to validate on" in printed
    assert f"  lit-cnn check {images}\n" in printed
    assert printed.rstrip().endswith("lit-cnn fit images.yaml")
    recipe = yaml.safe_load((tmp_path / "images.yaml").read_text())
    assert (recipe["model"]["architecture"], recipe["data"]["image_size"]) == ("cifar_resnet20", 16)
    assert "# as the images are" in (tmp_path / "images.yaml").read_text()
    assert configs_of(tmp_path / "images.yaml") == [Path("images.yaml")]  # as lit-cnn recipes needs it


def test_a_file_that_is_there_is_kept_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, file = make_images(tmp_path / "images"), tmp_path / "mine.yaml"
    file.write_text("mine")
    words = ["init", str(images), "--pretrained", "none", "--out", str(file)]
    assert main(words) == 1
    assert "mine.yaml is there already: pass --force" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert main([*words, "--force"]) == 0
    assert file.read_text() != "mine"


def test_facts_and_choices_are_there_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = {"train_images": np.zeros((40, 80, 90, 3), np.uint8), "train_labels": np.arange(40) % 8 // 7}
    np.savez(tmp_path / "a.npz", **arrays)
    file = tmp_path / "a.yaml"
    assert main(["init", str(tmp_path / "a.npz"), "--pretrained", "none", "--out", str(file), "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert (held["architecture"], held["image_size"], len(held["commands"])) == ("resnet18", 64, 3)
    assert yaml.safe_load(file.read_text())["model"]["loss"]["class_weights"] == "balanced"


def test_another_ending_or_a_folder_of_boxes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = make_images(tmp_path / "images")
    assert main(["init", str(images), "--pretrained", "none", "--out", str(tmp_path / "a.txt")]) == 1
    assert ".yaml or .yml" in capsys.readouterr().err
    for name in ("Annotations", "JPEGImages"):
        (tmp_path / "boxes" / name).mkdir(parents=True)
    (tmp_path / "boxes" / "Annotations" / "1.xml").touch()
    assert main(["init", str(tmp_path / "boxes"), "--out", str(tmp_path / "b.yaml")]) == 1
    assert "holds boxes" in capsys.readouterr().err


@pytest.mark.parametrize("known", [("red",), ("blue", "green", "red")])
def test_rows_of_the_weights_head_are_kept_only_if_they_know_every_class(tmp_path: Path, known: tuple[str]) -> None:
    """One trained row among untrained ones would answer for all images."""
    images, weights = make_images(tmp_path / "images"), make_weights(tmp_path / "weights.ckpt", "cifar_resnet8")
    names = [*known, *(f"class {number}" for number in range(len(known), 10))]
    torch.save({**torch.load(weights, weights_only=True), "class_names": names}, weights)
    file = tmp_path / "a.yaml"
    assert main(["init", str(images), "--pretrained", str(weights), "--out", str(file)]) == 0
    model = yaml.safe_load(file.read_text())["model"]
    whole = len(known) == 3
    assert model["initial"].get("head", "by_name") == ("by_name" if whole else "fresh")
    assert model["optimizer"]["learning_rate"] == (FITTED_RATE if whole else 1e-3)
