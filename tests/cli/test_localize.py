"""``lit-cnn localize`` on a network whose maps are known by hand: figures, pictures, thresholds, refusals."""

import json
from pathlib import Path
from typing import Any

import pytest
from corner_net import CornerNet
from PIL import Image, ImageDraw
from test_explain import TRUST, OwnNet, write_net
from tiny_layouts import Tiny, voc_xml, write_coco

from lit_cnn.cli.main import main

COLORS = {"red": (255, 0, 0), "blue": (0, 0, 255), "green": (0, 255, 0)}


def write_images(root: Path, splits: dict[str, list[Tiny]]) -> Path:
    """Pascal VOC's layout, with the rectangles of each image in the colors of their classes on black."""
    for split, images in splits.items():
        for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{each.name}\n" for each in images))
        for each in images:
            picture = Image.new("RGB", (each.width, each.height))
            for name, left, top, right, bottom in each.boxes:
                ImageDraw.Draw(picture).rectangle((left, top, right - 1, bottom - 1), COLORS[name])
            picture.save(root / "JPEGImages" / f"{each.name}.png")
            (root / "Annotations" / f"{each.name}.xml").write_text(voc_xml(each))
    return root


def tiny(name: str, *boxes: tuple[str, int, int, int, int]) -> Tiny:
    return Tiny(name, 40, 20, list(boxes))


