"""Lists of files become splits; every row is read, or counted, or named in a sentence."""

import os
import pickle

import pytest
import torch
from pictures import draw

from lit_cnn.data.sources.lists import read_list, read_listed_split
from lit_cnn.data.sources.load import load_source


@pytest.fixture
def folder(tmp_path):
    draw(tmp_path, *(f"images/{number}.png" for number in range(6)))
    return tmp_path


def _write(folder, content, name="list.csv"):
    (folder / name).write_text(content)
    return folder / name


def _rows(split, names):
    return [
        (os.path.relpath(path, split.paths.root), names[label])
        for path, label in zip(split.paths, split.labels, strict=True)
    ]


def test_a_list_without_splits_is_the_training_split(folder):
    found = read_list(_write(folder, "path,label\nimages/0.png,10\nimages/1.png,9\nimages/2.png,10\n"))
    assert found.class_names == ["9", "10"]
    assert list(found.splits) == ["train"]
    assert _rows(found.splits["train"], found.class_names) == [
        ("images/0.png", "10"),
        ("images/1.png", "9"),
        ("images/2.png", "10"),
    ]
    assert found.splits["train"].paths.root == str(folder)
    assert found.left_out == {"without a row in the list": 3}


def test_a_column_of_splits_parts_the_rows(folder):
    rows = "".join(
        f"images/{n}.png,{'ab'[n % 2]},{('train', 'train', 'valid', 'valid', 'test', 'test')[n]}\n" for n in range(6)
    )
    found = read_list(_write(folder, f"path,label,split\n{rows}"))
    assert {name: split.labels.tolist() for name, split in found.splits.items()} == {
        "train": [0, 1],
        "val": [0, 1],
        "test": [0, 1],
    }
    assert found.left_out == {}


def test_a_folder_of_lists_has_one_for_each_split(folder):
    _write(folder, "path,label\n0,a\n1,b\n", "train.csv")
    _write(folder, "path,label\n2,b\n", "val.csv")
    _write(folder, "path\n3\n4\n", "test.csv")
    for path in (folder, folder / "train.csv"):
        found = read_list(path)
        assert {name: len(split) for name, split in found.splits.items()} == {"train": 2, "val": 1}
        assert "the splits were read from train.csv, val.csv, test.csv" in found.notes
        assert any(note.startswith("the test split is left out: ") for note in found.notes)


def test_a_list_without_rows_next_to_others_is_refused(folder):
    """Validation images were held out, and a note said that they were read from val.csv."""
    train = _write(folder, "path,label\n0,a\n1,b\n", "train.csv")
    _write(folder, "path,label\n", "val.csv")
    for path in (folder, train):
        with pytest.raises(ValueError, match=r"val\.csv lists no image; add a row for each"):
            read_list(path)
    (folder / "val.csv").rename(folder / "test.csv")
    assert any(note.startswith("the test split is left out: ") for note in read_list(folder).notes)


def test_files_of_several_roots_share_what_their_paths_begin_with(tmp_path):
    draw(tmp_path, "one/a.png", "two/b.png")
    (tmp_path / "lists").mkdir()
    path = _write(tmp_path / "lists", f"path,label\n{tmp_path}/one/a.png,x\n../two/b.png,y\n")
    split = read_list(path).splits["train"]
    assert split.paths.root == str(tmp_path)
    assert list(split.paths) == [f"{tmp_path}/one/a.png", f"{tmp_path}/two/b.png"]


def test_other_columns_stay_with_their_rows(folder):
    found = read_list(_write(folder, "path,label,patient\n0,a,p7\n1,b,p8\n2,a,p9\n"))
    split = found.splits["train"].take(torch.tensor([2, 0]))
    assert pickle.loads(pickle.dumps(split)).columns["patient"].tolist() == ["p9", "p7"]
    assert [os.path.basename(path) for path in split.paths] == ["2.png", "0.png"]


def test_repeated_rows_are_read_once(folder):
    found = read_list(_write(folder, "path,label\nimages/0.png,a\n0.png,a\nimages/1.png,b\n"))
    assert len(found.splits["train"]) == 2
    assert "1 repeated row of list.csv read once" in found.notes


def test_test_rows_without_a_class_are_left_out(folder):
    found = read_list(_write(folder, "path,label,split\n0,a,train\n1,b,train\n2,,test\n"))
    assert list(found.splits) == ["train"]
    assert "1 test image of list.csv without a class: left out" in found.notes


