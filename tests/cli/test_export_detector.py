"""``lit-cnn export`` of a detector: what it writes and prints, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import pytest
import tiny_coco
import torch

from lit_cnn.cli.main import main
from lit_cnn.experiment.fit import fit
from lit_cnn.experiment.recipe import Recipe

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "export.md"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "torch-export"], "--format torch-export is for classifiers"),
        (["--format", "safetensors"], "decoded outside of the network: use --format onnx, which comes with a program"),
        (["--int8"], "--int8 is for classifiers"),
        (["--trust", "nets.Own"], "--trust is for classifiers"),
    ],
)
def test_what_is_for_classifiers_is_refused_in_a_sentence(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net.ckpt"
    torch.save({"format": 3, "task": "detection", "network": {}, "state_dict": {}}, file)
    assert main(["export", str(file), *words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert f"{file} holds a detector" in error
    assert len(error.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
def test_a_run_leaves_as_files_that_are_verified_on_its_validation_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By which the guide's lines of Python find what ``predict`` does."""
    pytest.importorskip("onnxruntime")
    recipe = tiny_coco.recipe_of(tiny_coco.make_folder(tmp_path / "images"))
    run = fit(Recipe.load(tiny_coco.write_recipe(tmp_path / "fruit.yaml", recipe)), runs=tmp_path / "runs")
    capsys.readouterr()
    out = tmp_path / "bccd.onnx"
    assert main(["export", str(run.folder), "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [Path(each["path"]).name for each in report["files"]] == [
        "bccd.onnx",
        "bccd.detector.json",
        "onnx_detector.py",
    ]
    assert (report["images"], report["same"] + report["near_ties"]) == (3, report["boxes"])
    assert report["boxes"] > 0
    assert report["largest_difference"] < 1e-4
    assert json.loads((tmp_path / "bccd.detector.json").read_text())["class_names"] == ["apple", "pear"]
    images = next(path.parent for path in sorted((tmp_path / "images").rglob("*.png")))
    assert main(["export", str(run.folder), "--out", str(out), "--data", str(images), "--images", "2"]) == 0
    text = capsys.readouterr().out
    assert "on 2 images" in text
    assert "largest difference: of a raw output, over the largest of its name" in text
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copyfile(next(iter(sorted(images.glob("*.png")))), "photo.jpg")
    stated = json.loads((tmp_path / "bccd.detector.json").read_text())
    stated["thresholds"]["score"] = [report["score"]] * 2  # a network of few steps is sure of nothing
    (tmp_path / "bccd.detector.json").write_text(json.dumps(stated))
    assert main(["predict", str(run.folder), "photo.jpg", "--json", "--score", str(report["score"])]) == 0
    expected = json.loads(capsys.readouterr().out)[0]["detections"]
    assert expected
    block = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)[3]
    exec(block, {})
    assert len(capsys.readouterr().out.splitlines()) == len(expected)
