"""Labeled images for a trained network: the split that is meant, whole, with labels by name."""

import os

import pytest
from pictures import class_folders, draw

from lit_cnn.data.sources.evaluated import labeled_images

NAMES = ["dog", "eel", "cat"]


def _found(path, split="val", names=NAMES):
    found = labeled_images(path, names, split)
    ((name, images),) = found.splits.items()
    assert found.class_names == names
    return name, images.labels.tolist()


def test_a_folder_of_class_folders_is_taken_whole_with_labels_by_name(tmp_path):
    class_folders(tmp_path, "", count=3)
    for split in ("val", "test"):
        assert _found(tmp_path, split) == ("all", [2, 2, 2, 0, 0, 0])


@pytest.mark.parametrize(("split", "folder"), [("val", "Validation"), ("test", "test_set/test_set")])
def test_the_split_that_is_asked_for_is_taken(tmp_path, split, folder):
    class_folders(tmp_path, "train", "Validation", "test_set/test_set")
    draw(tmp_path, f"{folder}/eel/1.png")
    assert _found(tmp_path, split) == (split, [2, 2, 0, 0, 1])


@pytest.mark.parametrize("only", ["val", "test"])
def test_the_only_split_is_taken_whichever_is_asked_for(tmp_path, only):
    class_folders(tmp_path, only)
    assert {_found(tmp_path, split)[0] for split in ("val", "test")} == {only}


@pytest.mark.parametrize(
    ("splits", "wanted", "words"),
    [
        (("train", "val"), "test", "holds train/ and val/ but no test split"),
        (("train",), "val", "holds train/ but no val split; add one, or pass the folder whose images you mean"),
    ],
)
def test_a_split_that_is_not_there_is_refused(tmp_path, splits, wanted, words):
    class_folders(tmp_path, *splits)
    with pytest.raises(ValueError, match=words):
        labeled_images(tmp_path, NAMES, wanted)


def test_an_empty_class_folder_does_not_matter(tmp_path):
    class_folders(tmp_path, "")
    for name in ("eel", "nameless"):
        (tmp_path / name).mkdir()
    assert _found(tmp_path) == ("all", [2, 2, 0, 0])


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("cat", "fox"), r"fox is not named as one of the network's classes \(dog, eel, cat\); rename or remove it"),
        (("Cat", "dog"), "Cat is not named as one of the network's classes .*; is it 'cat'"),
    ],
)
def test_an_unknown_class_is_named_with_the_known_ones(tmp_path, classes, words):
    class_folders(tmp_path, "", classes=classes)
    with pytest.raises(ValueError, match=words):
        labeled_images(tmp_path, NAMES, "val")


def test_a_networks_classes_may_have_names_of_splits(tmp_path):
    class_folders(tmp_path, "", classes=("train", "bus"))
    assert _found(tmp_path, names=["bus", "train"]) == ("all", [0, 0, 1, 1])
    class_folders(tmp_path / "only", "train", classes=("train", "bus"))
    with pytest.raises(ValueError, match="holds train/ but no val split"):
        labeled_images(tmp_path / "only", ["bus", "train"], "val")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    with pytest.raises(ValueError, match="holds no image in class folders"):
        labeled_images(tmp_path, NAMES, "val")


def test_images_without_class_folders_need_a_list(tmp_path):
    draw(tmp_path, "val/1.png", "val/2.png")
    with pytest.raises(ValueError, match=r"without class folders, so without labels; .*pass a list"):
        labeled_images(tmp_path, NAMES, "val")
    (tmp_path / "val.csv").write_text("path,label\n1.png,eel\n2.png,cat\n")
    assert _found(tmp_path) == ("val", [1, 2])


def test_a_list_is_taken_whole_or_by_its_splits(tmp_path):
    draw(tmp_path, "1.png", "2.png")
    (tmp_path / "new.csv").write_text("path,label\n1.png,eel\n2.png,cat\n")
    assert _found(tmp_path / "new.csv") == ("all", [1, 2])
    (tmp_path / "split.csv").write_text("path,label,split\n1.png,eel,train\n2.png,cat,test\n")
    assert _found(tmp_path / "split.csv", "test") == ("test", [2])
    with pytest.raises(ValueError, match="is not a folder of images or a list of them"):
        labeled_images(tmp_path / "1.png", NAMES, "val")


def test_what_was_left_out_is_counted(tmp_path):
    class_folders(tmp_path, "")
    draw(tmp_path, "cat/notes.txt", "loose.png")
    assert labeled_images(tmp_path, NAMES, "val").left_out == {
        "no image by the ending (.txt)": 1,
        "next to the class folders": 1,
    }


def test_paths_are_relative_to_the_split(tmp_path):
    class_folders(tmp_path, "val")
    paths = labeled_images(tmp_path, NAMES, "val").splits["val"].paths
    assert paths.root == os.path.join(tmp_path, "val")
