"""What is said of a data set."""

import json
from dataclasses import replace

import pytest
import torch

from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.load import Source
from lit_cnn.data.summary import DataSummary


def part(count: int) -> ArraySplit:
    return ArraySplit(torch.zeros(count, 1, 2, 2, dtype=torch.uint8), torch.zeros(count, dtype=torch.int64))


SOURCE = Source(part(36), part(4), None, ["cat", "dog"], 1, (0.5,), (0.5,), "photos", validation="held out: 10 %")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "data: photos, 2 classes (cat, dog), 36 training and 4 validation images (held out: 10 %), no test split"),
        (
            {"train": part(1200), "val": part(1), "test": part(10), "validation": "given"},
            "data: photos, 2 classes (cat, dog), 1,200 training and 1 validation images (given), 10 test images",
        ),
        (
            {"left_out": {"no image by the ending (.txt)": 64, "in folders of thumbnails": 1}},
            "data: photos, 2 classes (cat, dog), 36 training and 4 validation images (held out: 10 %), no test split; "
            "left out: 64 files: no image by the ending (.txt), 1 file: in folders of thumbnails",
        ),
        (
            {"class_names": [f"c{number}" for number in range(12)]},
            "data: photos, 12 classes (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more), 36 training and 4 "
            "validation images (held out: 10 %), no test split",
        ),
    ],
)
def test_the_line_counts_classes_images_and_files_left_out(changes, line):
    assert DataSummary.of("imagefolder", replace(SOURCE, **changes)).line() == line


def test_the_line_of_what_is_evaluated_counts_that_split():
    summary = DataSummary.of("imagefolder", replace(SOURCE, test=part(7)))
    start = "data: photos, 2 classes (cat, dog), evaluated: "
    assert summary.of_split("val").line() == start + "4 validation images (held out: 10 %)"
    assert summary.of_split("test").line() == start + "7 test images"
    assert replace(summary, images={"all": 1}, evaluated="all").line() == start + "1 image"


def test_notes_follow_on_lines_of_their_own():
    summary = DataSummary.of("imagefolder", replace(SOURCE, notes=("first", "second")))
    assert summary.lines() == [summary.line(), "first", "second"]


def test_programs_get_all_of_it():
    names = [f"c{number}" for number in range(30)]
    source = replace(SOURCE, class_names=names, left_out={"empty": 2}, notes=("a note",))
    found = json.loads(json.dumps(DataSummary.of("list", source).as_dict()))
    assert found == {
        "source": "list",
        "path": "photos",
        "classes": names,
        "images": {"train": 36, "val": 4},
        "validation": "held out: 10 %",
        "left_out": {"empty": 2},
        "notes": ["a note"],
        "evaluated": None,
        "trained_on": {},
    }


def test_a_data_module_has_one():
    summary = ImageData("digits").summary
    assert summary.images == {"train": 1438, "val": 359}
    assert summary.line().endswith("(held out: 20 % of each class by rows), no test split")
