"""YOLO: where its folders are, polygons, images without labels, and lines that are no boxes."""

import shutil
from pathlib import Path

import pytest
from tiny_layouts import write_json, write_yolo

from lit_cnn.detection.annotations import read_annotations
from lit_cnn.detection.boxes import AnnotatedSplit


def with_lines(root: Path, *lines: str) -> AnnotatedSplit:
    """The training images after lines were added to the labels of the first one, whose size is 64x48."""
    with (write_yolo(root) / "labels" / "train" / "train_00.txt").open("a") as stream:
        stream.write("\n".join(lines))
    return read_annotations(root).train


def test_folders_of_splits_may_hold_images_and_labels(tmp_path: Path) -> None:
    """As Roboflow writes them, whose data.yaml says ../train/images for a folder beside it."""
    found = read_annotations(write_yolo(tmp_path, inside=True))
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 6, "val": 3, "test": 2}
    assert found.train.images[0].path == "train/images/train_00.png"


def test_folders_need_not_be_stated(tmp_path: Path) -> None:
    (write_yolo(tmp_path) / "data.yaml").write_text("names: {0: cat, 1: dog}")
    assert sorted(read_annotations(tmp_path).splits) == ["test", "train", "val"]


def test_names_may_be_a_text_file(tmp_path: Path) -> None:
    (write_yolo(tmp_path) / "data.yaml").unlink()
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert read_annotations(tmp_path).train.class_names == ("cat", "dog")


def test_a_split_may_be_a_list_of_files(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    (tmp_path / "some.txt").write_text(
        "images/train/train_01.png\n./images/train/train_02.png\nimages/train/gone.png\n"
    )
    write_json(tmp_path / "data.yaml", {"train": "some.txt", "val": "images/val", "names": ["cat", "dog"]})
    train = read_annotations(tmp_path).train
    assert [image.path for image in train.images] == ["images/train/train_01.png", "images/train/train_02.png"]
    assert "images/train/gone.png" in train.findings["missing image"][0]


def test_polygons_become_the_boxes_around_them(tmp_path: Path) -> None:
    train = with_lines(tmp_path, "1 0.25 0.25 0.75 0.5 0.5 1.0")
    assert train.images[0].boxes[-1].tolist() == [16, 12, 48, 48]
    assert train.images[0].labels[-1] == 1


def test_key_points_are_not_part_of_the_box(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    (tmp_path / "labels" / "train" / "train_00.txt").write_text("0 0.5 0.5 0.5 0.5 0.1 0.1 2\n")
    write_json(tmp_path / "data.yaml", {"names": ["cat", "dog"], "kpt_shape": [1, 3]})
    assert read_annotations(tmp_path).train.images[0].boxes.tolist() == [[16, 12, 48, 36]]


def test_images_without_labels_are_background(tmp_path: Path) -> None:
    (write_yolo(tmp_path) / "labels" / "train" / "train_01.txt").unlink()
    train = read_annotations(tmp_path).train
    assert len(train) == 6
    assert train.images[1].boxes.shape == (0, 4)
    assert train.findings == {}


def test_lines_that_are_no_boxes_are_left_out_and_named(tmp_path: Path) -> None:
    train = with_lines(
        tmp_path,
        "0 0.5 0.5 0.2",
        "0.5 0.5 0.5 0.2 0.2",
        "cat 1 2 3 4",
        "9 0.5 0.5 0.2 0.2",
        "",
        "0 nan 0 0 0",
        "nan 0.5 0.5 0.2 0.2",
        "inf 0.5 0.5 0.2 0.2",
    )
    assert {kind: len(texts) for kind, texts in train.findings.items()} == {
        "unreadable box": 5,
        "unknown class": 1,
        "not finite box": 1,
    }
    assert "images/train/train_00.png, line 2 " in train.findings["unreadable box"][0]
    assert "line 5 (class 9)" in train.findings["unknown class"][0]
    assert len(train.images[0].boxes) == 1


def test_what_is_missing_or_broken_is_left_out_and_named(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    (tmp_path / "images" / "train" / "train_00.png").write_bytes(b"not an image")
    (tmp_path / "images" / "train" / "train_01.png").unlink()
    (tmp_path / "labels" / "train" / "train_02.txt").write_bytes(b"\xff\xfe0 0.5")
    train = read_annotations(tmp_path).train
    assert len(train) == 3
    assert {kind: len(texts) for kind, texts in train.findings.items()} == {
        "missing image": 1,
        "unreadable image": 1,
        "unreadable annotation": 1,
    }
    assert "labels/train/train_01.txt" in train.findings["missing image"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"names": ["cat", "dog"], "nc": 3}, "has nc 3 but 2 names"),
        ({"nc": 2}, "needs names"),
        ({"names": ["cat", "cat"]}, "two classes named 'cat'"),
    ],
)
def test_names_that_cannot_be_are_refused(tmp_path: Path, content: object, words: str) -> None:
    write_json(write_yolo(tmp_path) / "data.yaml", content)
    with pytest.raises(ValueError, match=words) as caught:
        read_annotations(tmp_path)
    assert str(tmp_path / "data.yaml") in str(caught.value)


