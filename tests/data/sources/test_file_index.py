"""An index gives the same files as listing the folder, and counts only while no directory has changed."""

import os
import pickle
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.data.sources import class_folders, file_index
from lit_cnn.data.sources.file_index import Listing, PathTable, cache_folder, load_listing, save_listing
from lit_cnn.data.sources.folders import read_folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    for split, count in (("train", 3), ("val", 1)):
        for name in ("cat", "dög"):
            (root / split / name / "deep").mkdir(parents=True)
            for number in range(count):
                Image.new("L", (2, 2)).save(root / split / name / f"{number}.png")
            Image.new("L", (2, 2)).save(root / split / name / "deep" / "x.png")
    _settle(root)
    return root


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Folders made right before count as unchanged for long enough: no program can set the time of a directory's own
    change back."""
    monkeypatch.setattr(file_index, "SETTLED", 0)


def _settle(root):
    """As if no file had been added or removed for an hour."""
    then = time.time() - 3600
    for number, (parent, _, _) in enumerate(os.walk(root)):
        os.utime(parent, (then + number, then + number))


def _content(root, *, indexed=True):
    found = read_folder(root, indexed=indexed)
    splits, names = found.splits, found.class_names
    return names, {name: (list(split.paths), split.labels.tolist()) for name, split in splits.items()}


def _count_walks(monkeypatch):
    walks, real = [], class_folders.walk
    monkeypatch.setattr(class_folders, "walk", lambda folder: walks.append(folder) or real(folder))
    return walks


def test_the_second_reading_lists_nothing_and_gives_the_same(folder, monkeypatch):
    expected, walks = _content(folder, indexed=False), _count_walks(monkeypatch)
    assert _content(folder) == expected
    assert len(walks) == 4
    assert len(list(cache_folder().iterdir())) == 2
    assert _content(folder) == expected
    assert len(walks) == 4
    assert _content(folder, indexed=False) == expected
    assert len(walks) == 8


@pytest.mark.parametrize("place", ["cat", "cat/deep"])
@pytest.mark.parametrize("change", ["add", "remove", "rename"])
def test_a_changed_directory_is_listed_again(folder, place, change):
    _content(folder)
    path = folder / "train" / place / "x.png"
    if change == "add":
        Image.new("L", (2, 2)).save(path.with_name("new.png"))
    elif change == "remove":
        next(path.parent.glob("*.png")).unlink()
    else:
        next(path.parent.glob("*.png")).rename(path.with_name("other.png"))
    assert _content(folder) == _content(folder, indexed=False)


def test_a_new_class_is_seen(folder):
    _content(folder)
    (folder / "train" / "eel").mkdir()
    Image.new("L", (2, 2)).save(folder / "train" / "eel" / "0.png")
    assert _content(folder)[0] == ["cat", "dög", "eel"]


@pytest.mark.parametrize("place", ["eel", "cat/more"])
def test_a_folder_whose_link_led_to_nothing_is_seen_once_it_is_there(folder, place):
    """Such as one that is mounted later: no time of a folder that was listed shows it."""
    link, target = folder / "train" / place, folder.parent / "mounted"
    link.symlink_to(target)
    _settle(folder)
    notes = read_folder(folder, indexed=True).notes
    assert any(f"{link} is a link to nothing; restore its target" in note for note in notes)
    assert load_listing(folder / "train") is None
    target.mkdir()
    Image.new("L", (2, 2)).save(target / "0.png")
    assert str(link / "0.png") in _content(folder)[1]["train"][0]
    assert load_listing(folder / "train") is not None


def test_a_kept_list_of_other_classes_than_there_are_is_not_used(folder, monkeypatch):
    monkeypatch.setattr(class_folders, "own_links_to_nothing", lambda _: [])  # as an index of before
    (folder / "train" / "eel").symlink_to(folder.parent / "mounted")
    _settle(folder)
    _content(folder)
    (folder.parent / "mounted").mkdir()
    Image.new("L", (2, 2)).save(folder.parent / "mounted" / "0.png")
    assert _content(folder) == _content(folder, indexed=False)


@pytest.mark.parametrize("which", [0, 1])
def test_a_folder_changed_right_before_is_not_kept(folder, monkeypatch, which):
    """One directory of the training images, by its contents' time or by its own; all others count as old."""
    real, recent = file_index._states, time.time_ns()

    def states(folders):
        found = real(folders)
        found[:, :2] = 10**18 + np.arange(len(found))[:, None]
        if "train" in folders[0]:
            found[1, which] = recent
        return found

    monkeypatch.setattr(file_index, "_states", states)
    monkeypatch.setattr(file_index, "SETTLED", 60 * 10**9)
    _content(folder)
    assert load_listing(folder / "train") is None
    assert load_listing(folder / "val") is not None
    assert len(list(cache_folder().iterdir())) == 1


def test_a_file_added_while_the_folder_is_listed_is_not_missed(folder, monkeypatch):
    """A listing may take minutes: the file comes into a class that has been listed, long before the last one is."""
    real, hour = class_folders.walk, 3600 * 10**9

    def walk(path):
        found = real(path)
        if path == folder / "train" / "cat":
            time.sleep(0.05)  # longer than one tick of the file system's clock
            Image.new("L", (2, 2)).save(path / "new.png")
        elif path == folder / "train" / "dög":
            monkeypatch.setattr(time, "time_ns", lambda now=time.time_ns: now() + hour)
        return found

    monkeypatch.setattr(class_folders, "walk", walk)
    _content(folder)
    assert str(folder / "train" / "cat" / "new.png") in _content(folder)[1]["train"][0]


