"""Classification windows cut from images with painted cells."""

from pathlib import Path

import numpy as np
import pytest
from bccd_windows import RARITY, Window, windows_of, write_windows
from PIL import Image
from tiny_layouts import Tiny, write_voc

from lit_cnn.data.module import ImageData
from lit_cnn.detection.annotations import read_annotations

SIDE = 64
WHITE, PLATELET, RED = ("WBC", 20, 20, 50, 50), ("Platelets", 150, 60, 158, 68), ("RBC", 90, 10, 115, 34)


def made(name: str, *boxes: tuple[str, int, int, int, int]) -> Tiny:
    return Tiny(name, 200, 120, list(boxes))


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Images of 200 x 120 px: all three kinds; a platelet next to a white cell; red cells alone."""
    crowded = made("crowded", WHITE, ("Platelets", 52, 52, 60, 60))
    reds = made("reds", RED, ("RBC", 118, 12, 142, 36), ("RBC", 20, 70, 44, 94))
    splits = {
        "train": [made("all", WHITE, PLATELET, RED), crowded],
        "val": [reds],
        "test": [made("white", WHITE, PLATELET, RED)],
    }
    return write_voc(tmp_path / "cells", splits)


def found(cells: Path, split: str, row: int) -> list[Window]:
    annotated = read_annotations(cells).splits[split]
    return list(windows_of(annotated.images[row], annotated.class_names, SIDE))


def test_a_window_shows_its_cell_and_no_rarer_one(cells: Path) -> None:
    windows = found(cells, "train", 0)
    assert [window.label for window in windows] == list(RARITY)
    for window, (_, *box) in zip(windows, (WHITE, PLATELET, RED), strict=True):
        assert 0 <= window.left <= 200 - SIDE
        assert 0 <= window.top <= 120 - SIDE
        moved = np.array(box) - np.array([window.left, window.top] * 2)
        assert window.boxes.tolist() == [moved.tolist()]
        assert moved.min() >= 0
        assert moved.max() <= SIDE


def test_a_platelet_that_every_window_shows_with_a_white_cell_has_none(cells: Path) -> None:
    assert [window.label for window in found(cells, "train", 1)] == ["WBC"]


def test_red_cells_have_one_window_of_an_image_with_the_boxes_half_of_which_it_shows(cells: Path) -> None:
    (window,) = found(cells, "val", 0)
    assert window.label == "RBC"
    assert 1 <= len(window.boxes) <= 2
    assert window.boxes.min() >= 0
    assert window.boxes.max() <= SIDE
    assert (window.boxes[:, 2:] - window.boxes[:, :2] >= 12).all()


def test_the_place_of_a_cell_differs_from_file_to_file_and_not_from_run_to_run(cells: Path) -> None:
    first, other = found(cells, "train", 0)[0], found(cells, "test", 0)[0]
    assert (first.left, first.top) != (other.left, other.top)
    again = found(cells, "train", 0)[0]
    assert (first.left, first.top) == (again.left, again.top)


def test_what_is_written_is_a_set_with_boxes_and_a_set_with_classes(cells: Path, tmp_path: Path) -> None:
    counts = write_windows(cells, tmp_path / "windows", SIDE)
    assert counts == {
        "train": {"WBC": 2, "Platelets": 1, "RBC": 1},
        "val": {"RBC": 1},
        "test": dict.fromkeys(RARITY, 1),
    }
    boxed = read_annotations(tmp_path / "windows")
    assert {split: len(images) for split, images in boxed.splits.items()} == {"train": 4, "val": 1, "test": 3}
    for image in boxed.train.images:
        assert (image.width, image.height) == (SIDE, SIDE)
        with Image.open(tmp_path / "windows" / image.path) as picture:
            pixels = np.asarray(picture).astype(int)
        left, top, right, bottom = image.boxes[0].astype(int).tolist()
        assert (
            abs(pixels[(top + bottom) // 2, (left + right) // 2] - np.array([0, 0, 255])).max() < 40
        )  # a painted cell
    data = ImageData("list", str(tmp_path / "windows"), image_size=SIDE, batch_size=2, workers=0)
    data.setup()
    assert data.class_names == sorted(RARITY)
    names = {split: {Path(path).stem for path in part.paths} for split, part in (("train", data.loaded.train),)}
    assert names["train"] == {image.image_id for image in boxed.train.images}
