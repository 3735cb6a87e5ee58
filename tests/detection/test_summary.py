"""What annotated images are summed up as: nothing is left out silently."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_layouts import Tiny, coco_content, tiny_images, tiny_splits, write_coco, write_json, write_voc

from lit_cnn.data.sources.holdout import HoldOut
from lit_cnn.detection.annotations import read_annotations, with_validation
from lit_cnn.detection.summary import BoxSummary, median_sides


def summary_of(path: Path) -> BoxSummary:
    return BoxSummary.of(with_validation(read_annotations(path), HoldOut(0.3)), (24, 32))


def test_images_boxes_and_classes_are_counted(tmp_path: Path) -> None:
    lines = summary_of(write_voc(tmp_path)).lines()
    assert lines == [
        f"data: {tmp_path} (voc), 2 classes (cat, dog), 6 training and 3 validation images (given), 2 test images",
        "boxes: 9 training boxes (1 image without), 3 validation boxes (1 image without), 3 test boxes; "
        "median side 13 px in the files, 6 px on the canvas",
    ]


def test_what_is_left_out_or_changed_is_counted_with_the_command_that_names_it(tmp_path: Path) -> None:
    splits = tiny_splits()
    first = splits["train"][0]
    bad = [("cat", 9, 9, 10, 30), ("cat", 50, 9, 80, 30), ("dog", 9, 9, 10, 30)]
    splits["train"][0] = replace(first, boxes=[*first.boxes, *bad])
    write_voc(tmp_path, splits)
    (tmp_path / "Annotations" / "val_00.xml").unlink()
    summary = summary_of(tmp_path)
    assert summary.lines()[2:] == [
        "left out: 1 missing annotation, 2 degenerate boxes; found: 1 box over the edge "
        f"(lit-cnn check --json {tmp_path} names them)"
    ]
    assert summary.left_out == {"missing annotation": 1, "degenerate box": 2}


def test_crowds_have_no_part_in_the_median_side(tmp_path: Path) -> None:
    image = Tiny("a", boxes=[("cat", 0, 0, 8, 8), ("cat", 0, 0, 64, 48), ("cat", 0, 0, 60, 48)])
    write_coco(tmp_path, {"train": [image]})
    content = coco_content([image])
    for annotation in content["annotations"][1:]:
        annotation["iscrowd"] = 1
    write_json(tmp_path / "annotations" / "instances_train2017.json", content)
    assert median_sides(read_annotations(tmp_path).train, (24, 32)) == (8, 4)


@pytest.mark.parametrize(("split", "words"), [("val", "3 validation images (given)"), ("test", "2 test images")])
def test_of_an_evaluation_its_split_alone_is_said(tmp_path: Path, split: str, words: str) -> None:
    lines = summary_of(write_voc(tmp_path)).of_split(split).lines()
    assert lines[0].endswith(f"2 classes (cat, dog), evaluated: {words}")
    assert "training" not in "".join(lines)


def test_programs_get_built_in_types(tmp_path: Path) -> None:
    values = json.loads(json.dumps(summary_of(write_voc(tmp_path, {"train": tiny_images(9, "x")})).as_dict()))
    assert values["classes"] == ["cat", "dog"]
    assert values["images"].keys() == {"train", "val"}
    assert values["source"] == "voc"
    assert values["median_side"] == pytest.approx(2 * values["median_side_on_canvas"])
