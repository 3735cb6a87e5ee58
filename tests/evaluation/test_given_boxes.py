"""What ``--data`` names for a detector: the given split or all images, with the detector's labels by class name."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_coco import recipe_of
from tiny_layouts import Tiny, write_coco, write_voc, write_yolo

from lit_cnn.detection.annotations import Annotated
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.evaluation.detector_validation import detection_data, evaluated_summary
from lit_cnn.evaluation.given_boxes import given_boxes

PREPROCESSING = CanvasPreprocessing((64, 64), (0.5,) * 3, (0.2,) * 3, (128, 128, 128))
DETECTOR: Any = SimpleNamespace(class_names=["bird", "dog", "cat"], category_ids=(4, 5, 6), preprocessing=PREPROCESSING)


def names_of(annotated: Annotated, split: str) -> list[list[str]]:
    chosen = annotated.splits[split]
    return [[chosen.class_names[label] for label in image.labels.tolist()] for image in chosen.images]


def test_without_splits_all_images_are_evaluated(tmp_path: Path) -> None:
    images = [Tiny(f"{number}", boxes=[("cat", 2, 2, 20, 20)]) for number in range(5)]
    root = write_voc(tmp_path, {"train": images}, lists=False)
    given = given_boxes(str(root), "val", "auto", DETECTOR, "net.ckpt")
    assert names_of(given, "val") == [["cat"]] * 5
    assert given.notes[-1].endswith("has no val split: all its images, named train, are evaluated")


@pytest.mark.parametrize("write", [write_voc, write_coco, write_yolo])
def test_images_to_evaluate_need_no_training_images(tmp_path: Path, write: Any) -> None:
    root = write(tmp_path / "val", {"val": [Tiny("v", boxes=[("cat", 2, 2, 20, 20), ("dog", 30, 2, 50, 20)])]})
    for split in ("val", "test"):
        assert names_of(given_boxes(str(root), split, "auto", DETECTOR, "net.ckpt"), split) == [["cat", "dog"]]


def test_a_folder_without_annotated_images_is_refused(tmp_path: Path) -> None:
    root = write_coco(tmp_path, {"val": [Tiny("v")]})
    with pytest.raises(ValueError, match=r"holds no annotated image: the val split of .* has no annotated image"):
        given_boxes(str(root), "val", "auto", DETECTOR, "net.ckpt")


def test_the_given_split_has_the_labels_of_the_detector(tmp_path: Path) -> None:
    both = [Tiny("v", boxes=[("cat", 2, 2, 20, 20), ("dog", 30, 2, 50, 20)]), Tiny("w")]
    root = write_coco(tmp_path, {"train": [Tiny("t", boxes=both[0].boxes)], "val": both})
    given = given_boxes(str(root), "val", "voc", DETECTOR, "net.ckpt")  # the recipe's layout does not fit
    assert (given.layout, list(given.splits)) == ("coco", ["val"])
    assert names_of(given, "val") == [["cat", "dog"], []]
    assert given.splits["val"].category_ids == (4, 5, 6)
    with pytest.raises(ValueError, match="has the splits train and val but no test split"):
        given_boxes(str(root), "test", "auto", DETECTOR, "net.ckpt")


def test_a_box_of_another_class_is_refused_but_not_a_name_without_boxes(tmp_path: Path) -> None:
    splits = {"train": [Tiny("t", boxes=[("dog", 2, 2, 20, 20)])], "val": [Tiny("v", boxes=[("cat", 2, 2, 20, 20)])]}
    root = write_yolo(tmp_path, splits)
    cats: Any = SimpleNamespace(class_names=["cat"], category_ids=(1,))
    assert names_of(given_boxes(str(root), "val", "auto", cats, "net.ckpt"), "val") == [["cat"]]
    dogs: Any = SimpleNamespace(class_names=["dog"], category_ids=(1,))
    with pytest.raises(ValueError, match=r"classes cat, which net\.ckpt does not know, and lacks dog"):
        given_boxes(str(root), "val", "auto", dogs, "net.ckpt")


def test_the_data_of_a_detector_are_the_given_images(tmp_path: Path) -> None:
    images = [Tiny(f"{number}", boxes=[("cat", 2, 2, 20, 20)]) for number in range(3)]
    root = write_voc(tmp_path, {"train": images}, lists=False)
    data = detection_data({}, DETECTOR, "net.ckpt", str(root), False, "test")
    assert len(data.loaded.splits["test"]) == 3
    assert "evaluated: 3 test images" in evaluated_summary(data, "test").lines()[0]


def test_a_recipe_that_trains_on_both_splits_does_not_mix_the_given_ones(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path / "gone", data={"trainval": True, "layout": "voc"})
    data = detection_data({"recipe": recipe}, DETECTOR, "net.ckpt", str(write_coco(tmp_path / "given")), False)
    assert {name: len(images) for name, images in data.loaded.splits.items()} == {"val": 3}
    assert (data.canvas, data.batch_size) == ((64, 64), 2)
