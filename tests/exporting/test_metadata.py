"""An exported file says what it is, and nothing of the machine on which it was trained."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from exported_run import NAMES, untrained

import lit_cnn
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.metadata import describe, input_entry, without_places


def test_classes_preprocessing_recipe_version_and_license_are_there(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    entries = describe(trained)
    assert all(isinstance(value, str) for value in entries.values())
    assert entries["architecture"] == "cifar_resnet8"
    assert entries["license"] == "not stated"
    assert entries["lit_cnn_version"] == lit_cnn.__version__
    assert json.loads(entries["class_names"]) == NAMES
    assert json.loads(entries["preprocessing"]) == trained.preprocessing.as_dict()
    assert json.loads(entries["num_classes"]) == json.loads(entries["in_channels"]) == 3
    assert json.loads(entries["recipe"])["about"] == {"title": "tiny"}
    assert json.loads(entries["checkpoint"])["file"] == "net.ckpt"
    assert len(json.loads(entries["checkpoint"])["sha256"]) == 64


def test_places_and_the_machine_stay_out(tmp_path: Path) -> None:
    trained = replace(untrained(tmp_path), provenance={"source": "/home/someone/w.pth"})
    text = json.dumps(describe(trained))
    assert "/home/someone" not in text
    assert str(tmp_path) not in text
    assert "trainer" not in text


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("/home/someone/runs/net.ckpt", "net.ckpt"),
        ("~/runs/folder/TIME-ID", "TIME-ID"),
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k"),
        (None, None),
    ],
)
def test_initial_weights_are_named_without_their_place(stated: str | None, kept: str | None) -> None:
    recipe = {"model": {"architecture": "vgg16", "initial": {"checkpoint": stated, "head": "fresh"}}}
    expected = {"model": {"architecture": "vgg16", "initial": {"checkpoint": kept, "head": "fresh"}}}
    assert without_places(recipe) == expected
    assert recipe["model"]["initial"]["checkpoint"] == stated


def test_the_license_is_the_stated_one_or_that_of_published_weights(tmp_path: Path) -> None:
    published = replace(untrained(tmp_path), provenance={"license": "apache-2.0"})
    assert describe(published)["license"] == "apache-2.0"
    assert describe(published, "MIT")["license"] == "MIT"


def test_the_input_is_described(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    whole = json.loads(input_entry(trained, GraphForm())["input"])
    assert (whole["dtype"], whole["shape"]) == ("uint8", ["batch", "height", "width", 3])
    crops = json.loads(input_entry(trained, GraphForm(with_preprocessing=False, batch=4))["input"])
    assert (crops["dtype"], crops["shape"]) == ("float32", [4, 3, 16, 16])
