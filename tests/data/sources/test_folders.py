"""Folders of images: what is read, in which order, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit, load_image, read_folder


def _fill(folder, classes=("cat", "dog"), count=2):
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (6, 4), (number, 0, 0)).save(folder / name / f"{number}.png")


def test_train_and_val_folders(tmp_path):
    _fill(tmp_path / "train")
    _fill(tmp_path / "val", ("dog",), 1)
    found = read_folder(tmp_path)
    splits, names = found.splits, found.class_names
    assert names == ["cat", "dog"]
    assert splits["train"].labels.tolist() == [0, 0, 1, 1]
    assert splits["val"].labels.tolist() == [1]
    assert "test" not in splits


def test_class_folders_alone_are_the_training_images(tmp_path):
    _fill(tmp_path)
    assert list(read_folder(tmp_path).splits) == ["train"]


@pytest.mark.parametrize("place", [".", "cat", "cat/deep"])
def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch, place):
    _fill(tmp_path, ("cat", "cat/deep", "dog"))
    denied = str(tmp_path / place)

    def deny(real):
        def list_folder(path="."):
            if os.fspath(path) == denied:
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return real(path)

        return list_folder

    for owner, name in ((os, "scandir"), (Path, "iterdir")):
        monkeypatch.setattr(owner, name, deny(getattr(owner, name)))
    with pytest.raises(
        ValueError, match=f"the folder {denied} cannot be listed .Permission denied.; fix its permissions"
    ):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: (path / "train").mkdir(), "train holds no class folders with images; make one folder per class"),
        (
            lambda path: _fill(path / "train", (".",)),
            "train holds no class folders with images; .*or list the files in a CSV file",
        ),
        (lambda path: _fill(path / "val"), "holds val/ but no folder of training images; add one named train"),
        (
            lambda path: _fill(path / "flowers"),
            r"one class only \(flowers\); .*if cat, dog are the classes, pass .*/flowers as",
        ),
        (
            lambda path: [_fill(path / "train"), _fill(path / "val", ("Cat",))],
            "no counterpart .*it has 'cat', which differs",
        ),
        (lambda path: [_fill(path / "train"), (path / "val").mkdir()], "val holds no class folders with images"),
        (lambda path: _fill(path, ("cat",)), r"one class only \(cat\)"),
        (lambda path: [_fill(path), (path / "empty").mkdir()], "class folder .*empty holds no image"),
        (lambda path: [_fill(path / "train"), _fill(path / "val", ("fox",))], "val/fox has no counterpart"),
    ],
)
def test_unusable_folders_are_refused(tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(ValueError, match=words):
        read_folder(tmp_path)


def test_an_empty_class_is_told_of_its_own_files_alone(tmp_path):
    _fill(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("of another class")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no image; add images or remove it"):
        read_folder(tmp_path)
    (tmp_path / "empty" / "film.mp4").touch()
    with pytest.raises(ValueError, match=r"empty holds no image \(no image by the ending \(\.mp4\)\); add images"):
        read_folder(tmp_path)


def test_splits_have_the_names_that_people_use(tmp_path):
    for name, count in (("Training", 3), ("valid", 2), ("Testing", 1)):
        _fill(tmp_path / name, count=count)
    found = read_folder(tmp_path)
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 6, "val": 4, "test": 2}
    assert found.notes == ("the splits are Training (train), valid (val), Testing (test)",)


def test_a_folder_that_is_not_a_split_is_told(tmp_path):
    _fill(tmp_path / "seg_train")
    _fill(tmp_path / "seg_test")
    _fill(tmp_path / "seg_pred", (".",), 1)
    assert (
        f"{tmp_path / 'seg_pred'} holds 1 image but is not a split by its name: left out" in read_folder(tmp_path).notes
    )


def test_test_images_without_labels_are_left_out(tmp_path):
    _fill(tmp_path / "train")
    _fill(tmp_path / "test", (".",), 3)
    found = read_folder(tmp_path)
    assert list(found.splits) == ["train"]
    assert found.notes == (f"{tmp_path / 'test'} holds 3 images without class folders: no labels, left out",)


def test_an_empty_test_folder_is_told(tmp_path):
    _fill(tmp_path / "train")
    (tmp_path / "test" / "cat").mkdir(parents=True)
    found = read_folder(tmp_path)
    assert list(found.splits) == ["train"]
    assert found.notes == (f"{tmp_path / 'test'} holds no image: there is no test split",)


def test_validation_images_without_class_folders_need_a_list(tmp_path):
    _fill(tmp_path / "train")
    _fill(tmp_path / "val", (".",), 2)
    with pytest.raises(
        ValueError, match=r"val holds 2 images but no class folders; .* a list val\.csv with the columns path"
    ):
        read_folder(tmp_path)
    (tmp_path / "val.csv").write_text("path,label\n0.png,dog\n1.png,cat\n")
    found = read_folder(tmp_path)
    assert found.splits["val"].labels.tolist() == [1, 0]
    assert found.notes == (f"the classes of the images in {tmp_path / 'val'} were read from {tmp_path / 'val.csv'}",)


def test_a_class_may_be_missing_or_empty_outside_training(tmp_path):
    _fill(tmp_path / "train")
    _fill(tmp_path / "val", ("dog",), 1)
    (tmp_path / "val" / "cat").mkdir()
    (tmp_path / "val" / "unknown").mkdir()
    found = read_folder(tmp_path)
    assert found.splits["val"].labels.tolist() == [1]
    assert found.notes == (f"{tmp_path / 'val'} holds no image of cat, unknown",)


def test_files_that_no_split_holds_are_counted_over_the_splits(tmp_path):
    for split in ("train", "val"):
        _fill(tmp_path / split)
        (tmp_path / split / "cat" / "a.heic").write_text("")
        (tmp_path / split / "cat" / "Thumbs.db").write_text("")
    (tmp_path / "train" / "dog" / "b.txt").write_text("")
    assert read_folder(tmp_path).left_out == {
        "no image by the ending (.txt)": 1,
        "no image by the ending (.heic); install pillow-heif to read it": 2,
    }


def test_further_values_of_files_are_taken_with_them():
    paths = PathTable.of(["/a.png", "/b.png", "/c.png"])
    split = FolderSplit(paths, torch.tensor([0, 1, 0]), {"patient": np.array(["x", "y", "z"])})
    taken = split.take(torch.tensor([2, 1]))
    assert (list(taken.paths), taken.columns["patient"].tolist()) == (["/c.png", "/b.png"], ["z", "y"])


def test_files_with_any_name_are_read(tmp_path):
    _fill(tmp_path)
    for name in (os.fsdecode(b"\xff\xfe.png"), "new\nline.png", "图像.png"):
        (tmp_path / "cat" / "0.png").rename(tmp_path / "cat" / name)
        split = read_folder(tmp_path).splits["train"]
        assert str(tmp_path / "cat" / name) in list(split.paths)
        assert {split.read(row).picture().size for row in range(len(split))} == {(6, 4)}
        (tmp_path / "cat" / name).rename(tmp_path / "cat" / "0.png")


def test_a_packed_set_is_told_from_a_folder_without_classes(tmp_path):
    for name in ("train", "val", "info"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.json").write_text("{}")
    with pytest.raises(ValueError, match=r"is a set written by lit-cnn data pack; read it with data\.source litdata"):
        read_folder(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "x.png").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        read_folder(tmp_path / "x.png")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb_or_gray(tmp_path, mode):
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new(mode, (5, 3)).save(tmp_path / f"x.{suffix}")
    assert load_image(tmp_path / f"x.{suffix}").mode == "RGB"
    gray = load_image(tmp_path / f"x.{suffix}", PixelFormat(1))
    assert (gray.mode, gray.size) == ("L", (5, 3))


def test_sixteen_bit_gray_keeps_its_upper_byte(tmp_path):
    Image.new("I;16", (2, 2), 0x4080).save(tmp_path / "x.png")
    assert load_image(tmp_path / "x.png", PixelFormat(1)).getpixel((0, 0)) == 0x40


def test_exif_orientation_is_applied(tmp_path):
    image, exif = Image.new("RGB", (6, 4)), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "x.jpg", exif=exif)
    assert load_image(tmp_path / "x.jpg").size == (4, 6)


def test_unreadable_files_are_named(tmp_path):
    noise = Image.effect_noise((64, 64), 50)
    noise.save(tmp_path / "cut.jpg")
    content = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.png").write_text("hello")
    for name in ("cut.jpg", "text.png"):
        with pytest.raises(ValueError, match=f"{name} cannot be decoded") as caught:
            load_image(tmp_path / name)
        assert type(caught.value)("a worker's message").args == ("a worker's message",)
    with pytest.raises(FileNotFoundError, match=r"gone\.png no longer exists"):
        load_image(tmp_path / "gone.png")
