"""Which images are held out: the same ones whatever else is in the set."""

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.holdout import HoldOut, rows_by_hash, set_aside, stratified_rows
from lit_cnn.data.sources.load import load_source
from lit_cnn.randomness import generator

NAMES = st.text("abc019_.-/ü", min_size=1, max_size=9).filter(lambda name: "//" not in name and name.strip("/") == name)
SETS = st.dictionaries(st.sampled_from(["cat", "dog", "émeu", "x y"]), st.sets(NAMES, min_size=2, max_size=25))
"""class -> names of its files."""


def folder_split(files: dict[str, set[str]], root: str = "/photos") -> tuple[FolderSplit, list[str]]:
    """The files of class folders, as ``read_folder`` gives them."""
    classes = sorted(files)
    named = [(f"{root}/{name}/{file}", label) for label, name in enumerate(classes) for file in sorted(files[name])]
    labels = torch.tensor([label for _, label in named], dtype=torch.int64)
    return FolderSplit(PathTable.of([path for path, _ in named], root), labels), classes


def held_out(files: dict[str, set[str]], fraction: float = 0.3, root: str = "/photos") -> dict[str, set[str]]:
    """class -> names of its files that are held out."""
    split, classes = folder_split(files, root)
    held, _ = rows_by_hash(split, classes, fraction)
    result: dict[str, set[str]] = {name: set() for name in classes}
    for row in np.flatnonzero(held).tolist():
        name = classes[int(split.labels[row])]
        result[name].add(split.paths[row].removeprefix(f"{root}/{name}/"))
    return result


@pytest.mark.slow
@settings(deadline=None)
@given(SETS.filter(lambda files: len(files) > 1), st.data())
def test_a_class_that_is_removed_or_renamed_moves_no_image_of_another(files, data):
    gone = data.draw(st.sampled_from(sorted(files)))
    before = held_out(files)
    rest = {name: own for name, own in files.items() if name != gone}
    assert held_out(rest) == {name: own for name, own in before.items() if name != gone}
    renamed = held_out({**rest, "a new name": files[gone]})
    assert {name: renamed[name] for name in rest} == {name: before[name] for name in rest}


@pytest.mark.slow
@settings(deadline=None)
@given(SETS.filter(bool), NAMES, st.data())
def test_an_added_file_moves_no_other_unless_its_class_needed_the_lowest_or_highest_hash(files, added, data):
    name = data.draw(st.sampled_from(sorted(files)))
    grown = {**files, name: files[name] | {added}}
    before, after = held_out(files), held_out(grown)
    others = [each for each in files if each != name]
    assert all(before[each] == after[each] for each in others)
    split, classes = folder_split(files)
    notes = rows_by_hash(split, classes, 0.3)[1]
    excepted = any("lowest" in note or "highest" in note for note in notes)
    moved = (before[name] ^ after[name]) - {added}
    assert not moved or (excepted and len(moved) == 1)


@pytest.mark.slow
@settings(deadline=None)
@given(SETS.filter(bool))
def test_neither_place_nor_form_of_the_set_matters(files):
    """A folder, the same folder elsewhere, and a list of its files in another order."""
    before = held_out(files)
    assert held_out(files, root="/another/place") == before
    split, classes = folder_split(files)
    order = torch.arange(len(split)).flip(0)
    held, _ = rows_by_hash(split.take(order), classes, 0.3)
    assert held[::-1].sum() == sum(map(len, before.values()))
    assert held[::-1].tolist() == rows_by_hash(split, classes, 0.3)[0].tolist()


@pytest.mark.slow
@settings(deadline=None)
@given(SETS.filter(bool), st.floats(0.001, 0.999))
def test_every_class_of_two_or_more_is_on_both_sides(files, fraction):
    held = held_out(files, fraction)
    assert all(0 < len(held[name]) < len(own) for name, own in files.items())


