"""Folders of images: what is read, in which order, and what is refused."""

import os
from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.data.sources.folders import load_image, read_folder


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
        (lambda path: (path / "train").mkdir(), "train holds no class folders"),
        (lambda path: _fill(path, ("cat",)), r"one class only \(cat\)"),
        (lambda path: [_fill(path), (path / "empty").mkdir()], "class folder .*empty holds no image"),
        (lambda path: [_fill(path / "train"), _fill(path / "val", ("fox",))], "val/fox has no counterpart"),
    ],
)
def test_unusable_folders_are_refused(tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(ValueError, match=words):
        read_folder(tmp_path)


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