@pytest.mark.parametrize("name", ["classes.txt", "some.txt"])
def test_lists_in_another_encoding_are_named(tmp_path: Path, name: str) -> None:
    write_yolo(tmp_path)
    (tmp_path / name).write_bytes("für\n".encode("latin-1"))
    if name == "classes.txt":
        (tmp_path / "data.yaml").unlink()
    else:
        write_json(tmp_path / "data.yaml", {"train": name, "names": ["cat", "dog"]})
    with pytest.raises(ValueError, match=rf"{name} cannot be read as UTF-8 text .*; save it as UTF-8"):
        read_annotations(tmp_path)


def test_no_names_at_all_are_refused(tmp_path: Path) -> None:
    (write_yolo(tmp_path) / "data.yaml").unlink()
    with pytest.raises(ValueError, match=r"neither data\.yaml nor classes\.txt"):
        read_annotations(tmp_path)


def test_validation_images_alone_are_refused(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    for kind in ("images", "labels"):
        shutil.rmtree(tmp_path / kind / "train")
    write_json(tmp_path / "data.yaml", {"names": ["cat", "dog"]})
    with pytest.raises(ValueError, match="holds no training images: add images/train"):
        read_annotations(tmp_path, "yolo")


@pytest.mark.parametrize(
    ("split", "places", "words"),
    [
        ("train", "images/clean", "training images images/clean"),
        ("train", ["images/train", "images/more"], "training images images/more"),
        ("val", "images/gone", "validation images images/gone"),
    ],
)
def test_images_that_are_named_and_not_there_are_refused(
    tmp_path: Path, split: str, places: object, words: str
) -> None:
    """Though the usual folders are there, which nobody has asked for."""
    stated = {"train": "images/train", "names": ["cat", "dog"], split: places}
    write_json(write_yolo(tmp_path) / "data.yaml", stated)
    with pytest.raises(ValueError, match=rf"data\.yaml names the {words}, which are not there: correct or remove"):
        read_annotations(tmp_path)


def test_no_other_images_are_evaluated_for_those_that_are_named_and_not_there(tmp_path: Path) -> None:
    stated = {"train": "gone", "val": ["images/val", "images/more"], "test": "images/gone", "names": ["cat", "dog"]}
    write_json(write_yolo(tmp_path) / "data.yaml", stated)
    found = read_annotations(tmp_path, to_train=False)
    assert {name: len(split) for name, split in found.splits.items()} == {"val": 3}
    assert found.splits["val"].findings["missing image"] == (
        f"images/more of {tmp_path / 'data.yaml'} is not there: left out",
    )
    assert [note.partition(" of ")[0] for note in found.notes] == ["the train split", "the test split"]


def test_labels_without_an_image_are_named_wherever_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_yolo(tmp_path / "set" / "own")
    (tmp_path / "set" / "own" / "images" / "train" / "train_00.png").unlink()
    (tmp_path / "set" / "other").mkdir()
    for name in ("images", "labels"):
        (tmp_path / "set" / "own" / name).rename(tmp_path / "set" / "other" / name)
    write_json(
        tmp_path / "set" / "own" / "data.yaml",
        {"train": str(tmp_path / "set/other/images/train"), "names": ["cat", "dog"]},
    )
    monkeypatch.chdir(tmp_path)
    found = read_annotations(Path("set/own")).train
    assert found.findings["missing image"] == ("../other/labels/train/train_00.txt: its image is not there: left out",)
    assert found.images[0].path == "../other/images/train/train_01.png"


def test_places_may_be_below_a_stated_path(tmp_path: Path) -> None:
    write_yolo(tmp_path / "inner")
    content = {"path": "inner", "train": "images/train", "val": ["images/val"], "names": ["cat", "dog"]}
    write_json(tmp_path / "data.yaml", content)
    found = read_annotations(tmp_path)
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 6, "val": 3}
    assert found.train.images[0].path == "inner/images/train/train_00.png"