def test_files_that_are_not_images_are_counted(folder):
    draw(folder, "clip.mp4")
    found = read_list(_write(folder, "path,label\n0,a\n1,b\nclip.mp4,a\n"))
    assert found.left_out["no image by the ending (.mp4)"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "path,label\n0,a\n7,b\n8.png,b\n",
            r"2 of 3 files that .*list.csv lists are missing, the first is 7 \(line 3 of",
        ),
        ("path,label\n0,a\nimages/0.png,b\n", r"0.png has the class a \(line 2 of .*\) and the class b \(line 3 of"),
        ("path,label,split\n0,a,train\n0,a,val\n1,b,train\n", "has the split train .* and the split val"),
        ("path,label\n0,a\n1,a\n", r"lists one class only \(a\)"),
        ("path,label\n0,a\n1,\n", "line 3 of .* names no class"),
        ("path,label\n0,a\n,b\n", "line 3 of .* names no file"),
        ("path,label\n0,a\ns3://x/1.png,b\n", r"s3://x/1.png is a URL.*line 3 of"),
        ("path,label,split\n0,a,val\n1,b,val\n", "lists val images but no training images"),
        (
            "path,label,split\n0,a,train\n1,b,train\n2,c,val\n",
            r"line 4 of .* has the class c, .* training classes \(a, b\)",
        ),
        ("path,label\n", "lists no image"),
    ],
)
def test_what_is_wrong_with_a_list_is_named(folder, content, words):
    with pytest.raises(ValueError, match=words):
        read_list(_write(folder, content))


def test_an_ambiguous_name_is_refused(folder):
    draw(folder, "more/0.png")
    with pytest.raises(ValueError, match=r"0 \(line 2 of .*\) may be .*images/0.png or .*more/0.png; write its path"):
        read_list(_write(folder, "path,label\n0,a\n1,b\n"))


def test_classes_that_are_easily_confused_are_told(folder):
    found = read_list(_write(folder, "path,label\n0,Cat\n1,cat\n"))
    assert any("'Cat' and 'cat' differ only" in note for note in found.notes)


def test_evaluation_takes_labels_by_the_networks_names(folder):
    path = _write(folder, "path,label\n0,b\n1,c\n")
    found = read_listed_split(path, ["c", "a", "b"], "val")
    assert {name: split.labels.tolist() for name, split in found.splits.items()} == {"all": [2, 0]}
    assert found.class_names == ["c", "a", "b"]
    with pytest.raises(ValueError, match=r"line 2 of .* has the class b, .* the network's classes \(a, c\)"):
        read_listed_split(path, ["a", "c"], "val")


def test_evaluation_takes_the_split_that_is_asked_for(folder):
    path = _write(folder, "path,label,split\n0,a,train\n1,b,val\n2,a,test\n")
    assert read_listed_split(path, ["a", "b"], "val").splits["val"].labels.tolist() == [1]
    assert read_listed_split(path, ["a", "b"], "test").splits["test"].labels.tolist() == [0]
    without = _write(folder, "path,label,split\n0,a,train\n1,b,val\n")
    with pytest.raises(ValueError, match="lists the splits train, val but not test"):
        read_listed_split(without, ["a", "b"], "test")
    only = _write(folder, "path,label,split\n0,a,test\n")
    assert list(read_listed_split(only, ["a", "b"], "val").splits) == ["test"]


def test_images_outside_the_lists_folder_stay_on_their_side_when_rows_are_added(tmp_path):
    """What all paths begin with is another folder with each of the two rows."""
    draw(tmp_path, *(f"photos/{n}.png" for n in range(40)), "more/0.png", "lists/inside.png")
    (tmp_path / "lists").mkdir(exist_ok=True)
    rows = "path,label\n" + "".join(f"../photos/{n}.png,{'ab'[n % 2]}\n" for n in range(40))

    def held_out(*added):
        source = load_source("list", str(_write(tmp_path / "lists", rows + "".join(added))), 0.3)
        return {path for path in source.val.paths if "photos" in path}

    held = held_out()
    assert 0 < len(held) < 40
    assert held_out("../more/0.png,a\n") == held
    assert held_out("../more/0.png,a\n", "inside.png,b\n") == held
