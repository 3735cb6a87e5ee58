"""A check names what is wrong with annotated images and counts their classes."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_layouts import Tiny, coco_content, paint, tiny_images, tiny_splits, write_coco, write_json, write_voc

from lit_cnn.detection.checking import CheckedAnnotations, check_annotations, overlaps


def said(checked: CheckedAnnotations, kind: str) -> list[str]:
    return [finding.text for finding in checked.findings if finding.kind == kind]


def one_said(checked: CheckedAnnotations, kind: str, *words: str) -> str:
    (text,) = [text for text in said(checked, kind) if all(word in text for word in words)]
    return text


def test_classes_are_counted_split_by_split(tmp_path: Path) -> None:
    advanced: list[tuple[int, int]] = []
    checked = check_annotations(write_coco(tmp_path), advance=lambda *step: advanced.append(step))
    rows = {(each.split, each.name): (each.boxes, each.images, each.difficult) for each in checked.classes}
    assert rows == {
        ("train", "cat"): (6, 5, 0),
        ("train", "dog"): (3, 3, 0),
        ("val", "cat"): (2, 2, 0),
        ("val", "dog"): (1, 1, 0),
        ("test", "cat"): (2, 2, 0),
        ("test", "dog"): (1, 1, 0),
    }
    cats = next(each for each in checked.classes if (each.split, each.name) == ("test", "cat"))
    assert cats.median_side == pytest.approx(math.sqrt(14 * 12))
    assert said(checked, "error") == []
    assert advanced[-1] == (11, 11)
    assert one_said(checked, "fact", "train: 6 images, 9 boxes, at most 3")
    assert one_said(checked, "fact", "train: 1 image without boxes")


def test_every_finding_of_reading_is_said_with_its_split(tmp_path: Path) -> None:
    splits = tiny_splits()
    splits["val"][0] = replace(
        splits["val"][0], boxes=[("cat", 9, 9, 10, 30), ("cat", 9, 9, 30, 30), ("cat", 9, 9, 30, 30)]
    )
    write_voc(tmp_path, splits)
    (tmp_path / "Annotations" / "train_00.xml").unlink()
    checked = check_annotations(tmp_path)
    assert one_said(checked, "error", "train: JPEGImages/train_00.png", "its Annotations/train_00.xml is not there")
    assert one_said(checked, "warning", "val: JPEGImages/val_00.png, object 1 (cat), degenerate box")
    assert one_said(checked, "warning", "val: JPEGImages/val_00.png, object 3 (cat), doubled box", "kept")
    assert one_said(checked, "fact", "1 image in no split, or left out: JPEGImages/train_00.png")


def test_nearly_the_same_box_is_named(tmp_path: Path) -> None:
    boxes = [("cat", 2, 2, 40, 42), ("cat", 3, 2, 40, 42), ("dog", 2, 2, 40, 41)]
    write_voc(tmp_path, {"train": [Tiny("a", boxes=boxes)]})
    text = one_said(check_annotations(tmp_path), "warning", "nearly the same box of cat twice")
    assert "[2, 2, 40, 42] and [3, 2, 40, 42]" in text


def test_crowds_and_difficult_objects_are_counted(tmp_path: Path) -> None:
    content = coco_content(tiny_splits()["train"])
    content["annotations"][0]["iscrowd"] = 1
    write_json(write_coco(tmp_path) / "annotations" / "instances_train2017.json", content)
    assert one_said(check_annotations(tmp_path), "fact", "train: 1 box of crowds")


def test_a_class_without_boxes_is_a_warning(tmp_path: Path) -> None:
    write_voc(tmp_path, {"train": tiny_images(3, "t"), "val": [Tiny("v", boxes=[("cat", 2, 2, 40, 42)])]})
    assert one_said(check_annotations(tmp_path), "warning", "val: no box of dog: they have no average precision")


def test_an_image_of_two_splits_is_an_error(tmp_path: Path) -> None:
    lists = write_voc(tmp_path) / "ImageSets" / "Main"
    with (lists / "val.txt").open("a") as stream:
        stream.write("train_00\n")
    assert one_said(check_annotations(tmp_path), "error", "1 image both in train and in val", "train_00.png")


def test_broken_images_and_images_of_another_size_are_errors(tmp_path: Path) -> None:
    pictures = write_voc(tmp_path) / "JPEGImages"
    (pictures / "train_00.png").write_bytes(b"no image")
    paint(Tiny("turned", width=48, height=64), pictures / "train_01.png")
    checked = check_annotations(tmp_path)
    assert one_said(checked, "error", "train_00.png cannot be decoded")
    assert one_said(
        checked, "error", "train_01.png is 48 x 64 px as it is shown, but its annotations are of 64 x 48 px"
    )


def test_the_same_pixels_in_two_splits_are_an_error(tmp_path: Path) -> None:
    pictures = write_voc(tmp_path) / "JPEGImages"
    shutil.copy(pictures / "train_01.png", pictures / "val_01.png")
    assert one_said(
        check_annotations(tmp_path), "error", "the same image is in two splits", "val_01.png", "train_01.png"
    )


def test_overlaps_are_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], dtype=np.float32)
    np.testing.assert_allclose(overlaps(boxes), [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]], rtol=1e-6)


@pytest.mark.slow
def test_bccd_has_its_known_flaws(bccd: Path) -> None:
    checked = check_annotations(bccd)
    assert said(checked, "error") == []
    assert one_said(checked, "warning", "degenerate box", "BloodImage_00338")
    assert one_said(checked, "warning", "degenerate box", "BloodImage_00343")
    assert one_said(checked, "warning", "nearly the same image is in train and val", "00038", "00037")
    assert len([text for text in said(checked, "warning") if "nearly the same box of RBC" in text]) == 7
    assert sum(each.boxes for each in checked.classes) == 4886
