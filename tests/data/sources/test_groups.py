"""Groups of images are held out whole."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.groups import few, image_groups, require_grouping, rows_by_group, shared_groups
from lit_cnn.data.sources.holdout import HoldOut, set_aside

IMAGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=60)
"""Label and number of the group of each image."""


def grouped(images, fraction=0.3):
    labels = np.array([label for label, _ in images])
    groups = np.array([f"patient {number}" for _, number in images])
    held, notes = rows_by_group(labels, groups, ["a", "b", "c", "d"], fraction)
    return held, labels, groups, notes


def possible(images: list[tuple[int, int]]) -> bool:
    """Whether a group can be held out that leaves every class a training image."""
    groups = defaultdict(set)
    for label, group in images:
        groups[label].add(group)
    return any(all(len(groups[label]) > 1 for label, own in images if own == group) for _, group in images)


@pytest.mark.slow
@settings(deadline=None)
@given(IMAGES.filter(possible), st.floats(0.001, 0.999))
def test_no_group_is_on_both_sides_and_every_class_is_trained_on(images, fraction):
    held, labels, groups, notes = grouped(images, fraction)
    assert held.any()
    assert not set(groups[held]) & set(groups[~held])
    assert set(labels[~held]) == set(labels)
    assert len(set(labels[held])) == len(set(labels)) or len(notes) == 1


@pytest.mark.slow
@settings(deadline=None)
@given(IMAGES.filter(lambda images: not possible(images)))
def test_where_no_group_can_be_spared_a_sentence_says_so(images):
    with pytest.raises(
        ValueError, match="none can be held out without leaving a class untrained: state smaller groups"
    ):
        grouped(images, 0.5)


@settings(deadline=None)
@given(st.sets(st.integers(0, 400), min_size=200), st.integers(0, 400))
@pytest.mark.slow
def test_a_group_goes_where_the_hash_of_its_name_says(numbers, added):
    """Groups that are added or get more images move no other."""

    def side(chosen: set[int]) -> dict[int, bool]:
        images = [(number % 2, number) for number in sorted(chosen)]
        return dict(zip(sorted(chosen), grouped(images)[0].tolist(), strict=True))

    before, after = side(numbers), side(numbers | {added})
    assert all(after[number] == before[number] for number in numbers)


def test_a_class_of_one_group_is_trained_on_and_said():
    """Whatever the hash of that group is."""
    for number in range(20):
        images = [(0, group) for group in range(20)] + [(1, group) for group in range(20)] + [(2, 100 + number)]
        held, labels, _, notes = grouped(images, 0.5)
        assert not held[labels == 2].any()
        assert notes == ["1 class (c) without validation images: no group of data.group_by can be spared"]


def folder(*paths: str, **columns: list[str]) -> FolderSplit:
    table = PathTable.of([f"/set/{path}" for path in paths], "/set")
    arrays = {name: np.array(values) for name, values in columns.items()}
    return FolderSplit(table, torch.zeros(len(paths), dtype=torch.int64), arrays)


def test_the_first_group_of_the_expression_or_the_whole_match_is_the_name():
    split = folder("cat/p1_2.jpg", "cat/deep/p22_3.jpg")
    assert image_groups(split, r"p(\d+)_").tolist() == ["1", "22"]
    assert image_groups(split, r"p\d+").tolist() == ["p1", "p22"]
    assert image_groups(split, r"^cat/(?:deep/)?(p)").tolist() == ["p", "p"]


def test_a_column_of_a_list_is_the_group_and_goes_with_its_rows():
    split = folder("1.jpg", "2.jpg", "3.jpg", patient=["x", "y", " x "])
    assert image_groups(split, "column:patient").tolist() == ["x", "y", "x"]
    assert image_groups(split.take(torch.tensor([2, 1])), "column:patient").tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("split", "group_by", "words"),
    [
        (
            folder("cat/p1.jpg", "cat/q.jpg"),
            r"p\d",
            r"'p\\\\d' matches nothing of the image cat/q\.jpg, but every image",
        ),
        (folder("cat/p1.jpg"), r"p(x)?", r"matches nothing of the image cat/p1\.jpg"),
        (folder("1.jpg", "2.jpg", who=["x", ""]), "column:who", r"'column:who' is empty for the image 2\.jpg"),
        (folder("1.jpg", who=["x"]), "column:patient", r"the column 'patient', .* \(it has who\): correct it, or"),
        (folder("1.jpg"), "column:patient", r"\(only lists of files have columns\): correct it, or state a regular"),
    ],
)
def test_an_image_without_a_group_and_a_column_that_is_not_there_are_named(split, group_by, words):
    with pytest.raises(ValueError, match=words):
        image_groups(split, group_by)


@pytest.mark.parametrize("wrong", ["p(", "[z-a]", "*", "a{99999999999999999999}"])
def test_what_is_not_an_expression_is_refused(wrong):
    with pytest.raises(ValueError, match=r"is not a regular expression \(.+\): correct it, or state column:NAME"):
        require_grouping(wrong)
    require_grouping("column:(")


def test_groups_in_two_given_splits_are_noted():
    splits = {"train": folder("a/p1_1", "a/p2_1"), "val": folder("a/p1_2"), "test": folder("a/p2_9", "a/p1_9")}
    notes = set_aside(splits, ["a"], HoldOut(group_by=r"p\d")).notes
    assert notes[0].startswith(
        "1 group (p1) of data.group_by both in the training and in the validation split, so that"
    )
    assert notes[1].startswith("2 groups (p1, p2) of data.group_by both in the training and in the test split, so that")
    assert shared_groups({}) == []


def test_only_groups_that_stay_in_training_are_shared_with_the_test_split():
    train = folder(*[f"a/p{number}_1" for number in range(9)])
    test = folder(*[f"a/p{number}_2" for number in range(9)])
    aside = set_aside({"train": train, "test": test}, ["a"], HoldOut(0.5, group_by=r"p\d"))
    assert f"{len(aside.train)} groups (" in aside.notes[0]
    assert len(aside.notes) == 1


def test_groups_of_names_that_are_not_utf_8_are_held_out_whole():
    """Such a name ended in an error of Python's encoding."""
    train = folder(*(f"a/M\udcfcller{number}_{image}.png" for number in range(9) for image in (1, 2)))
    aside = set_aside({"train": train}, ["a"], HoldOut(0.5, group_by=r"(M.*)_"))
    sides = [{path.rpartition("_")[0] for path in split.paths} for split in (aside.train, aside.val)]
    assert (len(sides[0]) + len(sides[1]), sides[0] & sides[1]) == (9, set())


def test_few_names_are_shown():
    assert few("class", "classes", ["a"]) == "1 class (a)"
    assert few("class", "classes", list("abcdefg")) == "7 classes (a, b, c, d, e, ...)"


def test_only_training_images_need_groups():
    splits = {"train": folder("a/1.jpg", "a/2.jpg", patient=["x", "y"]), "test": folder("a/3.jpg")}
    aside = set_aside(splits, ["a"], HoldOut(0.5, group_by="column:patient"))
    assert len(aside.val) == 1
    assert aside.notes[0].startswith("whether test shares groups with the training images is not known: data.group_by")
    with pytest.raises(ValueError, match="the column 'patient'"):
        set_aside({"train": folder("a/1.jpg", "a/2.jpg")}, ["a"], HoldOut(0.5, group_by="column:patient"))