def test_a_tree_unpacked_anew_with_the_same_times_is_listed_again(folder):
    """As tar and rsync do, which set the modification times of what they write."""
    _content(folder)
    place = folder / "train" / "cat"
    before = os.stat(place)
    time.sleep(0.05)  # longer than one tick of the file system's clock
    Image.new("L", (2, 2)).save(place / "new.png")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(place).st_mtime_ns == before.st_mtime_ns
    assert _content(folder) == _content(folder, indexed=False)


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_index_is_ignored_and_written_again(folder, damage):
    expected = _content(folder)
    for path in cache_folder().iterdir():
        path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    assert load_listing(folder / "train") is None
    assert _content(folder) == expected
    assert load_listing(folder / "train") is not None


def test_a_cache_that_cannot_be_written_is_done_without(folder, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert _content(folder) == _content(folder, indexed=False)


def test_without_a_home_directory_no_index_is_kept(folder, monkeypatch):
    def fail():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", fail)
    assert _content(folder) == _content(folder, indexed=False)


@pytest.mark.parametrize("place", ["numpy.savez", "os.replace"])
def test_a_failed_writing_leaves_no_file_behind(folder, monkeypatch, place):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(place, fail)
    assert _content(folder) == _content(folder, indexed=False)
    assert list(cache_folder().iterdir()) == []


def test_table_is_a_sequence_of_the_paths():
    paths = [f"/data/cläss/{number}.jpg" for number in range(12)] + [os.fsdecode(b"/data/\xff.jpg")]
    table = PathTable.of(paths, "/data")
    assert list(table) == paths
    assert table[-1] == paths[-1]
    assert list(table[2:5]) == paths[2:5]
    taken = table.take(np.array([7, 3, 3])).take(np.array([2, 0]))
    assert list(pickle.loads(pickle.dumps(taken))) == [paths[3], paths[7]]
    with pytest.raises(IndexError):
        table[13]


@pytest.mark.slow
def test_over_a_million_files_load_at_once_and_take_no_string_each(tmp_path):
    """1.28 million entries, 1000 classes: read in under 2 s and 100 MB, as a table of bytes."""
    classes = [f"n{number:08d}" for number in range(1000)]
    for name in classes:
        (tmp_path / "train" / name).mkdir(parents=True)
    root = str(tmp_path / "train")
    paths = PathTable.of((f"{root}/{name}/{name}_{row}.JPEG" for name in classes for row in range(1280)), root)
    directories = [root, *(f"{root}/{name}" for name in classes)]
    save_listing(tmp_path / "train", Listing(paths, classes, [1280] * 1000, directories, [1280] * 1000), time.time_ns())
    tracemalloc.start()
    start = time.perf_counter()
    found = read_folder(tmp_path, indexed=True)
    splits, names = found.splits, found.class_names
    took, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    split = splits["train"].take(torch.arange(1_280_000).flip(0))
    assert len(split) == 1_280_000
    assert split.paths[0] == f"{root}/n00000999/n00000999_1279.JPEG"
    assert names == classes
    assert took < 2
    assert peak < 100e6


def test_where_folders_show_one_time_an_added_file_is_seen(folder, monkeypatch):
    monkeypatch.setattr(file_index, "_states", lambda folders: np.full((len(folders), 3), 1_700_000_000_000_000_000))
    notes = read_folder(folder, indexed=True).notes
    assert any("train is not kept: its folders do not show when they were changed" in note for note in notes)
    Image.new("L", (2, 2)).save(folder / "train" / "cat" / "new.png")
    assert str(folder / "train" / "cat" / "new.png") in _content(folder)[1]["train"][0]
    assert not cache_folder().exists()


def test_an_index_kept_before_the_times_froze_is_not_used(folder, monkeypatch):
    _content(folder)
    assert load_listing(folder / "train") is not None
    monkeypatch.setattr(file_index, "plausible_times", lambda _: False)
    assert load_listing(folder / "train") is None


def test_on_a_file_system_in_user_space_no_index_is_kept_or_read(folder, monkeypatch):
    _content(folder)
    monkeypatch.setattr(file_index, "user_space_mount", lambda _: "fuse.rclone")
    walks = _count_walks(monkeypatch)
    notes = read_folder(folder, indexed=True).notes
    assert len(walks) == 4
    assert any("times of folders are not reliable on fuse.rclone file systems" in note for note in notes)
    assert not any("fuse" in note for note in read_folder(folder).notes)


def test_the_use_of_a_kept_list_is_told_with_its_date(folder):
    first, second = (read_folder(folder, indexed=True).notes for _ in range(2))
    assert not any("kept list" in note for note in first)
    (note,) = (note for note in second if "kept list" in note)
    written = time.strftime("%Y-%m-%d %H:%M", time.localtime(next(cache_folder().iterdir()).stat().st_mtime))
    assert written in note
    assert "set data.file_index to false" in note


def test_what_was_left_out_and_nested_is_kept_with_the_list(folder):
    (folder / "train" / "cat" / "notes.txt").write_text("")
    (folder / "train" / "cat" / "thumbs").mkdir()
    Image.new("L", (2, 2)).save(folder / "train" / "cat" / "thumbs" / "1.png")
    Image.new("L", (2, 2)).save(folder / "train" / "loose.png")
    _settle(folder)
    first, second = (read_folder(folder, indexed=True) for _ in range(2))
    assert first.left_out == second.left_out
    assert len(first.left_out) == 3
    assert first.notes == second.notes[:-1]


def test_an_index_does_not_hold_for_other_extensions(folder, monkeypatch):
    _content(folder)
    monkeypatch.setattr(file_index, "image_extensions", lambda: frozenset({".png", ".heic"}))
    assert load_listing(folder / "train") is None
