"""The command ``lit-cnn recipes``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lit_cnn.cli.main import main
from lit_cnn.experiment.files import list_recipes


def objects(capsys: pytest.CaptureFixture, *arguments: str) -> list[dict]:
    assert main(["recipes", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_recipe_as_an_object(capsys: pytest.CaptureFixture) -> None:
    (row,) = objects(capsys, "resnet_rs")
    assert (row["architecture"], row["value"], row["epochs"]) == ("resnet_rs_50", 78.8, 350)
    assert row["images_seen"] == 350 * 1_281_167
    assert row["training_madds"] == 3 * 2_278_629_376 * 350 * 1_281_167
    assert row["speed"] is None
    assert "batch norm keeps running averages" in row["deviations"]


def test_overlays_and_twins_are_listed_apart(capsys: pytest.CaptureFixture) -> None:
    assert [row["name"] for row in objects(capsys, "resnet_rs*")] == ["resnet_rs"]
    assert [row["name"] for row in objects(capsys, "resnet_rs*", "--small")] == ["small/resnet_rs"]
    rows = {row["name"]: row for row in objects(capsys, "resnet_rs_*", "--overlays")}
    assert len(rows) == 11
    row = rows["overlays/resnet_rs_200_256"]
    assert (row["architecture"], row["image_size"], row["value"]) == ("resnet_rs_200", 256, 83.4)


def test_every_recipe_is_listed_with_its_cost(capsys: pytest.CaptureFixture) -> None:
    rows = objects(capsys)
    named = {path.stem: path for path in list_recipes()}
    assert [row["name"] for row in rows] == [*named, *(f"detection/{path.stem}" for path in list_recipes("detection"))]
    assert all(row["images_seen"] for row in rows)
    assert all(row["training_madds"] for row in rows if row["name"] in named)


def test_a_detector_is_listed_with_its_backbone_and_canvas(capsys: pytest.CaptureFixture) -> None:
    (row,) = objects(capsys, "detection/bccd")
    assert row["architecture"].startswith("fcos on ")
    assert (row["image_size"], row["data"]) == ([240, 320], "bccd")
    assert row["training_madds"] is None  # pyramid and heads are not counted


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", "--small", "--overlays"])
def test_they_are_listed_in_any_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["recipes", *([kind] if kind else [])]) == 0
    assert "RandAugment" in capsys.readouterr().out


def test_markdown_and_table(capsys: pytest.CaptureFixture) -> None:
    assert main(["recipes", "nfnet_f*", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| name |")
    assert "| nfnet_f0 | nfnet_f0 | imagenet | 192 | top-1 83.60 % |" in lines[2]
    assert "scaled by the area" in lines[-1]
    assert main(["recipes", "alexne*"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "top-1 59.30 %" in out
    assert "251" in out  # 3 x 724,406,816 x 90 x 1,281,167


def test_a_name_alone_shows_all_that_is_known_of_the_recipe(capsys: pytest.CaptureFixture) -> None:
    assert main(["recipes", "resnet50"]) == 0
    facts = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines() if "  " in line)
    assert facts["paper"].strip() == "He et al., 2015, arXiv:1512.03385"
    assert facts["target"].strip() == "top-1 75.30 %"
    assert "widespread 90 epochs are overlays/resnet50_torch.yaml" in facts["deviations"]


def test_patterns_take_the_names_that_are_listed(capsys: pytest.CaptureFixture) -> None:
    names = ["small/vgg11", "small/vgg16"]
    for arguments in (["--small", "small/vgg*"], ["--small", "vgg*"], ["small/vgg*"]):
        assert [row["name"] for row in objects(capsys, *arguments)] == names
    assert [row["name"] for row in objects(capsys, "overlays/cifar10_short")] == ["overlays/cifar10_short"]


@pytest.mark.slow
def test_measured_days_follow_from_the_measured_speed(capsys: pytest.CaptureFixture) -> None:
    (row,) = objects(capsys, "quickstart", "--measure", "--batch-size", "2")
    speed = row["speed"]
    assert speed["batch_size"] == 2
    assert speed["days"] == pytest.approx(row["images_seen"] / speed["images_per_second"] / 86_400)


def test_no_match_is_one_sentence(capsys: pytest.CaptureFixture) -> None:
    assert main(["recipes", "resnet5O"]) == 1
    assert capsys.readouterr().err.strip() == "lit-cnn: no recipe matches 'resnet5O'; did you mean 'resnet50'?"
    assert main(["recipes", "lenet*"]) == 1
    assert capsys.readouterr().err.strip() == "lit-cnn: no recipe matches 'lenet*'; `lit-cnn recipes` lists all"


@pytest.mark.slow
def test_listing_needs_no_lightning() -> None:
    program = (
        "import sys; from lit_cnn.cli.main import main; main(['recipes', 'vgg*', '--json']);"
        "print([name for name in ('lightning', 'torchvision', 'jsonargparse') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_own_files_that_are_not_recipes_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """One such file in a folder recipes/ ended the list."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    run = "# Mine.\n#   lit-cnn fit --config recipes/own_{0}.yaml\n"
    network = "model: {architecture: resnet18}\n"
    limited = "trainer: {max_epochs: 2, limit_train_batches: 3}\n"
    for name, text in (("a", f"{network}data: {{path: x}}\n{limited}"), ("b", network), ("c", "title: soup\n")):
        (tmp_path / "recipes" / f"own_{name}.yaml").write_text(run.format(name) + text)
    (tmp_path / "recipes" / "own_d.yaml").write_text(network)
    assert main(["recipes", "own_*", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [(row["name"], row["images_seen"]) for row in json.loads(out)] == [("own_a", None)]
    assert "left out: recipes/own_b.yaml is not a recipe that can be trained: it has no section data" in err
    assert "own_c.yaml" in err
    assert "left out: recipes/own_d.yaml must say in its header how it is run" in err
    assert main(["recipes", "own_b"]) == 1
