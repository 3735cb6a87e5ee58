from pathlib import Path

import numpy as np
from made_choice import make_images

from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.judged import judged_words


def test_the_largest_class_is_a_bar_and_rare_ones_are_named(tmp_path: Path) -> None:
    """10, 10 and 1 images: half of the 20 that are judged."""
    folder = make_images(tmp_path / "images", 10)
    for number in range(1, 10):
        (folder / "red" / f"{number}.png").unlink()
    said = judged_words(open_images(folder), "auto", 5, 1.0)
    assert "in 5 folds. 1 of classes with fewer than 5 images were trained on in every fold, and not judged." in said
    assert "Always answering the largest class would be right in 50.0 %." in said
    assert "the losses were weighted by class" in said
    assert "pooled" not in said


def test_a_given_split_that_is_pooled_or_kept_is_said(tmp_path: Path) -> None:
    for split in ("train", "val"):
        make_images(tmp_path / "images" / split, 5)
    images = open_images(tmp_path / "images")
    pooled, kept = judged_words(images, "auto", 5, 1.0), judged_words(images, "1", 1, 1.0)
    assert "validation files were pooled with the training files for that: --folds 1 keeps the given split." in pooled
    assert "(--folds 1 asks for it): another seed may differ by more than these intervals." in kept
    assert "right in 33.3 %." in kept
    assert "weighted" not in kept


def test_held_out_images_have_about_the_classes_of_all(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", train_images=np.zeros((20, 8, 8), np.uint8), train_labels=np.arange(20) % 4 // 3)
    assert "would be right in about 75.0 %." in judged_words(open_images(tmp_path / "a.npz"), "auto", 1, 1.0)


def test_candidates_that_are_no_better_than_the_largest_class_are_told_by_latency_alone(tmp_path: Path) -> None:
    images = open_images(make_images(tmp_path / "images", 5))
    said = "too short to compare networks by, and this recommendation is for its latency alone"
    assert said in judged_words(images, "auto", 5, 1 / 3)
    assert said not in judged_words(images, "auto", 5, 0.34)
