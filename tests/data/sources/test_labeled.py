"""Folders are read by their class folders, or without any by the lists in them."""

import pytest
from pictures import class_folders, draw

from lit_cnn.data.sources.labeled import lacks_class_folders, read_labeled


def test_a_list_may_be_the_path(tmp_path):
    draw(tmp_path, "1.png", "2.png")
    (tmp_path / "x.tsv").write_text("path\tlabel\n1.png\ta\n2.png\tb\n")
    assert read_labeled(tmp_path / "x.tsv").class_names == ["a", "b"]


@pytest.mark.parametrize(
    "folders", [("train",), ("images",), ("train_images", "test_images"), ("part_1", "part_2"), (".",)]
)
def test_images_without_class_folders_are_read_by_a_list(tmp_path, folders):
    draw(tmp_path, *(f"{folders[0]}/{number}.jpg" for number in range(2)), *(f"{name}/9.jpg" for name in folders[1:]))
    (tmp_path / "train.csv").write_text("id,breed\n0,pug\n1,chow\n")
    found = read_labeled(tmp_path)
    assert found.class_names == ["chow", "pug"]
    assert len(found.splits["train"]) == 2
    assert found.left_out == ({"without a row in the list": 1} if folders[1:] else {})


def test_class_folders_come_before_lists(tmp_path):
    class_folders(tmp_path, "train", "val")
    (tmp_path / "train.csv").write_text("path,label\nx.png,a\n")
    assert read_labeled(tmp_path).class_names == ["cat", "dog"]


def test_whether_class_folders_are_there(tmp_path):
    class_folders(tmp_path / "classes", "")
    draw(
        tmp_path,
        "flat/train/1.png",
        "numbered/images_1/1.png",
        "numbered/images_2/1.png",
        "mixed/images/1.png",
        "mixed/cat/1.png",
    )
    assert {name: lacks_class_folders(tmp_path / name) for name in ("classes", "flat", "numbered", "mixed")} == {
        "classes": False,
        "flat": True,
        "numbered": True,
        "mixed": False,
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.npz", r"read it with data\.source npz"),
        ("flowers.tar.gz", "unpack the archive and pass the folder"),
        ("x.json", r"expects a folder of class folders, or a list of files \(\.csv, \.tsv or \.txt\)"),
    ],
)
def test_other_files_are_refused_with_what_to_do(tmp_path, name, words):
    (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match=words):
        read_labeled(tmp_path / name)
