"""``lit-cnn predict`` says what the network says of the image: classes and probabilities computed by hand."""

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bad_case import write_checkpoint as write_resnet
from bad_images import pixels
from checkpoint_files import PREPROCESSING, write_checkpoint
from color_net import ColorNet
from PIL import Image

from lit_cnn.cli.main import main

NAMES = ["ant", "bee", "cow"]
MEAN, STD = [0.25, 0.5, 0.125], [0.5, 0.25, 0.125]
WEIGHT = [[1.0, -0.25, -0.125], [-0.5, 0.5, 0.0625], [0.25, -0.5, 0.25]]
BIAS = [0.125, -0.25, -0.5]
TRUST = ["--trust", "color_net.ColorNet"]
RED, GREEN, BLUE = (204, 51, 51), (51, 204, 51), (51, 51, 204)


def write_color_net(path: Path, image_size: int, images: Path | None = None) -> Path:
    network = ColorNet()
    network.load_state_dict({"head.weight": torch.tensor(WEIGHT), "head.bias": torch.tensor(BIAS)})
    data = {"source": "imagefolder", "path": str(images), "image_size": image_size, "batch_size": 4, "workers": 0}
    recipe: dict[str, Any] = {
        "model": {"architecture": {"class_path": "color_net.ColorNet"}},
        "trainer": {"precision": "32-true"},
        "data": {
            **data,
            "file_index": False,
            "normalize": {"mean": MEAN, "std": STD},
            "evaluation": {"crop_ratio": 1.0},
        },
    }
    preprocessing = {**PREPROCESSING, "image_size": [image_size] * 2, "resize": image_size, "mean": MEAN, "std": STD}
    return write_checkpoint(path, NAMES, architecture=network, preprocessing=preprocessing, recipe=recipe)


def by_hand(color: tuple[int, int, int]) -> list[tuple[str, float]]:
    """Classes and probabilities of an image of one color, the most probable first."""
    values = [(value / 255 - mean) / std for value, mean, std in zip(color, MEAN, STD, strict=True)]
    logits = [sum(w * v for w, v in zip(row, values, strict=True)) + b for row, b in zip(WEIGHT, BIAS, strict=True)]
    powers = [math.exp(logit) for logit in logits]
    ranked = sorted(zip(NAMES, powers, strict=True), key=lambda pair: -pair[1])
    return [(name, power / sum(powers)) for name, power in ranked]


def paint(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (2, 2)) -> Path:
    Image.new("RGB", size, color).save(path)
    return path


@pytest.fixture
def colors(tmp_path: Path) -> list[str]:
    """The command line that predicts a red, a green and a blue image."""
    for name, color in (("1", RED), ("2", GREEN), ("3", BLUE)):
        paint(tmp_path / f"{name}.png", color)
    files = [str(tmp_path / f"{name}.png") for name in "123"]
    return ["predict", str(write_color_net(tmp_path / "net.ckpt", 2)), *files, *TRUST]


def test_the_three_colors_are_told_apart_with_clear_margins() -> None:
    """What the tests below rest on: no answer hangs on rounding, and each name is an answer."""
    answers = [by_hand(color) for color in (RED, GREEN, BLUE)]
    assert [answer[0][0] for answer in answers] == ["ant", "bee", "cow"]
    for (_, first), (_, second), (_, third) in answers:
        assert min(first - second, second - third) > 0.01


def test_json_holds_the_classes_and_probabilities_computed_by_hand(
    colors: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*colors, "--json", "--out", str(tmp_path / "out.json")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "out.json").read_text()) == printed
    assert [Path(row["file"]).name for row in printed] == ["1.png", "2.png", "3.png"]
    for row, color in zip(printed, (RED, GREEN, BLUE), strict=True):
        assert row["classes"] == [name for name, _ in by_hand(color)]
        assert row["probabilities"] == pytest.approx([share for _, share in by_hand(color)], rel=1e-5)


def test_csv_holds_a_line_for_each_file(colors: list[str], tmp_path: Path) -> None:
    assert main([*colors, "--out", str(tmp_path / "out.csv")]) == 0
    header, *lines = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert header == ["file", "class1", "probability1", "class2", "probability2", "class3", "probability3", "error"]
    for line, color in zip(lines, (RED, GREEN, BLUE), strict=True):
        assert line[1::2] == [*(name for name, _ in by_hand(color)), ""]
        shares = [share for _, share in by_hand(color)]
        assert [float(value) for value in line[2:-1:2]] == pytest.approx(shares, rel=1e-5)


