"""One hash for an image, wherever its set lies and whatever else is in it."""

import unicodedata

import numpy as np
import torch

from lit_cnn.data.sources import names as module
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.names import name_hashes, relative_path, text_hashes, to_unit
from lit_cnn.randomness import derive_key, fold


def hashes(paths, labels, classes, root="/photos"):
    table = PathTable.of([f"{root}/{path}" for path in paths], root)
    return name_hashes(FolderSplit(table, torch.tensor(labels, dtype=torch.int64)), classes).tolist()


def test_the_hash_is_that_of_class_and_path_word_by_word():
    """Little-endian words of eight bytes, the last one filled with zeros, then the number of bytes."""
    words = np.frombuffer(b"night/IMG_0001.jpg".ljust(24, b"\0"), dtype="<i8").tolist()
    state = torch.tensor(derive_key("image", "cat"))
    for word in [*words, 18]:
        state = fold(state, word)
    assert hashes(["cat/night/IMG_0001.jpg"], [0], ["cat"]) == [int(state)]


def test_the_hash_depends_on_class_and_path_alone():
    """Not on the root, the rows around it, or the number of the class."""
    alone = hashes(["cat/1.jpg"], [0], ["cat"])
    among = hashes(["ant/1.jpg", "ant/22.jpg", "cat/1.jpg"], [0, 0, 1], ["ant", "cat"], "/mnt/a longer place")
    assert among[2:] == alone
    assert len({*among, *hashes(["cat/1.jpg"], [0], ["dog"]), *hashes(["cat/1.png"], [0], ["cat"])}) == 5


def test_folders_above_the_class_folder_do_not_count():
    """So a folder, the same folder inside another, and a list of its files agree."""
    expected = hashes(["cat/a/1.jpg"], [0], ["cat"])
    assert hashes(["train/cat/a/1.jpg"], [0], ["cat"], "/elsewhere") == expected
    assert hashes(["a/1.jpg"], [0], ["cat"]) == expected
    assert hashes(["category/a/1.jpg"], [0], ["cat"]) != expected


def test_rows_that_were_taken_keep_their_hashes():
    table = PathTable.of([f"/r/cat/{number}.jpg" for number in range(20)], "/r")
    split = FolderSplit(table, torch.zeros(20, dtype=torch.int64))
    rows = torch.tensor([7, 3, 19])
    assert name_hashes(split.take(rows), ["cat"]).tolist() == name_hashes(split, ["cat"])[rows.numpy()].tolist()


def test_both_unicode_forms_of_a_name_are_one():
    composed, apart = (unicodedata.normalize(form, "Käfer/grün.jpg") for form in ("NFC", "NFD"))
    assert composed != apart
    assert hashes([composed], [0], ["Käfer"]) == hashes([apart], [0], [unicodedata.normalize("NFD", "Käfer")])


def test_backslashes_of_windows_are_slashes(monkeypatch):
    expected = hashes(["cat/a/1.jpg"], [0], ["cat"])
    monkeypatch.setattr(module.os, "sep", "\\")
    table = PathTable.of([r"C:\photos\cat\a\1.jpg"], r"C:\photos")
    split = FolderSplit(table, torch.tensor([0]))
    assert name_hashes(split, ["cat"]).tolist() == expected
    assert relative_path(split.paths, 0) == "cat/a/1.jpg"


def test_no_images_have_no_hashes():
    assert hashes([], [], ["cat"]) == []


def test_hashes_are_spread_evenly_over_the_unit_interval():
    """Names that differ in their last digits: each tenth holds a tenth, within five standard deviations."""
    place = to_unit(np.array(hashes([f"cat/{number:06d}.jpg" for number in range(20_000)], [0] * 20_000, ["cat"])))
    assert place.min() >= 0
    assert place.max() < 1
    counts = np.histogram(place, bins=10, range=(0, 1))[0]
    assert abs(counts - 2000).max() < 5 * (20_000 * 0.1 * 0.9) ** 0.5


def test_texts_have_hashes_of_their_own():
    assert len(set(text_hashes(["a", "b", "ab", ""]).tolist())) == 4
    assert text_hashes(["a"]).tolist() == [derive_key("group", "a")]