def test_the_one_image_of_a_class_is_never_held_out():
    for number in range(40):
        held = held_out({"cat": {f"{number}.jpg"}, "dog": {"1", "2"}}, 0.9)
        assert held["cat"] == set()


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5])
def test_the_share_is_right_within_binomial_bounds(fraction):
    """Of 20,000 images, and of each class of 5,000: five standard deviations."""
    files = {name: {f"{number:05d}.jpg" for number in range(5000)} for name in ("cat", "dog", "emu", "fox")}
    held = held_out(files, fraction)
    assert abs(sum(map(len, held.values())) - 20_000 * fraction) < 5 * (20_000 * fraction * (1 - fraction)) ** 0.5
    assert all(abs(len(own) - 5000 * fraction) < 5 * (5000 * fraction * (1 - fraction)) ** 0.5 for own in held.values())


def test_exceptions_are_said():
    split, classes = folder_split({"rare": {"1", "2"}, "cat": {str(number) for number in range(200)}})
    notes = rows_by_hash(split, classes, 1e-6)[1]
    assert len(notes) == 1
    assert notes[0].startswith("held out of 2 classes (cat, rare), where data.val_fraction alone would take none: the")
    notes = rows_by_hash(split, classes, 1 - 1e-6)[1]
    assert notes[0].startswith("trained on of 2 classes (cat, rare), where data.val_fraction alone would hold out all")
    assert rows_by_hash(*folder_split({"cat": {str(number) for number in range(200)}}), 0.5)[1] == []


@pytest.mark.slow
def test_a_million_names_are_hashed_in_two_seconds():
    """1.3 million in 1000 classes; 0.3 s on two cores."""
    classes = [f"n{number:08d}" for number in range(1000)]
    table = PathTable.of((f"/train/{name}/{name}_{row}.JPEG" for name in classes for row in range(1300)), "/train")
    split = FolderSplit(table, torch.arange(1000).repeat_interleave(1300))
    start = time.perf_counter()
    held, _ = rows_by_hash(split, classes, 0.1)
    assert time.perf_counter() - start < 2
    assert held.sum() == pytest.approx(130_000, rel=0.02)


# -- rows, as before --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.99])
def test_held_out_rows_complement_the_kept_and_leave_no_class_empty(fraction):
    labels = torch.tensor([0, 1, 1, 2, 2, 2] * 5 + [3])
    kept, held = stratified_rows(labels, fraction)
    assert sorted(kept.tolist() + held.tolist()) == list(range(31))
    assert labels[kept].unique().tolist() == [0, 1, 2, 3]
    assert labels[held].unique().tolist() == [0, 1, 2]


@pytest.mark.parametrize("fraction", [0.02, 0.5])
def test_the_same_rows_are_held_out_as_class_by_class(fraction):
    """Classes of one to several hundred images in any order, some labels unused."""
    draws = torch.rand(3000, generator=torch.Generator().manual_seed(0))
    labels = torch.cat([(draws**3 * 60).long() * 17, torch.tensor([5000])])
    assert labels.bincount().max() > 500
    expected = []
    for label in labels.unique().tolist():
        rows = [row for row, value in enumerate(labels.tolist()) if value == label]
        count = min(max(round(len(rows) * fraction), 1), len(rows) - 1)  # 0 of one image
        drawn = torch.randperm(len(rows), generator=generator("split", label))[:count].tolist()
        expected += [rows[place] for place in drawn]
    kept, held = stratified_rows(labels, fraction)
    assert held.tolist() == sorted(expected)
    assert kept.tolist() == sorted(set(range(3001)) - set(expected))


@pytest.mark.slow
def test_a_million_images_are_held_out_in_a_moment():
    """1.28 million in 1000 classes: the work does not grow with images times classes."""
    labels = torch.arange(1000).repeat_interleave(1280)
    start = time.perf_counter()
    _, held = stratified_rows(labels, 0.1)
    took = time.perf_counter() - start
    assert held.shape == (128_000,)
    assert took < 1


# -- what a source gets -----------------------------------------------------------------------------------------------

