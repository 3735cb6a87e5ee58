"""``lit-cnn push`` and ``pull``: what a user sees, and that commands take what comes out."""

import json
from pathlib import Path

import pytest
from fitted_run import FittedRun

from lit_cnn.cli.main import main


@pytest.mark.slow
def test_a_run_goes_out_and_comes_back(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["push", str(fitted.folder), "my_model", "--license", "mit"]) == 0
    said = capsys.readouterr()
    assert "timm cannot load it (timm has no cifar_resnet8); lit-cnn pull can" in said.out
    assert "license mit; files: config.json, model.safetensors, README.md, recipe.yaml" in said.out
    assert said.out.endswith("pushed: my_model\n")
    assert said.err == ""
    assert main(["pull", "./my_model/"]) == 0
    assert "cifar_resnet8, 3 classes, license mit" in capsys.readouterr().out
    assert main(["pull", "my_model"]) == 1
    assert "my_model.ckpt is there already: name another file by --out" in capsys.readouterr().err
    weights = "my_model/model.safetensors"
    assert main(["pull", "my_model", "--out", weights]) == 1
    assert f"{weights} is read by this command" in capsys.readouterr().err
    accuracies = []
    for checkpoint in ("my_model.ckpt", str(fitted.best), str(fitted.best.with_name("weights.safetensors"))):
        assert main(["validate", checkpoint, "--data", str(fitted.images / "val"), "--json"]) == 0
        accuracies.append(json.loads(capsys.readouterr().out)["val/acc1"])
    assert len(set(accuracies)) == 1


@pytest.mark.slow
def test_json_and_the_warning_of_a_missing_license(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = str(tmp_path / "m")
    assert main(["push", str(fitted.best), folder, "--json"]) == 0
    said = capsys.readouterr()
    stated = json.loads(said.out)
    assert (stated["place"], stated["timm_name"], stated["license"]) == (folder, None, "none stated")
    assert said.err.startswith("warning: no license is stated")
    assert main(["pull", folder, "--out", str(tmp_path / "m.ckpt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"]["architecture"] == "cifar_resnet8"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["push", "nothing.ckpt", "{tmp}/m"], "there is no checkpoint nothing.ckpt"),
        (["pull", "{tmp}/nothing", "--out", "{tmp}/m.ckpt"], "there is no folder"),
        (["pull", "{tmp}", "--out", "{tmp}/no/m.ckpt"], "since there is no folder"),
        (["pull", "hf-hub:a", "--out", "{tmp}/m.ckpt"], "does not name a repository"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main([word.format(tmp=tmp_path) for word in words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
