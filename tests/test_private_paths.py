"""Absolute paths are handed on as their last part; what only looks like one stays as it is."""

import doctest
import shlex

import pytest

from lit_cnn import private_paths
from lit_cnn.private_paths import command_without_folders, last_part, without_folders


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(private_paths).failed == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/me/flowers", "flowers"),
        ("/home/Jane Doe/all flowers/", "all flowers"),
        ("~/flowers", "flowers"),
        ("~jane/flowers", "flowers"),
        (r"C:\Users\Jane Doe\flowers", "flowers"),
        (r"\\server\share\flowers", "flowers"),
        ("data/flowers", "data/flowers"),
        ("top-1 / top-5", "top-1 / top-5"),
        ("https://arxiv.org/abs/1512.03385", "https://arxiv.org/abs/1512.03385"),
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k"),
        ("~50 images", "~50 images"),
    ],
)
def test_texts_that_are_an_absolute_path_become_its_last_part(text: str, kept: str) -> None:
    assert without_folders(text) == kept
    assert without_folders({"a": [text, (text, 3)]}) == {"a": [kept, [kept, 3]]}


def test_regular_expressions_stay() -> None:
    for expression in (r"/(patient\d+)/", r"/site", r"([^/]+)/[^/]+$"):
        kept = {"data": {"group_by": expression}, "data.group_by": [None, expression]}
        assert without_folders(kept) == kept
        for words in (["--data.group_by", expression], [f"--data.group_by={expression}"]):
            assert shlex.split(command_without_folders(shlex.join(["lit-cnn", *words]))) == ["lit-cnn", *words]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["/opt/Jane Doe/bin/lit-cnn", "fit", "/home/me/x.yaml"], "lit-cnn fit x.yaml"),
        (["fit", "--data.path=/mnt/Jane Doe/flowers", "--a=b=c"], "fit --data.path=flowers --a=b=c"),
        (["fit", r"C:\Users\me\flowers", r"--runs=D:\my runs\a"], "fit flowers --runs=a"),
        (["fit", "--data", "{path: /home/Jane Doe/flowers, workers: 2}"], "fit --data '{path: flowers, workers: 2}'"),
        (["fit", "--from", "timm:resnet18", "data/flowers"], "fit --from timm:resnet18 data/flowers"),
    ],
)
def test_the_words_of_a_command_are_paths_of_their_own(words: list[str], kept: str) -> None:
    assert command_without_folders(words) == command_without_folders(shlex.join(words)) == kept


def test_the_last_part_of_a_path() -> None:
    assert [last_part(text) for text in ("/a/b/", "b", r"C:\a\b", "/")] == ["b", "b", "b", "/"]