@pytest.fixture
def net(tmp_path: Path) -> list[str]:
    """The words before ``--data``: ``CornerNet`` behind a crop of 16 of 20 px, columns 12 to 28 and rows 2 to 18."""
    path = write_net(tmp_path / "net.ckpt", CornerNet(), "corner_net.CornerNet")
    return ["localize", str(path), *TRUST, "--out", str(tmp_path / "out"), "--workers", "0"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """In a row of cells of the crop a red object of 8 x 8 px, a blue one, and a red one that is cut off by the crop."""
    return write_images(
        tmp_path / "data",
        {
            "train": [tiny("t", ("red", 12, 2, 20, 10))],
            "val": [tiny("v", ("red", 16, 6, 24, 14))],
            "test": [
                tiny("a", ("red", 16, 6, 24, 14)),
                tiny("b", ("blue", 12, 10, 20, 18)),
                tiny("c", ("red", 0, 2, 16, 18)),
            ],
        },
    )


def reported(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_boxes_come_back_to_the_pixels_of_the_file(
    net: list[str], data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = reported(capsys, *net, "--data", data, "--threshold", "0.5")
    assert (report["split"], report["count"], report["accuracy"]) == ("test", 3, 1.0)
    first, second, third = report["images"]
    assert [Path(each["file"]).name for each in report["images"]] == ["a.png", "b.png", "c.png"]
    assert (first["class"], first["box"], first["iou"]) == ("red", [16, 6, 24, 14], 1.0)
    assert (second["class"], second["box"], second["iou"]) == ("blue", [12, 10, 20, 18], 1.0)
    assert third["box"] == [12, 2, 16, 18]
    assert third["iou"] == pytest.approx(0.25)
    rows = {row["name"]: row for row in report["figures"]}
    found = rows["class activation map"]
    assert (found["top1"], found["gt_known"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found["max_box_acc_v2"] == pytest.approx(2 / 3)
    assert rows["true boxes within the crop"]["gt_known"] == pytest.approx(2 / 3)
    assert rows["whole image"]["gt_known"] == 0
    assert report["center_box"] == [0.2, 0.4]  # of the training images: 8 of 40 and of 20 px
    assert rows["center box of mean size"]["gt_known"] == pytest.approx(1 / 3)
    with Image.open(report["files"]["images"]) as picture:
        assert min(picture.size) > 200
    assert report["files"]["images"] == str(tmp_path / "out" / "localized.png")


def test_a_wrong_answer_is_known_by_the_true_class_alone(
    net: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [("red", 12, 2, 16, 6), ("blue", 16, 6, 28, 18)]
    data = write_images(tmp_path / "wrong", {"train": [tiny("a", *both)]})
    (data / "Annotations" / "a.xml").write_text(voc_xml(tiny("a", both[0])))  # the blue one is in no annotation
    report = reported(capsys, *net, "--data", data, "--threshold", "0.5")
    assert (report["split"], report["accuracy"]) == ("train", 0)
    assert (report["figures"][0]["top1"], report["figures"][0]["gt_known"]) == (0, 1)
    assert report["images"][0]["class"] == "blue"
    assert report["images"][0]["iou"] is None
    report = reported(capsys, *net, "--data", data, "--threshold", "0.5", "--class", "true")
    assert (report["images"][0]["class"], report["images"][0]["iou"]) == ("red", 1.0)


def test_a_threshold_is_chosen_on_the_validation_images(
    net: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = reported(capsys, *net, "--data", data, "--threshold", "val")
    assert report["threshold_from"] == "val"
    above = reported(capsys, *net, "--data", data, "--split", "val", "--threshold", str(report["threshold"]))
    below = reported(capsys, *net, "--data", data, "--split", "val", "--threshold", str(report["threshold"] - 0.01))
    assert (above["figures"][0]["gt_known"], below["figures"][0]["gt_known"]) == (1, 0)


def test_the_table_says_how_each_figure_is_counted(
    net: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*net, "--data", str(data)]) == 0
    text = capsys.readouterr().out
    assert "threshold 0.15 of each map's maximum (given)" in text
    assert "take the thresholds that are best on these very images" in text
    for name in ("class activation map", "whole image", "center box of mean size", "true boxes within the crop"):
        assert name in text


def test_coco_is_read_too(net: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_coco(tmp_path / "coco", {"train": [Tiny("a", 40, 20, [("cat", 16, 6, 24, 14)])]})
    file = data / "annotations" / "instances_train2017.json"
    file.write_text(file.read_text().replace('"cat"', '"red"'))
    assert reported(capsys, *net, "--data", data)["images"][0]["true"] == ["red"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--threshold", "1.5"], "--threshold is 1.5 but must be a share from 0 to 1, or val"),
        (["--threshold", "val", "--split", "val"], "so the figures must be of others: --split test"),
        (["--limit", "0"], "--limit is 0 but must be at least 1"),
    ],
)
def test_wrong_words_are_refused(
    net: list[str], data: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*net, "--data", str(data), *words])
    assert sentence in capsys.readouterr().err


def test_what_cannot_be_localized_is_refused_in_a_sentence(
    net: list[str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*words: object) -> str:
        assert main([*map(str, words)]) == 1
        return capsys.readouterr().err.strip().splitlines()[-1]

    other = write_images(tmp_path / "other", {"train": [tiny("a", ("green", 1, 1, 5, 5), ("red", 8, 8, 12, 12))]})
    assert refused(*net, "--data", other).endswith(
        "has boxes of green, which "
        f"{tmp_path / 'net.ckpt'} does not know: its classes are red, blue; name the boxes as the checkpoint names its "
        "classes"
    )
    only_train = write_images(tmp_path / "train", {"train": [tiny("a", ("red", 1, 1, 5, 5))]})
    assert "needs annotated validation and test images" in refused(*net, "--data", only_train, "--threshold", "val")
    assert "has no test split with annotations, only train" in refused(*net, "--data", only_train, "--split", "test")
    assert "--map-stride is 3, but the maps of CornerNet" in refused(*net, "--data", data, "--map-stride", 3)
    own = write_net(tmp_path / "own.ckpt", OwnNet(), "test_explain.OwnNet")
    sentence = refused("localize", own, "--trust", "test_explain.OwnNet", "--data", data, "--out", tmp_path / "out")
    assert "has no exact class activation map" in sentence


def test_a_broken_file_ends_the_work_or_is_skipped(
    net: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "JPEGImages" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n no image")
    assert main([*net, "--data", str(data)]) == 1
    assert "or pass --skip-broken" in capsys.readouterr().err
    report = reported(capsys, *net, "--data", data, "--skip-broken")
    assert [Path(each["file"]).stem for each in report["images"]] == ["a", "c"]
