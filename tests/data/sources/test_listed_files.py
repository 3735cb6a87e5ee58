"""Where the files of a list are looked up."""

import os

import pytest
from pictures import draw

from lit_cnn.data.sources.listed_files import ListedFiles


@pytest.fixture
def find(tmp_path):
    draw(tmp_path, "data/x.jpg", "data/images/a.png", "data/train/b.01.jpeg", "other/c.png", "data/d.gif", "data/d.png")
    finder = ListedFiles(tmp_path / "data" / "list.csv")

    def relative(name):
        return [os.path.relpath(path, tmp_path) for path in finder.find(name)]

    return relative


def test_names_are_looked_up_from_the_lists_folder(find, tmp_path):
    assert find("x.jpg") == ["data/x.jpg"]
    assert find("./images/../x.jpg") == ["data/x.jpg"]
    assert find("../other/c.png") == ["other/c.png"]
    assert find(str(tmp_path / "other" / "c.png")) == ["other/c.png"]
    assert find("images\\a.png") == ["data/images/a.png"]


def test_then_in_its_image_folders_and_above(find):
    assert find("a.png") == ["data/images/a.png"]
    assert find("data/x.jpg") == ["data/x.jpg"]
    assert find("other/c.png") == ["other/c.png"]


def test_names_without_extension_are_completed(find):
    assert find("a") == ["data/images/a.png"]
    assert find("b.01") == ["data/train/b.01.jpeg"]
    assert find("d") == ["data/d.gif", "data/d.png"]


def test_what_is_not_there_is_not_found(find):
    assert find("gone.jpg") == []
    assert find("images") == []
    assert find("x.jpg/y") == []


def test_a_name_in_two_image_folders_is_ambiguous(tmp_path):
    draw(tmp_path, "one/1.png", "two/1.png")
    assert len(ListedFiles(tmp_path / "list.csv").find("1.png")) == 2


def test_a_url_is_refused(find):
    with pytest.raises(ValueError, match=r"https://x/y\.jpg is a URL, but a list names files; download them"):
        find("https://x/y.jpg")
