import csv
from pathlib import Path

import numpy as np
from made_choice import make_images

from lit_cnn.choosing.folds import fold_numbers, folds_of, why_no_folds, write_folds
from lit_cnn.choosing.images import open_images
from lit_cnn.data.sources.load import load_source


def test_of_each_class_the_folds_have_as_many_give_or_take_one() -> None:
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 3, 100)
    folds = folds_of(draws.integers(-(2**62), 2**62, 100), labels, 5)
    for label in range(3):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    counts = np.bincount(folds, minlength=5)
    assert counts.max() - counts.min() <= 1


def test_the_fold_of_an_image_depends_on_its_hash_not_on_its_place() -> None:
    draws = np.random.default_rng(1)
    hashes, labels = draws.integers(-(2**62), 2**62, 40), draws.integers(0, 2, 40)
    order = draws.permutation(40)
    assert (folds_of(hashes, labels, 5)[order] == folds_of(hashes[order], labels[order], 5)).all()


def test_every_image_is_validated_on_once_and_trained_on_otherwise(tmp_path: Path) -> None:
    images = open_images(make_images(tmp_path / "images", 5))
    files = write_folds(images, 3, tmp_path / "folds")
    validated: list[str] = []
    for file in files:
        rows = list(csv.DictReader(file.read_text().splitlines()))
        assert len(rows) == 15
        validated += [row["path"] for row in rows if row["split"] == "val"]
        source = load_source("list", str(file))
        assert (len(source.train), len(source.val)) == (10, 5)
        assert source.class_names == images.class_names
    assert len(validated) == len(set(validated)) == 15


def test_images_of_a_rare_class_are_trained_on_in_every_fold_and_the_others_judged(tmp_path: Path) -> None:
    images = make_images(tmp_path / "images", 5)
    for number in range(3):
        (images / "red" / f"{number}.png").unlink()
    found = open_images(images)
    assert fold_numbers(found) == (5, 3)
    for file in write_folds(found, 5, tmp_path / "folds"):
        source = load_source("list", str(file))
        assert source.class_names == found.class_names
        assert source.train.labels.bincount().tolist() == [4, 4, 2]
        assert source.val.labels.bincount().tolist() == [1, 1]


def test_why_there_are_no_folds(tmp_path: Path) -> None:
    images = open_images(make_images(tmp_path / "images", 2))
    assert fold_numbers(images) == (1,)
    assert why_no_folds(images) == "no class has the 3 images that folds need"
    assert why_no_folds(images, "1") == "--folds 1 asks for it"
    np.savez(tmp_path / "a.npz", train_images=np.zeros((20, 8, 8), np.uint8), train_labels=np.arange(20) % 2)
    arrays = open_images(tmp_path / "a.npz")
    assert fold_numbers(arrays) == (1,)
    assert why_no_folds(arrays) == "arrays are not divided into folds, only files are"
