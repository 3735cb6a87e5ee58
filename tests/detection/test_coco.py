"""COCO: ids with gaps, crowds and areas, Roboflow's folders, and records that point nowhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_layouts import coco_content, tiny_images, write_coco, write_json, write_roboflow

from lit_cnn.detection.annotations import as_files, read_annotations
from lit_cnn.detection.boxes import AnnotatedSplit

TRAIN = "annotations/instances_train2017.json"


def changed(root: Path, change: Callable[[dict[str, Any]], object]) -> AnnotatedSplit:
    """The training images after a change of their file's content."""
    content = json.loads((write_coco(root) / TRAIN).read_text())
    change(content)
    write_json(root / TRAIN, content)
    return read_annotations(root).train


def test_crowds_and_areas_of_masks_are_kept(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["annotations"][0] |= {"iscrowd": 1, "area": 17.5}
        content["annotations"][1].pop("area")

    train = changed(tmp_path, change)
    crowd = np.concatenate([image.crowd for image in train.images])
    areas = np.concatenate([image.areas for image in train.images])
    assert crowd.tolist() == [True] + [False] * (len(crowd) - 1)
    assert areas[:2].tolist() == [17.5, 14 * 12]


def test_labels_count_the_ids_in_their_order_whatever_the_file_has(tmp_path: Path) -> None:
    train = changed(tmp_path, lambda content: content["categories"].reverse())
    assert (train.class_names, train.category_ids) == (("cat", "dog"), (3, 7))
    assert train.images[1].labels.tolist() == [0, 1]


def test_a_validation_file_may_have_other_ids_of_the_same_names(tmp_path: Path) -> None:
    write_coco(tmp_path)
    content = coco_content(tiny_images(3, "val_"))
    for entry in content["categories"]:
        entry["id"] += 50
    for entry in content["annotations"]:
        entry["category_id"] += 50
    write_json(tmp_path / "annotations" / "instances_val2017.json", content)
    val = read_annotations(tmp_path).splits["val"]
    assert val.images[1].labels.tolist() == [0, 1]
    assert val.category_ids == (3, 7)


def test_roboflows_heading_is_not_a_class(tmp_path: Path) -> None:
    found = read_annotations(write_roboflow(tmp_path))
    assert found.train.class_names == ("cat", "dog")
    assert found.notes == ("the category 'animal' has no box and is the heading of others: not a class",)
    assert list(found.splits) == ["train", "val", "test"]


def test_a_class_without_boxes_stays_a_class(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["categories"].append({"id": 90, "name": "hair drier", "supercategory": "indoor"})

    assert changed(tmp_path, change).class_names == ("cat", "dog", "hair drier")


def test_records_that_point_nowhere_are_left_out_and_named(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"].append({**content["images"][0], "file_name": "other.png"})
        content["images"].append({"id": 5, "file_name": "gone.png", "width": 9, "height": 9})
        entry = content["annotations"][0]
        content["annotations"] += [
            {**entry, "id": 1, "image_id": 77},
            {**entry, "id": 2, "category_id": 8},
            {**entry, "id": 3, "bbox": [1, 2, 3]},
            {**entry, "id": 4, "image_id": 5},
        ]

    train = changed(tmp_path, change)
    assert {kind: len(texts) for kind, texts in train.findings.items()} == {
        "missing image": 1,
        "doubled image": 1,
        "unknown image": 1,
        "unreadable box": 1,
        "unknown class": 1,
    }
    assert "annotation 1 is of the image 77" in train.findings["unknown image"][0]
    assert "annotation 2 (category 8)" in train.findings["unknown class"][0]
    assert "annotation 3" in train.findings["unreadable box"][0]
    assert sum(len(image.boxes) for image in train.images) == 1 + 2 + 3 + 1 + 2


def test_sizes_that_are_not_stated_are_those_of_the_files(tmp_path: Path) -> None:
    train = changed(tmp_path, lambda content: [entry.pop("width") for entry in content["images"]])
    assert {(image.width, image.height) for image in train.images} == {(64, 48)}


@pytest.mark.parametrize(
    "number", [float("inf"), float("nan"), 10**400, -5], ids=["infinite", "nan", "huge", "negative"]
)
def test_sizes_and_boxes_that_cannot_be_are_not_taken(tmp_path: Path, number: float) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"][0]["width"] = number
        content["annotations"][0]["area"] = number
        content["annotations"][1]["bbox"][2] = number

    train = changed(tmp_path, change)
    assert (train.images[0].width, train.images[0].height) == (64, 48)
    assert train.images[0].areas.tolist() == [14 * 12]
    assert sum(map(len, train.findings.values())) == 1


def test_a_test_file_without_annotations_is_left_out_and_said(tmp_path: Path) -> None:
    content = {**coco_content(tiny_images(2, "test_")), "annotations": []}
    write_json(write_coco(tmp_path) / "annotations" / "instances_test2017.json", content)
    found = read_annotations(tmp_path)
    assert found.test is None
    assert "the test split" in found.notes[0]


def test_images_may_lie_in_a_folder_of_images(tmp_path: Path) -> None:
    write_coco(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "train2017").rename(tmp_path / "images" / "train2017")
    assert read_annotations(tmp_path).train.images[0].path == "images/train2017/train_00.png"


@pytest.mark.parametrize("linked", [False, True])
def test_absolute_names_are_kept_as_paths_from_the_folder(tmp_path: Path, linked: bool) -> None:
    root = write_coco(tmp_path / "deep" / "set", {"train": tiny_images(2, "train_")})
    (tmp_path / "elsewhere").mkdir()
    moved = (root / "train2017" / "train_01.png").rename(tmp_path / "elsewhere" / "train_01.png")
    content = json.loads((root / TRAIN).read_text())
    content["images"][0]["file_name"] = str(root / "train2017" / "train_00.png")
    content["images"][1]["file_name"] = str(moved)
    write_json(root / TRAIN, content)
    shown = tmp_path / "link" if linked else root
    if linked:
        shown.symlink_to(root)
    train = read_annotations(shown).train
    assert train.images[1].path == "../../elsewhere/train_01.png"
    assert not Path(train.images[0].path).is_absolute()
    assert all((shown / image.path).is_file() for image in train.images)
    assert all(Path(file).is_file() for file in as_files(train).paths)


def test_two_files_of_one_split_are_refused(tmp_path: Path) -> None:
    write_json(write_coco(tmp_path) / "annotations" / "instances_train2014.json", {})
    with pytest.raises(ValueError, match=r"train2014\.json and .*train2017\.json both hold the train split"):
        read_annotations(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "needs the lists images, annotations, categories"),
        ({"images": [], "annotations": []}, "needs the lists images, annotations, categories"),
        ({"images": [1], "annotations": [], "categories": []}, "must be objects"),
        ({"images": [], "annotations": [], "categories": [{"id": "a"}]}, "needs an id of its own, an integer"),
        (
            {"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]},
            "two categories named 'a'",
        ),
        ({"images": [{"id": 1}], "annotations": [{}], "categories": []}, "needs an id and a file_name"),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, content: object, words: str) -> None:
    write_json(tmp_path / TRAIN, content)
    with pytest.raises(ValueError, match=words) as caught:
        read_annotations(tmp_path)
    assert str(tmp_path / TRAIN) in str(caught.value)


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / TRAIN).write_text('{"images": [')
    with pytest.raises(ValueError, match="not readable as JSON"):
        read_annotations(tmp_path)


def test_annotations_of_other_splits_alone_are_refused(tmp_path: Path) -> None:
    write_coco(tmp_path, {"val": tiny_images(2, "val_")})
    with pytest.raises(ValueError, match=r"holds annotations/instances_val2017\.json but no annotations of training"):
        read_annotations(tmp_path)
