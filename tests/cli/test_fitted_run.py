"""Every command that takes a checkpoint takes one that ``lit-cnn fit`` has written."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files import write_checkpoint
from fitted_run import NAMES, FittedRun
from safetensors.torch import load_file

from lit_cnn.cli.main import main
from lit_cnn.run_folder.checkpoint import load_checkpoint, network_weights
from lit_cnn.run_folder.metrics_csv import read_metrics


def answered(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    """What a command prints as JSON."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_checkpoint_tells_what_it_is(fitted: FittedRun) -> None:
    checkpoint = load_checkpoint(fitted.last)
    network = {"architecture": "cifar_resnet8", "options": {}, "num_classes": 3, "in_channels": 3}
    assert checkpoint["network"] == network
    assert checkpoint["class_names"] == NAMES
    assert checkpoint["preprocessing"]["image_size"] == [16, 16]
    assert checkpoint["recipe"]["data"]["path"] == str(fitted.images)
    assert (checkpoint["epoch"], checkpoint["global_step"]) == (1, 6)


def test_the_weights_of_the_best_checkpoint_lie_beside_it(fitted: FittedRun) -> None:
    weights = load_file(fitted.folder / "checkpoints" / "weights.safetensors")
    expected = network_weights(load_checkpoint(fitted.best))
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in weights)


def test_the_checkpoints_of_other_tests_have_the_entries_of_a_run_s(fitted: FittedRun, tmp_path: Path) -> None:
    real, written = load_checkpoint(fitted.last), load_checkpoint(write_checkpoint(tmp_path / "a.ckpt", NAMES))
    averaging_and_data = {"current_model_state", "averaging_state", "ImageData"}
    assert real.keys() - written.keys() == averaging_and_data
    assert written.keys() <= real.keys()
    assert written["network"].keys() == real["network"].keys()
    assert written["preprocessing"].keys() == real["preprocessing"].keys()


@pytest.mark.parametrize("options", [[], ["--weights", "raw"], ["--fold"]])
def test_predict(fitted: FittedRun, capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    rows = answered(capsys, "predict", fitted.best, fitted.images / "test", *options)
    assert len(rows) == 6
    for row in rows:
        assert sorted(row["classes"]) == NAMES
        assert sum(row["probabilities"]) == pytest.approx(1)


@pytest.mark.parametrize(("command", "images"), [("validate", 12), ("test", 6)])
def test_validate_and_test(fitted: FittedRun, capsys: pytest.CaptureFixture[str], command: str, images: int) -> None:
    split = "val" if command == "validate" else "test"
    plain = answered(capsys, command, fitted.best)
    assert plain[f"{split}/acc3"] == 1
    assert answered(capsys, command, fitted.best, "--views", "flip")["images"] == images


def test_averaged_and_raw_weights_validate_as_the_run_logged_them(
    fitted: FittedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the loss of the last epoch, which unlike an accuracy tells close weights apart."""
    row = read_metrics(fitted.folder / "metrics.csv")[-1]
    for weights, column in (("ema", "val/loss"), ("raw", "val/loss_raw")):
        found = answered(capsys, "validate", fitted.last, "--weights", weights)["val/loss"]
        assert found == pytest.approx(row[column], rel=5e-3)
    assert row["val/loss"] != pytest.approx(row["val/loss_raw"], rel=2e-2)


def test_a_checkpoint_of_version_2_says_the_same(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = torch.load(fitted.best, weights_only=True)
    now = checkpoint["preprocessing"]
    then = {key: value for key, value in now.items() if key not in ("resize", "resize_mode")}
    then |= {"image_size": now["image_size"][0], "crop_ratio": now["image_size"][0] / now["resize"]}
    recipe = {**checkpoint["recipe"], "data": dict(checkpoint["recipe"]["data"])}
    del recipe["data"]["in_channels"]
    recipe["data"]["evaluation"] = {"crop_ratio": 1.0, "interpolation": "bilinear", "image_size": None}
    torch.save({**checkpoint, "format": 2, "preprocessing": then, "recipe": recipe}, tmp_path / "old.ckpt")
    for command in (["validate"], ["predict"]):
        files = [fitted.images / "test"] if command == ["predict"] else []
        said = [answered(capsys, *command, path, *files) for path in (fitted.best, tmp_path / "old.ckpt")]
        for report in said if command == ["validate"] else []:
            del report["data"]["trained_on"]  # names the checkpoint
        assert said[0] == said[1]


def test_ensemble(fitted: FittedRun, capsys: pytest.CaptureFixture[str]) -> None:
    report = answered(capsys, "ensemble", fitted.best, fitted.folder / "checkpoints" / "previous.ckpt")
    assert (report["images"], len(report["members"]), report["warning"]) == (12, 2, None)


def test_calibrate(fitted: FittedRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, "calibrate", fitted.best)["measured_on"] == 6


def test_corruptions(fitted: FittedRun, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--kinds", "fog", "--severities", "1"]
    assert list(answered(capsys, "corruptions", fitted.best, *flags)["accuracy"]) == ["fog"]


def test_check_of_the_checkpoint_and_of_its_run(fitted: FittedRun, capsys: pytest.CaptureFixture[str]) -> None:
    (fact,) = answered(capsys, "check", fitted.best)
    assert fact["kind"] == "fact"
    findings = answered(capsys, "check", fitted.folder)
    assert {finding["kind"] for finding in findings} == {"fact"}
    assert "weights.safetensors equals the weights of best.ckpt" in [finding["text"] for finding in findings]


@pytest.mark.slow
def test_fit_resume_ends_as_the_run_that_was_not_stopped(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was stopped after its first epoch: the later checkpoint is gone."""
    run = tmp_path / "runs" / "tiny" / "1"
    shutil.copytree(fitted.folder, run)
    (run / "checkpoints" / "previous.ckpt").replace(run / "checkpoints" / "last.ckpt")
    assert main(["fit", "--resume", str(run)]) == 0
    assert f"continuing {run}" in " ".join(capsys.readouterr().out.split())
    resumed, whole = load_checkpoint(run / "checkpoints" / "last.ckpt"), load_checkpoint(fitted.last)
    assert resumed["global_step"] == whole["global_step"] == 6
    for name in ("state_dict", "current_model_state"):
        torch.testing.assert_close(resumed[name], whole[name])


@pytest.mark.slow
def test_fit_starts_from_the_averaged_weights_of_a_checkpoint(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a learning rate of 0 the run ends with the weights that it starts from."""
    still = ["--model.optimizer.learning_rate", "0", "--ema.decay", "0", "--trainer.max_epochs", "1"]
    start = ["--model.initial.checkpoint", str(fitted.last), "--runs", str(tmp_path), *still]
    assert main(["fit", "--config", str(fitted.recipe), *start]) == 0
    assert "started from" in capsys.readouterr().out
    (path,) = tmp_path.glob("tiny/*/checkpoints/last.ckpt")
    found, averaged, raw = (
        network_weights(load_checkpoint(file), kind)
        for file, kind in ((path, "ema"), (fitted.last, "ema"), (fitted.last, "raw"))
    )
    kernels = [name for name, value in found.items() if value.ndim == 4]
    assert kernels
    for name in kernels:
        torch.testing.assert_close(found[name], averaged[name])
    assert not all(torch.equal(averaged[name], raw[name]) for name in kernels)
