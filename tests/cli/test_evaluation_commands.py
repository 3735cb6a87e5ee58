"""Views, ensembles, calibration and corruptions by command: tables, JSON, pictures, sentences."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import PREPROCESSING, write_checkpoint
from colors import color_network
from PIL import Image

from lit_cnn.cli.corruptions import views_of
from lit_cnn.cli.main import main
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.evaluation.images import EvaluationImages

NAMES = ["red", "green", "blue"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 16 px images whose class is the strongest color, and checkpoints of untrained networks."""
    path = tmp_path_factory.mktemp("evaluation")
    images = np.random.default_rng(0).integers(0, 256, (72, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(72) % 3
    images[np.arange(72), :, :, labels] //= 2
    arrays = {"train_images": images, "train_labels": labels, "val_images": images[:36], "val_labels": labels[:36]}
    np.savez(path / "colors.npz", **arrays, class_names=np.array(NAMES))
    np.savez(path / "others.npz", **arrays, class_names=np.array(["cat", "dog", "emu"]))
    for seed, size in ((0, 16), (1, 12)):
        write(path / f"{seed}.ckpt", seed, size, NAMES)
    write(path / "others.ckpt", 0, 16, ["cat", "dog", "emu"])
    return path


def write(path: Path, seed: int, size: int, names: list[str]) -> None:
    recipe = {
        "model": {"architecture": "cifar_resnet20"},
        "data": {
            "source": "npz",
            "path": str(path.parent / ("colors.npz" if names == NAMES else "others.npz")),
            "image_size": size,
            "batch_size": 8,
            "evaluation": {"crop_ratio": 1.0},
        },
        "seed_everything": 0,
    }
    preprocessing = {**PREPROCESSING, "image_size": [size] * 2, "resize": size, "std": [0.25] * 3}
    write_checkpoint(path, names, preprocessing=preprocessing, recipe=recipe, seed=seed)


def printed(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def said(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    """The sentence of a command that fails."""
    assert main([str(argument) for argument in arguments]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lit-cnn: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.slow
def test_views_stand_beside_the_center_crop_that_validate_reports(folder: Path, capsys: pytest.CaptureFixture) -> None:
    report = json.loads(printed(capsys, "validate", folder / "0.ckpt", "--views", "ten", "--json"))
    assert (report["images"], report["center"]["views_per_image"], report["views"]["views_per_image"]) == (36, 1, 10)
    assert report["gain"] == pytest.approx(report["views"]["acc1"] - report["center"]["acc1"])
    assert report["gain_interval"][0] <= report["gain"] <= report["gain_interval"][1]
    plain = json.loads(printed(capsys, "validate", folder / "0.ckpt", "--json"))
    assert plain["val/acc1"] == pytest.approx(report["center"]["acc1"])


@pytest.mark.slow
def test_a_precision_that_would_be_emulated_is_left_and_told_on_stderr(
    folder: Path, tmp_path: Path, machine: Any, capsys: pytest.CaptureFixture
) -> None:
    machine(("avx2",))
    checkpoint = torch.load(folder / "0.ckpt", weights_only=True)
    checkpoint["recipe"]["trainer"] = {"precision": "bf16-mixed"}
    torch.save(checkpoint, tmp_path / "mixed.ckpt")
    assert main(["validate", str(tmp_path / "mixed.ckpt"), "--json"]) == 0
    shown = capsys.readouterr()
    own, other = (json.loads(text) for text in (shown.out, printed(capsys, "validate", folder / "0.ckpt", "--json")))
    assert {name for name in own if own[name] != other[name]} == {"data"}  # which names the checkpoint
    assert "no instructions for the run's bf16-mixed; single images may be called otherwise" in shown.err


@pytest.mark.slow
def test_other_sizes_than_the_training_s(folder: Path, capsys: pytest.CaptureFixture) -> None:
    flags = ["--views", "multi_scale", "--scales", "12", "24", "--flip", "--average", "logits"]
    report = json.loads(printed(capsys, "validate", folder / "0.ckpt", *flags, "--json"))
    assert (report["views"]["scales"], report["views"]["views_per_image"]) == ([12, 24], 4)
    assert "mean of logits" in " ".join(printed(capsys, "validate", folder / "0.ckpt", *flags).split())


@pytest.mark.slow
def test_classes_apart(folder: Path, capsys: pytest.CaptureFixture) -> None:
    report = json.loads(printed(capsys, "validate", folder / "0.ckpt", "--per-class", "--json"))
    assert sorted(row["name"] for row in report["classes"]) == sorted(NAMES)
    recalls = [row["recall"] for row in report["classes"]]
    assert recalls == sorted(recalls)
    assert report["balanced_accuracy"] == pytest.approx(sum(recalls) / 3)
    plain = json.loads(printed(capsys, "validate", folder / "0.ckpt", "--json"))
    whole = {name: report[name] for name in plain if name.startswith("val/")}
    assert sorted(whole) == ["val/acc1", "val/acc3", "val/loss"]
    assert whole == pytest.approx({name: plain[name] for name in whole}, rel=1e-5)
    title = f"top-1 {100 * whole['val/acc1']:.2f} %, loss {whole['val/loss']:.4f}, balanced accuracy "
    assert title in " ".join(printed(capsys, "validate", folder / "0.ckpt", "--per-class").split())


def test_how_members_split_their_own_data_is_not_told_of_other_images(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    other = {"data": {"source": "npz", "path": str(folder / "colors.npz"), "val_fraction": 0.5}}
    members = folder / "0.ckpt", write_checkpoint(tmp_path / "member.ckpt", NAMES, recipe=other)
    report = json.loads(printed(capsys, "ensemble", *members, "--data", folder / "colors.npz", "--json"))
    assert report["warning"] is None


@pytest.mark.slow
def test_ensemble_members_preprocess_on_their_own(folder: Path, capsys: pytest.CaptureFixture) -> None:
    paths = [folder / "0.ckpt", folder / "1.ckpt"]
    report = json.loads(printed(capsys, "ensemble", *paths, "--json"))
    singles = [json.loads(printed(capsys, "validate", path, "--views", "center", "--json")) for path in paths]
    assert [member["acc1"] for member in report["members"]] == [single["center"]["acc1"] for single in singles]
    assert report["gain_over_mean"] == pytest.approx(report["ensemble"]["acc1"] - report["mean"]["acc1"])
    assert report["warning"] is None
    assert "ensemble" in printed(capsys, "ensemble", *paths)


@pytest.mark.slow
def test_calibration_writes_its_picture(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "reliability.png"
    report = json.loads(printed(capsys, "calibrate", folder / "0.ckpt", "--out", out, "--bins", "5", "--json"))
    assert (report["fitted_on"], report["measured_on"]) == (18, 18)
    assert sum(report["bins"]["after"]["counts"]) == 18
    assert len(report["bins"]["before"]["accuracy"]) == 5
    assert out.stat().st_size > 1000
    assert "fitted on 18 validation images" in " ".join(printed(capsys, "calibrate", folder / "0.ckpt").split())


def test_corruptions_write_their_pictures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    flags = ["--kinds", "fog", "jpeg_compression", "--severities", "1", "5"]
    out, sheet = tmp_path / "heat.png", tmp_path / "sheet.png"
    report = json.loads(printed(capsys, "corruptions", folder / "0.ckpt", *flags, "--out", out, "--json"))
    assert list(report["accuracy"]) == ["fog", "jpeg_compression"]
    assert list(report["accuracy"]["fog"]) == ["1", "5"]
    assert report["added_error"] == pytest.approx(report["mean_corruption_error"] + report["clean"] - 1)
    assert out.stat().st_size > 1000
    assert printed(capsys, "corruptions", folder / "0.ckpt", "--sheet", sheet).splitlines()[1:] == [str(sheet)]
    assert sheet.stat().st_size > 1000
    assert "jpeg_compression" in printed(capsys, "corruptions", folder / "0.ckpt", *flags)
    both = [tmp_path / "both.pdf", tmp_path / "both.svg"]
    printed(capsys, "corruptions", folder / "0.ckpt", *flags, "--out", both[0], "--sheet", both[1])
    assert both[0].read_bytes().startswith(b"%PDF")
    assert both[1].read_bytes().startswith(b"<?xml")
    report = json.loads(printed(capsys, "corruptions", folder / "0.ckpt", *flags, "--sheet", sheet, "--json"))
    assert list(report["accuracy"]) == ["fog", "jpeg_compression"]


@pytest.mark.parametrize("kinds", [None, ["fog"]])
def test_corruptions_of_other_channels_are_refused_whichever_are_asked_for(kinds: list[str] | None) -> None:
    images = EvaluationImages(ArraySplit(torch.zeros(1, 4, 8, 8), torch.zeros(1)), PixelFormat(4), "arrays")
    options = Namespace(kinds=kinds, severities=None, seed=0)
    with pytest.raises(ValueError, match="gray and RGB images, but the network takes 4 channels"):
        views_of(color_network(), images, options, (1,))


def test_mistakes_get_one_sentence(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    one = folder / "0.ckpt"
    assert "there is no checkpoint" in said(capsys, "calibrate", folder / "none.ckpt")
    assert "has no test split" in said(capsys, "test", one, "--views", "flip")
    assert "has no test split" in said(capsys, "corruptions", one, "--split", "test")
    assert "below the 16 px" in said(capsys, "validate", one, "--views", "ten", "--scales", "8")
    sentence = said(capsys, "ensemble", one, folder / "others.ckpt")
    assert (
        f"{one} has the classes red, green, blue, which {folder / 'others.ckpt'} does not know, and lacks" in sentence
    )
    assert "lacks red, green, blue" in said(capsys, "validate", one, "--data", folder / "others.npz", "--views", "flip")
    assert "images 0 to 35" in said(capsys, "corruptions", one, "--sheet", tmp_path / "a.png", "--image", "36")
    assert "--bins is 0" in said(capsys, "calibrate", one, "--bins", "0")


@pytest.mark.parametrize("command", ["validate", "predict", "calibrate", "explain"])
def test_weights_that_are_not_finite_give_no_answer(
    command: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    checkpoint = torch.load(folder / "0.ckpt", weights_only=True)
    for values in checkpoint["state_dict"].values():
        if values.is_floating_point():
            values.fill_(float("nan"))
    path = tmp_path / "nan.ckpt"
    torch.save(checkpoint, path)
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    words = {"predict": [tmp_path / "a.png"], "explain": [tmp_path / "a.png", "--out", tmp_path / "maps"]}
    sentence = said(capsys, command, path, *words.get(command, []))
    assert f"the output of {path} is not finite, so it says nothing of an image: lit-cnn check {path} tells" in sentence


@pytest.mark.parametrize(
    "arguments", [["validate", "x", "--flip"], ["ensemble", "x"], ["corruptions", "x", "--kinds", "snow"]]
)
def test_wrong_command_lines_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_a_network_outside_the_catalog_needs_trust(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_nets.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Sequential):\n"
        "    def __init__(self, width: int, num_classes: int):\n"
        "        super().__init__(torch.nn.Conv2d(3, width, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),\n"
        "                         torch.nn.Linear(width, num_classes))\n"
    )
    checkpoint = torch.load(folder / "0.ckpt", weights_only=True)
    checkpoint["network"] |= {"architecture": None, "options": {}}
    network = {"class_path": "own_nets.Net", "init_args": {"width": 4, "num_classes": 3}}
    checkpoint["recipe"]["model"]["architecture"] = network
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.Identity(), torch.nn.Identity(), torch.nn.Linear(4, 3)
    )
    checkpoint["state_dict"] = {f"net.{name}": value for name, value in layers.state_dict().items()}
    torch.save(checkpoint, tmp_path / "own.ckpt")
    validate = ["validate", str(tmp_path / "own.ckpt"), "--json"]
    assert main(validate) == 1
    assert "own_nets.Net, a network outside the catalog: add --trust own_nets.Net" in capsys.readouterr().err
    assert main([*validate, "--trust", "own_nets.Net"]) == 1
    assert "is its folder in PYTHONPATH?" in capsys.readouterr().err
    monkeypatch.syspath_prepend(tmp_path)
    assert main([*validate, "--trust", "own_nets.Net"]) == 0
    assert 0 <= json.loads(capsys.readouterr().out)["val/acc1"] <= 1
