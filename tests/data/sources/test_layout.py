"""Folders of splits by the names people give them: found, or refused with a sentence, but never taken for classes."""

import pytest
from pictures import class_folders, draw

from lit_cnn.data.sources.layout import find_layout, is_neutral, split_of


def _splits(path):
    return {split: str(folder.relative_to(path)) for split, folder in find_layout(path).splits.items()}


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (
            "train Train TRAIN training Training_Set train-images trainset TrainData train2017 train_224 trainval",
            "train",
        ),
        ("val Val valid VALIDATION validation_set dev eval val_images valset val-2017 evaluation", "val"),
        ("test Test testing test_set TestImages tests test.images", "test"),
        ("cat contest trainer latest valley n01440764 seg_pred devil testudo 0", None),
    ],
)
def test_a_name_stands_for_a_split(names, split):
    assert {name: split_of(name)[0] for name in names.split()} == dict.fromkeys(names.split(), split)
    if split is not None:
        assert all(split_of(name)[1] == () for name in names.split())


def test_other_words_of_a_name_are_kept():
    assert split_of("seg_train") == ("train", ("seg",))
    assert split_of("OxfordFlowers-test-images") == ("test", ("oxford", "flowers"))
    assert split_of("train_test") == (None, ())


def test_some_names_say_only_that_images_are_there():
    assert [name for name in ("images", "img_001", "Data", "masks", "001", "cat images") if is_neutral(name)] == [
        "images",
        "img_001",
        "Data",
    ]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["train", "valid", "test"], {"train": "train", "val": "valid", "test": "test"}),
        (["Training", "Testing"], {"train": "Training", "test": "Testing"}),
        (["train", "dev"], {"train": "train", "val": "dev"}),
        (["seg_train", "seg_test"], {"train": "seg_train", "test": "seg_test"}),
        (["flowers_train", "flowers_val"], {"train": "flowers_train", "val": "flowers_val"}),
        (["train_images", "test-images"], {"train": "train_images", "test": "test-images"}),
        (["train", "oxford_val"], {"train": "train", "val": "oxford_val"}),
        (["training_set/training_set", "test_set/test_set"], None),
        (["train/images", "val/images"], {"train": "train/images", "val": "val/images"}),
        (["flowers/train", "flowers/val"], {"train": "flowers/train", "val": "flowers/val"}),
        (["a/b/c/train", "a/b/c/val"], {"train": "a/b/c/train", "val": "a/b/c/val"}),
        (["val"], {"val": "val"}),
    ],
)
def test_splits_are_found(tmp_path, folders, expected):
    class_folders(tmp_path, *folders)
    assert _splits(tmp_path) == (expected or {"train": folders[0], "test": folders[1]})


def test_system_folders_and_files_do_not_matter(tmp_path):
    class_folders(tmp_path, "flowers/train", "flowers/val")
    draw(tmp_path, "__MACOSX/flowers/._x.jpg", "$RECYCLE.BIN/x.png", ".git/x.png", "readme.txt", "flowers/._train")
    assert _splits(tmp_path) == {"train": "flowers/train", "val": "flowers/val"}


def test_folders_without_a_splits_name_are_kept_aside(tmp_path):
    class_folders(tmp_path, "seg_train", "seg_test")
    draw(tmp_path, "seg_pred/1.png", "labels/1.txt")
    layout = find_layout(tmp_path)
    assert [folder.name for folder in layout.others] == ["seg_pred"]
    assert layout.root == tmp_path


@pytest.mark.parametrize(
    "classes", [("bus", "car"), ("bullet train", "test tube"), ("train station", "bus stop"), ("0",)]
)
def test_class_folders_have_no_splits(tmp_path, classes):
    class_folders(tmp_path, "", classes=classes)
    assert find_layout(tmp_path).splits == {}


def test_a_class_inside_a_split_may_have_a_splits_name(tmp_path):
    class_folders(tmp_path, "train", "val", classes=("bus", "train"))
    assert _splits(tmp_path) == {"train": "train", "val": "val"}


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("test", "pilot"), "test/ next to pilot/.*rename the classes, or list the files .* in a CSV file"),
        (("bus", "car", "train"), "train/ next to bus/, car/, so that splits and classes cannot be told apart"),
        (("val", "valid", "train"), "val/ and valid/, which both name the val split; keep one"),
        (("trainA", "trainB", "testA", "testB"), "trainA/ and trainB/, which both name the train split"),
    ],
)
def test_names_of_splits_among_others_are_refused(tmp_path, classes, words):
    class_folders(tmp_path, "", classes=classes)
    with pytest.raises(ValueError, match=words):
        find_layout(tmp_path)


def test_a_training_folder_next_to_as_many_folders_of_classes_is_refused(tmp_path):
    class_folders(tmp_path, "train")
    class_folders(tmp_path, "", classes=("fish", "bird"))
    with pytest.raises(ValueError, match="cannot be told apart"):
        find_layout(tmp_path)


def test_a_training_folder_next_to_another_folder_of_folders_is_refused(tmp_path):
    """The classes train/ and truck/ of vehicles by year: the years were taken for classes, and truck/ was not read."""
    class_folders(tmp_path, "train", "truck", classes=("2020", "2021"))
    with pytest.raises(ValueError, match=r"train/ next to truck/, so that splits and classes cannot be told apart"):
        find_layout(tmp_path)


@pytest.mark.parametrize(
    ("splits", "others"),
    [
        (["train"], ["docs/figure.png"]),
        (["train", "val"], ["docs/api/figure.png"]),
        (["train", "val"], ["docs/api/figure.png", "annotations/cat/mask.png", "logs/1.png"]),
    ],
)
def test_folders_of_other_things_leave_splits_readable(tmp_path, splits, others):
    class_folders(tmp_path, *splits)
    draw(tmp_path, *others)
    assert _splits(tmp_path) == {split: split for split in splits}


def test_an_empty_second_folder_of_a_split_does_not_matter(tmp_path):
    class_folders(tmp_path, "train", "valid")
    (tmp_path / "val").mkdir()
    assert _splits(tmp_path) == {"train": "train", "val": "valid"}