FILES = {"cat": {f"p{n % 6}_{n}.jpg" for n in range(30)}, "dog": {f"q{n % 5}_{n}.jpg" for n in range(30)}}


def test_a_given_validation_split_stays():
    train, classes = folder_split(FILES)
    val, _ = folder_split({"cat": {"1"}, "dog": {"2"}}, "/val")
    aside = set_aside({"train": train, "val": val}, classes, HoldOut())
    assert (aside.train, aside.val, aside.how, aside.notes) == (train, val, "given", ())


@pytest.mark.parametrize(
    ("hold_out", "how"),
    [
        (HoldOut(0.25), "held out: 25 % by a hash of class and path"),
        (HoldOut(0.25, "rows"), "held out: 25 % of each class by rows"),
        (HoldOut(0.25, group_by=r"[pq]\d"), r"held out: 25 % of the groups of data.group_by [pq]\d"),
    ],
)
def test_what_is_held_out_is_not_trained_on_and_how_is_said(hold_out, how):
    train, classes = folder_split(FILES)
    aside = set_aside({"train": train}, classes, hold_out)
    assert aside.how == how
    assert not set(aside.train.paths) & set(aside.val.paths)
    assert set(aside.train.paths) | set(aside.val.paths) == set(train.paths)
    assert Counter(aside.val.labels.tolist()).keys() == {0, 1}


def test_rows_are_those_of_older_runs():
    train, classes = folder_split(FILES)
    aside = set_aside({"train": train}, classes, HoldOut(0.1, "rows"))
    assert list(aside.val.paths) == [train.paths[row] for row in stratified_rows(train.labels, 0.1)[1].tolist()]


def test_one_image_of_each_class_is_refused():
    train, classes = folder_split({"cat": {"1"}, "dog": {"2"}})
    for hold_out in (HoldOut(), HoldOut(rule="rows")):
        with pytest.raises(ValueError, match="one image per class, too few to set any aside"):
            set_aside({"train": train}, classes, hold_out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0.0,), r"data\.val_fraction is 0\.0 but must lie between 0 and 1"),
        ((0.1, "names"), r"data\.hold_out is 'names' but must be hash or rows"),
        ((0.1, "rows", "p"), r"set data\.hold_out to hash"),
        (
            (0.1, "hash", "patient_("),
            r"not a regular expression \(.* at position 8\): correct it, or state column:NAME",
        ),
    ],
)
def test_impossible_values_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        HoldOut(*arguments)


def test_a_list_of_a_folders_files_holds_out_the_same_images_and_by_a_column(tmp_path):
    """From class folders, from train/ of them, and from a CSV file in another order with a column of patients."""
    rows = []
    for label, name in enumerate(("cat", "dog")):
        for number in range(30):
            for folder in (tmp_path / "a", tmp_path / "b" / "train"):
                (folder / name).mkdir(parents=True, exist_ok=True)
                (folder / name / f"{number}.png").write_bytes(b"not looked into")
            rows.append(f"{name}/{number}.png,{name},p{(number + label) % 9}")
    (tmp_path / "a" / "list.csv").write_text("\n".join(["path,label,patient", *reversed(rows)]))
    found = [
        {Path(path).relative_to(root).as_posix() for path in load_source(source, str(place), 0.3).val.paths}
        for source, place, root in (
            ("imagefolder", tmp_path / "a", tmp_path / "a"),
            ("imagefolder", tmp_path / "b", tmp_path / "b" / "train"),
            ("list", tmp_path / "a" / "list.csv", tmp_path / "a"),
        )
    ]
    assert found[0] == found[1] == found[2]
    grouped = load_source("list", str(tmp_path / "a" / "list.csv"), 0.3, group_by="column:patient")
    patients = [set(split.columns["patient"].tolist()) for split in (grouped.train, grouped.val)]
    assert patients[0] | patients[1] == {f"p{number}" for number in range(9)}
    assert not patients[0] & patients[1]
