"""Packed images give what was packed, whichever are taken."""

from pathlib import Path

import numpy as np
import pytest
from tiny_layouts import write_coco

from lit_cnn.detection.annotations import packed, read_annotations
from lit_cnn.detection.boxes import AnnotatedImage
from lit_cnn.detection.packed import PackedImages


@pytest.fixture
def images(tmp_path: Path) -> PackedImages:
    return packed(read_annotations(write_coco(tmp_path)).train)


def same(first: AnnotatedImage, second: AnnotatedImage) -> None:
    for name, value in vars(first).items():
        assert np.array_equal(value, getattr(second, name)), name


def test_rows_can_be_taken_in_any_order(images: PackedImages) -> None:
    rows = [4, 0, 0, 2]
    taken = images.take(np.array(rows))
    assert len(taken) == 4
    for row, image in zip(rows, taken, strict=True):
        same(image, images[row])
    same(images[1:][0], images[1])
    same(images[-1], images[len(images) - 1])


def test_two_sets_are_joined(images: PackedImages) -> None:
    both = images[:2].joined(images[2:])
    for ours, theirs in zip(both, images, strict=True):
        same(ours, theirs)


def test_each_box_knows_its_image(images: PackedImages) -> None:
    assert images.rows.tolist() == [row for row, image in enumerate(images) for _ in image.boxes]


def test_a_row_that_is_not_there_is_refused(images: PackedImages) -> None:
    with pytest.raises(IndexError):
        images[len(images)]
