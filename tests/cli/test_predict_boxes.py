"""``lit-cnn predict`` of a detector: what is drawn, written and printed, and which flags belong to whom."""

import csv
import json
from pathlib import Path

import pytest
import torch
from bright_squares import paint, trained
from checkpoint_files import write_checkpoint

from lit_cnn.cli.main import main


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A checkpoint of the detector of bright squares."""
    monkeypatch.setattr("lit_cnn.evaluation.trained_detector.detector_from", lambda *_: trained())
    torch.save({"format": 3, "task": "detection", "network": {}, "state_dict": {}}, tmp_path / "net.ckpt")
    return str(tmp_path / "net.ckpt")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    paint(tmp_path / "images" / "139.png", red=(40, 20, 80, 60), green=(100, 40, 140, 120))
    paint(tmp_path / "images" / "empty.png")
    return tmp_path / "images"


def test_a_folder_gets_pictures_a_table_and_cocos_results(net: str, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "found"
    assert main(["predict", net, str(images), "--out", str(out), "--out", str(tmp_path / "more.jsonl")]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["139.png", "detections.csv", "empty.png", "results.json"]
    with (out / "detections.csv").open(newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ["file", "class", "score", "left", "top", "right", "bottom"]
    assert (Path(first[0]).name, *first[1:3], *second[1:3]) == ("139.png", "cat", "0.9", "dog", "0.4")
    assert [float(side) for side in first[3:]] == pytest.approx([40, 20, 80, 60], abs=2.1)
    results = json.loads((out / "results.json").read_text())
    assert [(each["image_id"], each["category_id"], each["score"]) for each in results] == [
        (139, 18, 0.9),
        (139, 21, 0.4),
    ]
    assert [json.loads(line) for line in (tmp_path / "more.jsonl").read_text().splitlines()] == results


def test_the_table_counts_boxes_by_class_and_says_how_they_were_chosen(
    net: str, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", net, str(images), "--markdown"]) == 0
    text = capsys.readouterr().out
    assert "| 139.png | 2 | 0.90 | 1 cat, 1 dog |" in text
    assert "| empty.png | 0 | – | nothing |" in text
    assert "a score of at least 0.20 to 0.50 by class" in text
    assert "by at most 0.50 (score and nms chosen on val, 7 images)" in text


def test_json_holds_every_box_in_pixels_of_the_file(net: str, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", net, str(images / "139.png"), "--json", "--score", "0.5"]) == 0
    (image,) = json.loads(capsys.readouterr().out)
    assert (image["image_id"], image["width"], image["height"], image["error"]) == (139, 160, 120, None)
    (box,) = image["detections"]
    assert (box["class"], box["score"]) == ("cat", 0.9)


def test_a_file_that_cannot_be_read_is_named_at_the_end(
    net: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "a_bad.png").write_bytes(b"no image")
    assert main(["predict", net, str(images), "--out", str(tmp_path / "found")]) == 1
    assert "1 of 3 images has no prediction" in capsys.readouterr().err
    assert (tmp_path / "found" / "139.png").is_file()


@pytest.mark.parametrize(
    "flags", [["--temperature", "2"], ["--top-k", "2"], ["--min-probability", "0.5"], ["--fold"], ["--compile"]]
)
def test_flags_of_classifiers_are_refused(
    net: str, images: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", net, str(images), *flags]) == 1
    assert f"{flags[0]} is for classifiers, and {net} holds a detector: leave it out" in capsys.readouterr().err


def test_flags_of_detectors_are_refused_by_classifiers(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier = str(write_checkpoint(tmp_path / "c.ckpt", ["cat", "dog"]))
    for flags, sentence in (
        (["--score", "0.5"], f"--score is for detectors, and {classifier} holds a classifier: leave it out"),
        (["--out", str(tmp_path / "found")], "found ends in nothing, but .csv, .json or .jsonl is expected"),
    ):
        assert main(["predict", classifier, str(images), *flags]) == 1
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "found").exists()


@pytest.mark.parametrize("flags", [["--score", "1.5"], ["--nms", "-0.1"]])
def test_thresholds_outside_zero_to_one_are_refused(
    net: str, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["predict", net, "a.png", *flags])
    assert "must lie between 0 and 1" in capsys.readouterr().err
