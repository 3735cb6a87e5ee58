"""Splits without class folders, by the lists that come with them."""

import os

import pytest
from pictures import class_folders, draw

from lit_cnn.data.sources.flat import flat_labels, is_flat

NAMES = ["n01", "n02"]


@pytest.fixture
def root(tmp_path):
    draw(tmp_path, "a/b/set/val/V1.JPEG", "a/b/set/val/V2.JPEG")
    return tmp_path / "a" / "b" / "set"


def _labels(root):
    images, labels, file = flat_labels(root / "val", root, "val", NAMES)
    return {os.path.basename(image): label for image, label in zip(images, labels, strict=True)}, file.name


def test_a_flat_folder_holds_images_and_no_class_folders(root):
    class_folders(root, "train")
    assert is_flat(root / "val")
    assert not is_flat(root / "train")
    (root / "empty").mkdir()
    assert not is_flat(root / "empty")


@pytest.mark.parametrize("place", [".", "val", "..", "../.."])
def test_imagenets_list_is_found_next_to_the_split_and_above(root, place):
    (root / place / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\nV1,n02 1 2 3 4\nV2,n01 1 2 3 4 \nV3,n09 1\n"
    )
    assert _labels(root) == ({"V1.JPEG": 1, "V2.JPEG": 0}, "LOC_val_solution.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("val.txt", "V1.JPEG n02\nV2.JPEG n01\n"),
        ("val.csv", "filename,class\nV1.JPEG,n02\nV2.JPEG,n01\n"),
        ("val/val_annotations.txt", "V1.JPEG\tn02\t0\t1\t2\t3\nV2.JPEG\tn01\t0\t1\t2\t3\n"),
        ("val/classes.csv", "image,label\nval/V1.JPEG,n02\nval/V2.JPEG,n01\n"),
        ("labels.csv", "path,label,split\nV1.JPEG,n02,val\nV2.JPEG,n01,val\nV1.JPEG,n01,train\n"),
        ("train_labels.csv", "path,label\nval/V1.JPEG,n02\nval/V2.JPEG,n01\ntrain/V1.JPEG,n01\n"),
        ("labels.csv", "path,label\n/elsewhere/val/V1.JPEG,n02\n/elsewhere/val/V2.JPEG,n01\n"),
        ("labels.csv", "path,label\nval\\V1.JPEG,n02\nval\\V2.JPEG,n01\ntrain\\V1.JPEG,n01\n"),
        ("labels.csv", "path;label\nval/V1.JPEG;n02\nval/V2.JPEG;n01\ntrain/x.JPEG;n01\n"),
    ],
)
def test_other_lists_serve_too(root, name, content):
    (root / name).write_text(content)
    assert _labels(root)[0] == {"V1.JPEG": 1, "V2.JPEG": 0}


def test_a_backslash_in_the_name_of_an_image_stays(tmp_path):
    draw(tmp_path, "val/a\\b.png", "val/c.png")
    (tmp_path / "val.csv").write_text("path,label\na\\b.png,n02\nval\\c.png,n01\n")
    assert _labels(tmp_path)[0] == {"a\\b.png": 1, "c.png": 0}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("val.csv", "path,label\nX1.JPEG,n01\n"),
        ("train_labels.csv", "path,label\nV1.JPEG,n01\nV2.JPEG,n01\n"),
        ("val/train.csv", "path,label\nV1.JPEG,n01\nV2.JPEG,n01\n"),
        ("labels.csv", "path,label,split\nV1.JPEG,n01,train\nV2.JPEG,n01,test\n"),
        ("labels.csv", "path,label\ntrain/V1.JPEG,n01\nn02/V2.JPEG,n01\n"),
    ],
)
def test_a_list_of_other_images_is_passed_over(root, name, content):
    """Of other names, or of the same names in another split, where numbering starts again."""
    (root / name).write_text(content)
    with pytest.raises(LookupError):
        _labels(root)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("V1.JPEG,n01\n", "gives no class for 1 of the 2 images in .*, the first is V2.JPEG"),
        ("V1.JPEG,n01\nV2.JPEG,n03\n", r"gives the class n03, which is not among the classes \(n01, n02\)"),
        ("V1.JPEG,n01\nV2.JPEG,n01\nV1.JPEG,n02\n", r"gives V1.JPEG the classes n01 and n02 \(line 4\)"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(root, content, words):
    (root / "val.csv").write_text(f"path,label\n{content}")
    with pytest.raises(ValueError, match=words):
        _labels(root)