def test_the_table_shows_the_best_class_and_then_the_others(
    colors: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(colors) == 0
    lines = [re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines() if ".png" in line]
    for line, color in zip(lines, (RED, GREEN, BLUE), strict=True):
        first, *others = [(name, f"{100 * share:.2f} %") for name, share in by_hand(color)]
        assert line[1:] == [*first, ", ".join(f"{name} {share}" for name, share in others)]


def test_only_the_middle_of_an_oblong_image_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A blue image with a red middle: 8 x 4 pixels, of which the 4 x 4 in the middle are looked at."""
    image = np.full((4, 8, 3), BLUE, dtype=np.uint8)
    image[:, 2:6] = RED
    Image.fromarray(image).save(tmp_path / "oblong.png")
    checkpoint = write_color_net(tmp_path / "net.ckpt", 4)
    assert main(["predict", str(checkpoint), str(tmp_path / "oblong.png"), *TRUST, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["classes"][0] == "ant"
    assert row["probabilities"] == pytest.approx([share for _, share in by_hand(RED)], rel=1e-5)


TRUTH = {"ant": [RED, RED, BLUE], "bee": [GREEN, RED, BLUE], "cow": [BLUE, BLUE, BLUE]}
"""Validation images; two bees and an ant are called otherwise."""


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[Path, Path]:
    """A checkpoint and its folder of validation images."""
    for split in ("train", "val"):
        for name, colors in TRUTH.items():
            (tmp_path / split / name).mkdir(parents=True)
            for number, color in enumerate(colors):
                paint(tmp_path / split / name / f"{number}.png", color)
    return write_color_net(tmp_path / "net.ckpt", 2, tmp_path), tmp_path / "val"


def test_predict_says_of_every_validation_image_what_validate_counts(
    labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, folder = labelled
    assert main(["predict", str(checkpoint), str(folder), *TRUST, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    predicted = {row["file"]: row["classes"][0] for row in rows}
    assert main(["validate", str(checkpoint), *TRUST, "--json"]) == 0
    files = [str(folder / name / f"{number}.png") for name in NAMES for number in range(3)]
    right = [predicted[file] == Path(file).parent.name for file in files]
    found = json.loads(capsys.readouterr().out)
    assert found["val/acc1"] == pytest.approx(sum(right) / 9) == pytest.approx(6 / 9)
    of_truth = [
        dict(zip(row["classes"], row["probabilities"], strict=True))[Path(row["file"]).parent.name] for row in rows
    ]
    assert found["val/loss"] == pytest.approx(sum(-math.log(share) for share in of_truth) / 9, rel=1e-4)


def test_validate_tells_the_classes_apart_as_predict_does(
    labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(labelled[0]), *TRUST, "--per-class", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["classes"]}
    assert [rows[name]["recall"] for name in NAMES] == pytest.approx([2 / 3, 1 / 3, 1])
    assert [rows[name]["precision"] for name in NAMES] == pytest.approx([2 / 3, 1, 3 / 5])
    assert [rows[name]["images"] for name in NAMES] == [3, 3, 3]


@pytest.mark.parametrize("option", ["--fold", pytest.param("--compile", marks=pytest.mark.slow)])
def test_faster_network_predicts_the_same(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels("RGB").save(tmp_path / "a.png")
    arguments = ["predict", str(write_resnet(tmp_path)), str(tmp_path / "a.png"), "--json"]
    assert main(arguments) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert main([*arguments, option]) == 0
    (faster,) = json.loads(capsys.readouterr().out)
    assert faster["classes"] == plain["classes"]
    assert faster["probabilities"] == pytest.approx(plain["probabilities"], abs=1e-4)


def test_the_limit_of_pixels_can_be_raised(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["predict", str(write_resnet(tmp_path)), str(tmp_path / "x.png"), "--json", "--max-pixels"]
    pixels("RGB", (30, 20)).save(tmp_path / "x.png")
    assert main([*command, "599"]) == 1
    said = capsys.readouterr().err
    assert "x.png has 30 x 20 = 600 px, more than the 599 px allowed" in said
    assert said.endswith("; make it smaller or remove it, or raise --max-pixels\n")
    assert main([*command, "600"]) == 0


def test_files_become_what_they_became_in_training(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A transparent image is the stated background, and the stated level of one of 16 bits is white."""
    Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    Image.fromarray(np.full((8, 8), 200, dtype=np.uint16)).save(tmp_path / "deep.png")
    for color in ("black", "white"):
        Image.new("RGB", (8, 8), color).save(tmp_path / f"{color}.png")
    preprocessing = {**PREPROCESSING, "levels": [0, 200], "background": [0, 0, 0]}
    path = write_checkpoint(tmp_path / "net.ckpt", ["a", "b"], preprocessing=preprocessing)
    assert main(["predict", str(path), *(str(file) for file in tmp_path.glob("*.png")), "--json"]) == 0
    shown = {
        Path(each["file"]).stem: dict(zip(each["classes"], each["probabilities"], strict=True))
        for each in json.loads(capsys.readouterr().out)
    }
    assert shown["clear"] == pytest.approx(shown["black"])
    assert shown["deep"] == pytest.approx(shown["white"])
    assert shown["black"] != pytest.approx(shown["white"])
