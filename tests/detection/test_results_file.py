"""COCO's results: ids, boxes by width and height, and what names an image that no annotations name."""

import pytest
from found_boxes import detections, nothing

from lit_cnn.detection.results_file import coco_results, image_ids_of


def test_entries_have_the_ids_of_the_annotations_and_boxes_by_width_and_height() -> None:
    found = detections([(10.5, 20.0, 30.25, 60.0), (0.0, 0.0, 1.0, 2.0)], [0.75, 0.5], [1, 0])
    assert coco_results(139, found, (1, 90)) == [
        {"image_id": 139, "category_id": 90, "bbox": [10.5, 20.0, 19.75, 40.0], "score": 0.75},
        {"image_id": 139, "category_id": 1, "bbox": [0.0, 0.0, 1.0, 2.0], "score": 0.5},
    ]
    assert coco_results("a", nothing(), (1, 90)) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [("val2017/000000000139.jpg", 139), ("a/BloodImage_00001.jpg", "BloodImage_00001"), ("a.b.png", "a.b"), ("²", "²")],
)
def test_a_file_that_is_named_by_a_number_has_it(path: str, expected: int | str) -> None:
    assert image_ids_of([path]) == [expected]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/1.jpg", "a/x.jpg", "b/1.jpg"], ["a/1", "a/x", "b/1"]),
        (["a/1.jpg", "a/001.jpg"], ["1", "001"]),
        (["a/x.jpg", "a/x.png"], ["x.jpg", "x.png"]),
        (["a/1.jpg", "a/../a/1.jpg", "b/2.jpg"], [1, 1, 2]),
        ([], []),
    ],
)
def test_different_files_have_different_ids(paths: list[str], expected: list[int | str]) -> None:
    assert image_ids_of(paths) == expected
