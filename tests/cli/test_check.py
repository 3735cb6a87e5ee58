import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import lit_cnn
from lit_cnn.cli.main import main
from lit_cnn.evaluation.checking import WEIGHTS
from lit_cnn.training.runs import BEST, FORMAT, load_checkpoint, network_weights

PREPROCESSING = {
    "image_size": 8,
    "crop_ratio": 1.0,
    "interpolation": "bilinear",
    "mean": [0.5],
    "std": [0.5],
    "in_channels": 1,
}


def write_checkpoint(path: Path, poison: bool = False) -> Path:
    network = lit_cnn.create_model("cifar_resnet20", num_classes=3, in_channels=1)
    if poison:
        with torch.no_grad():
            network.head.classifier.bias[1] = float("inf")
    described = {"architecture": "cifar_resnet20", "options": {}, "num_classes": 3, "in_channels": 1}
    state = {f"net.{name}": value for name, value in network.state_dict().items()}
    names = ["a", "b", "c"]
    content = {"network": described, "state_dict": state, "format": FORMAT, "class_names": names, "recipe": {}}
    torch.save({**content, "preprocessing": PREPROCESSING, "global_step": 7}, path)
    return path


def findings(path: Path, capsys: pytest.CaptureFixture, code: int) -> dict[str, list[str]]:
    assert main(["check", str(path), "--json"]) == code
    said: dict[str, list[str]] = {"error": [], "warning": [], "fact": []}
    for finding in json.loads(capsys.readouterr().out):
        said[finding["kind"]].append(finding["text"])
    return said


def test_a_sound_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (fact,) = findings(write_checkpoint(tmp_path / "last.ckpt"), capsys, 0)["fact"]
    assert fact.startswith("last.ckpt: cifar_resnet20, 7 steps, sha256 ")


def test_a_checkpoint_that_is_not_finite(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (error,) = findings(write_checkpoint(tmp_path / "last.ckpt", poison=True), capsys, 1)["error"]
    assert "1 tensors are not finite, the first is net.head.classifier.bias" in error


def test_a_torn_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write_checkpoint(tmp_path / "last.ckpt")
    path.write_bytes(path.read_bytes()[:1000])
    (error,) = findings(path, capsys, 1)["error"]
    assert "truncated or not a checkpoint" in error


def test_a_run_folder_without_its_recipe(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "checkpoints").mkdir()
    write_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    (tmp_path / "metrics.csv").write_text("epoch,step,lr\n0,1,0.1\n")
    said = findings(tmp_path, capsys, 1)
    assert len(said["error"]) == 1
    assert "config.yaml is missing or unreadable" in said["error"][0]
    assert "metrics.csv: 1 rows" in said["fact"]


def test_exported_weights_are_compared_with_the_best_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    best = load_checkpoint(write_checkpoint(folder / BEST))
    weights = network_weights(best)
    save_file(weights, folder / WEIGHTS)
    assert f"{WEIGHTS} equals the weights of {BEST}" in findings(tmp_path, capsys, 1)["fact"]
    weights["head.classifier.bias"] = weights["head.classifier.bias"] + 1
    save_file(weights, folder / WEIGHTS)
    assert f"{WEIGHTS} differs from the weights of {BEST}" in findings(tmp_path, capsys, 1)["error"]
    (folder / WEIGHTS).write_bytes(b"torn")
    assert any("cannot be compared" in text for text in findings(tmp_path, capsys, 1)["error"])


@pytest.mark.parametrize("name", ["nowhere", "typo.ckpt", "typo.npz"])
def test_what_does_not_exist(name: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["check", name]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"the path '{name}' does not exist" in said
    assert "data.path" not in said
