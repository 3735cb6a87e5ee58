"""The layout of a folder is found, every layout states the same boxes, and held-out images stay."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_layouts import (
    LAYOUT_OF,
    WRITERS,
    boxes_of,
    coco_content,
    tiny_images,
    tiny_splits,
    write_coco,
    write_json,
    write_voc,
    write_yolo,
)

from lit_cnn.data.sources.holdout import HoldOut
from lit_cnn.detection.annotations import Annotated, find_layout, fitting_layouts, read_annotations, with_validation


@pytest.mark.parametrize("layout", WRITERS)
def test_every_layout_states_the_same_boxes(tmp_path: Path, layout: str) -> None:
    found = read_annotations(WRITERS[layout](tmp_path / "set"))
    assert found.layout == LAYOUT_OF[layout]
    assert list(found.splits) == ["train", "val", "test"]
    for split, images in tiny_splits().items():
        own = found.splits[split]
        assert own.class_names == ("cat", "dog")
        assert own.findings == {}
        by_name = {Path(image.path).stem: image for image in own.images}
        assert sorted(by_name) == [image.name for image in images]
        for image in images:
            read = by_name[image.name]
            assert (read.width, read.height) == (image.width, image.height)
            np.testing.assert_allclose(read.boxes, boxes_of(image), atol=1e-4)
            assert read.boxes.dtype == np.float32
            assert read.labels.tolist() == [("cat", "dog").index(box[0]) for box in image.boxes]
            np.testing.assert_allclose(read.areas, np.prod(read.boxes[:, 2:] - read.boxes[:, :2], axis=1), rtol=1e-4)
            assert (Path(own.root) / read.path).is_file()


def test_results_name_images_and_classes_by_cocos_ids(tmp_path: Path) -> None:
    coco, voc = read_annotations(write_coco(tmp_path / "coco")), read_annotations(write_voc(tmp_path / "voc"))
    assert coco.train.category_ids == (3, 7)
    assert [image.image_id for image in coco.train.images][:2] == [100, 103]
    assert voc.train.category_ids == (1, 2)
    assert voc.train.images[0].image_id == "train_00"


def test_a_folder_of_no_layout_is_refused_with_what_there_could_be(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match=r"none of the layouts .*Annotations/.*instances_train.*labels/train"):
        find_layout(tmp_path)
    with pytest.raises(ValueError, match=r"does not have the layout voc, as it lacks Annotations/"):
        find_layout(tmp_path, "voc")


def test_a_folder_of_two_layouts_needs_to_be_told_one(tmp_path: Path) -> None:
    write_coco(write_voc(tmp_path))
    assert fitting_layouts(tmp_path) == ["voc", "coco"]
    with pytest.raises(ValueError, match=r"has 2 layouts, voc and coco: set data\.layout"):
        read_annotations(tmp_path)
    assert read_annotations(tmp_path, "coco").layout == "coco"


def test_an_unknown_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.layout is 'kitti' but must be auto, voc, coco or yolo"):
        find_layout(tmp_path, "kitti")  # type: ignore[arg-type]


def held_out(path: Path, **options: object) -> tuple[set[str], set[str], Annotated]:
    found = with_validation(read_annotations(path), HoldOut(0.3, **options))  # type: ignore[arg-type]
    return {image.path for image in found.train.images}, {image.path for image in found.val.images}, found


def test_images_that_are_added_move_no_held_out_ones(tmp_path: Path) -> None:
    train, val, found = held_out(write_voc(tmp_path / "a", {"train": tiny_images(20, "x")}))
    more_train, more_val, _ = held_out(write_voc(tmp_path / "b", {"train": tiny_images(29, "x")}))
    assert train.isdisjoint(val)
    assert len(train | val) == 20
    assert 0 < len(val) < 20
    assert val == {path for path in more_val if path in train | val}
    assert train < more_train
    assert found.validation == "held out: 30 % by a hash of the path"


def test_a_given_validation_split_stays(tmp_path: Path) -> None:
    found = with_validation(read_annotations(write_yolo(tmp_path)), HoldOut(0.3))
    assert (len(found.train), len(found.val), found.validation) == (6, 3, "given")


def test_training_and_validation_images_together_are_held_out_of(tmp_path: Path) -> None:
    read = read_annotations(write_voc(tmp_path, tiny_splits(12, 12)))
    found = with_validation(read, HoldOut(0.3), trainval=True)
    assert len(found.train) + len(found.val) == 24
    assert found.val.images[0].path != found.train.images[0].path
    assert sum(len(image.boxes) for split in (found.train, found.val) for image in split.images) == sum(
        len(image.boxes) for split in (read.train, read.val) for image in split.images
    )


def test_an_image_of_both_splits_is_taken_once(tmp_path: Path) -> None:
    lists = write_voc(tmp_path, tiny_splits(12, 12)) / "ImageSets" / "Main"
    with (lists / "train.txt").open("a") as stream:
        stream.write((lists / "val.txt").read_text())
    found = with_validation(read_annotations(tmp_path), HoldOut(0.3), trainval=True)
    paths = [image.path for split in (found.train, found.val) for image in split.images]
    assert len(paths) == len(set(paths)) == 24
    doubled = found.train.findings["doubled image"]
    assert (len(doubled), doubled[0]) == (12, "JPEGImages/val_00.png is in both splits: the second is left out")


def test_groups_are_held_out_whole(tmp_path: Path) -> None:
    train, val, _ = held_out(write_voc(tmp_path, {"train": tiny_images(40, "x")}), group_by=r"x(\d)\d")
    groups = [{Path(path).stem[1] for path in paths} for paths in (train, val)]
    assert groups[0].isdisjoint(groups[1])
    assert groups[0] | groups[1] == set("0123")


def test_findings_are_counted_once_where_images_are_held_out(tmp_path: Path) -> None:
    images = tiny_images(20, "x")
    images[0] = replace(images[0], boxes=[*images[0].boxes, ("cat", 5, 5, 6, 9)])
    found = with_validation(read_annotations(write_voc(tmp_path, {"train": images})), HoldOut(0.3))
    assert len(found.train.findings["degenerate box"]) == 1
    assert found.val.findings == {}


def test_training_images_without_any_box_are_refused(tmp_path: Path) -> None:
    write_voc(tmp_path, {"train": [replace(image, boxes=[]) for image in tiny_images(3, "x")]})
    with pytest.raises(ValueError, match=r"the training images of .* have no box$"):
        read_annotations(tmp_path)


def test_training_images_of_crowds_alone_are_refused(tmp_path: Path) -> None:
    content = coco_content(tiny_splits()["train"])
    for annotation in content["annotations"]:
        annotation["iscrowd"] = 1
    write_json(write_coco(tmp_path) / "annotations" / "instances_train2017.json", content)
    with pytest.raises(ValueError, match=r"have no box \(9 regions of crowds, iscrowd, which no training sees\)$"):
        read_annotations(tmp_path)


def test_annotated_images_can_be_sent_to_other_processes(tmp_path: Path) -> None:
    split = read_annotations(write_coco(tmp_path)).train
    copy = pickle.loads(pickle.dumps(split))
    for ours, theirs in zip(split.images, copy.images, strict=True):
        assert ours.path == theirs.path
        assert np.array_equal(ours.boxes, theirs.boxes)


def test_bccd_is_as_published(bccd: Path) -> None:
    found = read_annotations(bccd)
    assert [len(found.splits[name]) for name in ("train", "val", "test")] == [205, 87, 72]
    assert found.train.class_names == ("Platelets", "RBC", "WBC")
    degenerate = [text for split in found.splits.values() for text in split.findings.get("degenerate box", ())]
    assert len(degenerate) == 2
    assert all(any(name in text for text in degenerate) for name in ("BloodImage_00338", "BloodImage_00343"))
    labels = np.concatenate([image.labels for split in found.splits.values() for image in split.images])
    assert len(labels) + len(degenerate) == 4888
    assert np.bincount(labels).tolist() == [361, 4155 - 2, 372]
