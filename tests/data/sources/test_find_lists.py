"""Which files of a folder are lists, and of which split."""

import pytest

from lit_cnn.data.sources.find_lists import find_lists, is_list, lists_of, named_lists

HEADER = "path,label\n"


def _write(folder, *names, content=HEADER):
    for name in names:
        (folder / name).write_text(content)


def _names(found):
    return {split: file.name for split, file in found.items()}


def test_lists_are_told_by_their_extension(tmp_path):
    assert [is_list(tmp_path / name) for name in ("a.csv", "a.TSV", "a.txt", "a.json", ".a.csv")] == [
        *(True, True, True, False, False)
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train.csv", "val.csv"], {"train": "train.csv", "val": "val.csv"}),
        (["train.txt", "train.csv", "valid.txt"], {"train": "train.csv", "val": "valid.txt"}),
        (["train_labels.csv", "test_labels.csv"], {"train": "train_labels.csv", "test": "test_labels.csv"}),
        (["labels.csv", "readme.txt", "sample_submission.csv"], {"all": "labels.csv"}),
        (["Data_Entry.csv"], {"all": "Data_Entry.csv"}),
        (["readme.txt"], {}),
        (["val.csv"], {"val": "val.csv"}),
        (["metadata.csv", "val.csv", "test.csv"], {"train": "metadata.csv", "val": "val.csv", "test": "test.csv"}),
    ],
)
def test_lists_are_found_by_the_names_of_splits_or_as_the_only_one(tmp_path, names, expected):
    _write(tmp_path, *names, content=f"{HEADER}1.png,a\n")
    assert _names(find_lists(tmp_path)) == expected


def test_a_table_of_other_things_is_no_list(tmp_path):
    _write(tmp_path, "weather.csv", content="day,rain\n")
    assert find_lists(tmp_path) == {}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.csv", "b.csv"], "holds the lists a.csv, b.csv; pass one of them"),
        (["train.csv", "training.csv"], "train.csv and training.csv, which both name the train split"),
    ],
)
def test_several_lists_are_refused(tmp_path, names, words):
    _write(tmp_path, *names)
    with pytest.raises(ValueError, match=words):
        find_lists(tmp_path)


def test_a_column_of_splits_next_to_lists_of_splits_is_refused(tmp_path):
    """The lists of splits were passed over without a word."""
    _write(tmp_path, "metadata.csv", content="path,label,split\n1.png,a,train\n")
    assert _names(find_lists(tmp_path)) == {"all": "metadata.csv"}
    _write(tmp_path, "val.csv", "test.csv")
    with pytest.raises(ValueError, match=r"metadata\.csv, which has a column of splits, and val\.csv, test\.csv too"):
        find_lists(tmp_path)


def test_a_training_list_brings_those_next_to_it(tmp_path):
    _write(tmp_path, "train.csv", "val.csv", "test.txt", "other.csv")
    assert _names(lists_of(tmp_path / "train.csv")) == {"train": "train.csv", "val": "val.csv"}
    assert _names(lists_of(tmp_path / "val.csv")) == {"all": "val.csv"}
    assert _names(lists_of(tmp_path / "other.csv")) == {"all": "other.csv"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no list of images"):
        lists_of(tmp_path / "empty")


def test_named_lists_hold_no_other_words(tmp_path):
    _write(tmp_path, "LOC_val_solution.csv", "val_annotations.txt", "val_weather.csv")
    assert [file.name for file in named_lists(tmp_path, "val")] == ["LOC_val_solution.csv", "val_annotations.txt"]
