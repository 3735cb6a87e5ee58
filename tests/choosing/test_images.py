from pathlib import Path

import numpy as np
import pytest
from made_choice import make_images

from lit_cnn.choosing.images import open_images
from lit_cnn.data.module import ImageData


def test_a_folder_is_counted(tmp_path: Path) -> None:
    images = open_images(make_images(tmp_path / "images"))
    assert images.class_names == ["blue", "green", "red"]
    assert images.count("test") == 0
    assert (images.side, images.channels, images.labeled) == (16, 3, 36)
    assert images.class_counts() == [12, 12, 12]
    assert len(images.pooled()) == 36


def test_images_that_a_recipe_holds_out_are_counted_and_not_guessed(tmp_path: Path) -> None:
    """Of each class at least one, however few it has."""
    arrays = {"train_images": np.zeros((12, 8, 8), np.uint8), "train_labels": np.arange(12) % 6}
    np.savez(tmp_path / "a.npz", **arrays)
    for path in (make_images(tmp_path / "images", 3), tmp_path / "a.npz"):
        images = open_images(path)
        loaded = ImageData(images.source, str(path)).loaded
        assert (images.count("train"), images.count("val")) == (len(loaded.train), len(loaded.val))
        assert images.count("val") >= len(images.class_names)


def test_training_and_validation_files_are_pooled(tmp_path: Path) -> None:
    make_images(tmp_path / "data" / "train", 4)
    make_images(tmp_path / "data" / "val", 2)
    images = open_images(tmp_path / "data")
    assert (images.count("train"), images.count("val"), len(images.pooled())) == (12, 6, 18)
    assert len({images.pooled().paths[row] for row in range(18)}) == 18


def test_an_npz_file_says_its_size_and_channels(tmp_path: Path) -> None:
    arrays = {"train_images": np.zeros((20, 8, 12), np.uint8), "train_labels": np.arange(20) % 2}
    np.savez(tmp_path / "a.npz", **arrays)
    images = open_images(tmp_path / "a.npz")
    assert (images.source, images.side, images.channels) == ("npz", 8, 1)


@pytest.mark.parametrize(
    ("boxes", "file", "images"),
    [
        ("Annotations", "1.xml", "JPEGImages"),
        ("annotations", "instances.json", "train"),
        ("labels", "1.txt", "images"),
    ],
)
def test_images_with_boxes_are_sent_to_the_detectors(tmp_path: Path, boxes: str, file: str, images: str) -> None:
    for folder in (boxes, images):
        (tmp_path / folder).mkdir()
    (tmp_path / boxes / file).touch()
    with pytest.raises(ValueError, match=f"holds boxes \\({boxes}/\\), but class folders are expected"):
        open_images(tmp_path)


def test_a_class_that_is_called_labels_is_a_class(tmp_path: Path) -> None:
    make_images(tmp_path)
    (tmp_path / "red").rename(tmp_path / "labels")
    assert "labels" in open_images(tmp_path).class_names
