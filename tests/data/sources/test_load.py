"""Sources: paths, reproducible splits, and what is read from where."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.load import CIFAR10_CLASSES, load_source, resolve_data_path


@pytest.fixture
def archive(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 5, 3), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", train_images=images, train_labels=np.arange(40)[:, None] % 4)
    return tmp_path / "set.npz"


def test_digits_are_split_once_and_for_all():
    source = load_source("digits")
    assert (len(source.train), len(source.val), source.test) == (1438, 359, None)
    assert source.class_names == [str(digit) for digit in range(10)]
    assert source.train.images.shape[1:] == (1, 8, 8)
    assert int(source.train.images.max()) == 255
    again = load_source("digits", val_fraction=0.2)
    assert torch.equal(source.val.images, again.val.images)
    assert source.val.labels.bincount().min() > 30


def test_npz_without_val_holds_out_a_share_of_each_class(archive):
    source = load_source("npz", str(archive), val_fraction=0.2)
    assert source.val.labels.bincount().tolist() == [2, 2, 2, 2]
    assert len(source.train) == 32
    assert source.in_channels == 3
    assert source.mean[0] == pytest.approx(0.5, abs=0.05)
    assert source.origin == str(archive)


def test_names_of_a_cifar_archive_are_kept_where_it_has_some(tmp_path):
    labels, images = np.arange(20) % 10, np.zeros((20, 4, 4, 3), dtype=np.uint8)
    names = CIFAR10_CLASSES[::-1]
    np.savez(tmp_path / "a.npz", train_images=images, train_labels=labels)
    np.savez(tmp_path / "b.npz", train_images=images, train_labels=labels, class_names=np.array(names))
    assert load_source("cifar10", str(tmp_path / "a.npz")).class_names == CIFAR10_CLASSES
    assert load_source("cifar10", str(tmp_path / "b.npz")).class_names == names


@pytest.fixture
def folder(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("RGB", (4, 4)).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_imagefolder_without_val_holds_out_by_hash_and_says_so(folder):
    source = load_source("imagefolder", str(folder), val_fraction=0.2)
    assert isinstance(source.train, FolderSplit)
    assert source.val.labels.unique().tolist() == [0, 1]
    assert not set(source.train.paths) & set(source.val.paths)
    assert (source.mean, source.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert source.validation == "held out: 20 % by a hash of class and path"
    (folder / "cat" / "0a.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    again = load_source("imagefolder", str(folder), val_fraction=0.2)
    assert set(again.val.paths) - {str(folder / "cat" / "0a.png")} == set(source.val.paths)


def test_imagefolder_holds_out_by_rows_or_by_groups_where_told(folder):
    by_rows = load_source("imagefolder", str(folder), hold_out="rows")
    assert by_rows.val.labels.tolist() == [0, 0, 1, 1]
    assert by_rows.validation == "held out: 10 % of each class by rows"
    by_group = load_source("imagefolder", str(folder), 0.3, group_by=r"(\d)\.png")
    ends = [{path[-5] for path in split.paths} for split in (by_group.train, by_group.val)]
    assert ends[0] | ends[1] == set("0123456789")
    assert not ends[0] & ends[1]
    assert by_group.validation == r"held out: 30 % of the groups of data.group_by (\d)\.png"


@pytest.mark.parametrize(
    ("name", "reason"), [("digits", "holds pixels without names"), ("litdata", "has its splits already")]
)
def test_groups_of_what_has_no_names_are_refused(name, reason):
    words = f"data.group_by groups files by their names, but data.source {name} {reason}: set it to null"
    with pytest.raises(ValueError, match=words):
        load_source(name, group_by="p")


def test_paths_expand_and_fall_back_to_the_data_root(tmp_path, monkeypatch, archive):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    assert resolve_data_path("~/set.npz") == archive
    assert resolve_data_path("$SOMEWHERE/set.npz") == archive
    monkeypatch.delenv("LIT_CNN_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"data\.path 'set\.npz' does not exist"):
        resolve_data_path("set.npz")
    monkeypatch.setenv("LIT_CNN_DATA", str(tmp_path))
    assert resolve_data_path("set.npz") == archive


@pytest.mark.parametrize(
    ("path", "root", "advice"),
    [
        ("set.npz", None, r"; correct the path, or set LIT_CNN_DATA to the folder that holds your data$"),
        ("set.npz", "", r"; correct the path, or set LIT_CNN_DATA to the folder that holds your data$"),
        ("set.npz", "/nowhere", r"; correct the path, or correct LIT_CNN_DATA, as there is no folder /nowhere$"),
        ("set.npz", "/", r"/set\.npz or /set\.npz; correct the path, or set LIT_CNN_DATA to another folder$"),
        ("/nowhere/set.npz", None, r"there is no /nowhere/set\.npz; correct the path$"),
    ],
)
def test_a_missing_path_is_answered_with_the_data_root(tmp_path, monkeypatch, path, root, advice):
    """Where it could help: an absolute path is looked up nowhere else."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("LIT_CNN_DATA", raising=False)
    if root is not None:
        monkeypatch.setenv("LIT_CNN_DATA", root)
    with pytest.raises(FileNotFoundError, match=advice):
        resolve_data_path(path)


def test_nothing_is_looked_up_beside_the_current_folder(tmp_path, monkeypatch, archive):
    (tmp_path / "here").mkdir()
    (tmp_path / "shared" / "data").mkdir(parents=True)
    archive.rename(tmp_path / "shared" / "data" / "set.npz")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("LIT_CNN_DATA", raising=False)
    with pytest.raises(FileNotFoundError):
        resolve_data_path("set.npz")


def test_cifar10_prefers_the_archive_under_the_data_root(tmp_path, monkeypatch):
    images = np.zeros((20, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "cifar10.npz", train_images=images, train_labels=np.arange(20) % 10)
    monkeypatch.setenv("LIT_CNN_DATA", str(tmp_path))
    source = load_source("cifar10", val_fraction=0.5)
    assert source.class_names == CIFAR10_CLASSES
    assert (source.mean, source.std) == ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
    assert source.origin == str(tmp_path / "cifar10.npz")
    assert isinstance(load_source("cifar10", str(tmp_path), 0.5).train, ArraySplit)
    assert len(load_source("cifar10", str(tmp_path / "cifar10.npz"), 0.5).val) == 10


class _Stored:
    """Of the shape of torchvision's class, whose download makes a file and takes a moment."""

    base_folder = "cifar-100-python"
    roots: ClassVar[list[Path]] = []
    downloads: ClassVar[list[str]] = []

    def __init__(self, root, train, download=False):
        complete = Path(root) / self.base_folder / "complete"
        if download and not complete.exists():
            self.downloads.append("begins")
            time.sleep(0.1)
            complete.parent.mkdir(parents=True, exist_ok=True)
            complete.touch()
            self.downloads.append("ends")
        if not complete.exists():
            raise RuntimeError("Dataset not found or corrupted.")
        self.roots.append(Path(root))
        self.data = np.zeros((40 if train else 10, 32, 32, 3), dtype=np.uint8)
        self.targets = [number % 4 for number in range(len(self.data))]
        self.classes = ["a", "b", "c", "d"]


@pytest.fixture
def stored(monkeypatch):
    monkeypatch.setattr(_Stored, "roots", [])
    monkeypatch.setattr(_Stored, "downloads", [])
    monkeypatch.setattr("torchvision.datasets.CIFAR100", _Stored)
    return _Stored


def test_cifar_falls_back_to_torchvision(tmp_path, stored):
    source = load_source("cifar100", str(tmp_path), val_fraction=0.1)
    assert (len(source.train), len(source.val), len(source.test)) == (36, 4, 10)
    assert source.train.images.shape[1:] == (3, 32, 32)
    assert source.class_names == ["a", "b", "c", "d"]
    assert set(stored.roots) == {tmp_path}


def test_processes_that_begin_at_once_download_one_after_the_other(tmp_path, stored):
    """Threads stand for them; a lock of a file keeps both apart."""
    with ThreadPoolExecutor(3) as pool:
        sources = list(pool.map(lambda _: load_source("cifar100", str(tmp_path / "new")), range(3)))
    assert stored.downloads == ["begins", "ends"]
    assert [len(source.test) for source in sources] == [10, 10, 10]


def test_a_folder_that_another_process_makes_meanwhile_is_used(tmp_path, stored, monkeypatch):
    """It is made at the very moment at which the folder's rights are asked for."""
    root, access = tmp_path / "new", os.access

    def access_and_make(path, mode):
        allowed = access(path, mode)
        if path == root:
            root.mkdir(exist_ok=True)
        return allowed

    monkeypatch.setattr("os.access", access_and_make)
    monkeypatch.chdir(tmp_path)
    load_source("cifar100", str(root))
    assert set(stored.roots) == {root}


def test_files_that_are_there_need_no_lock(tmp_path, stored, monkeypatch):
    """A folder that others share may be read-only."""
    (tmp_path / stored.base_folder).mkdir()
    (tmp_path / stored.base_folder / "complete").touch()
    monkeypatch.setattr("lit_cnn.data.sources.load.FileLock", None)
    load_source("cifar100", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [stored.base_folder]
    assert stored.downloads == []


@pytest.mark.parametrize("path", ["cifar", "elsewhere"])
def test_torchvisions_files_are_looked_up_under_the_data_root(tmp_path, monkeypatch, stored, path):
    """A folder that is in neither place is made in the current one."""
    (tmp_path / "data" / "cifar" / stored.base_folder).mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("LIT_CNN_DATA", str(tmp_path / "data"))
    load_source("cifar100", path)
    assert set(stored.roots) == {tmp_path / "data" / "cifar" if path == "cifar" else Path("elsewhere")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("npz",), r"npz needs data\.path"),
        (("imagefolder",), r"imagefolder needs data\.path"),
        (("mnist", "x"), "'mnist' is unknown; choose digits"),
        (("digits", None, 1.0), r"val_fraction is 1\.0"),
        (("digits", None, 0.5), r"val_fraction is 0\.5, but of data\.source digits 0\.2 is always held out; remove"),
    ],
)
def test_unusable_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        load_source(*arguments)


def test_missing_paths_are_named(tmp_path):
    for name in ("npz", "imagefolder"):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            load_source(name, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_source("cifar10", str(tmp_path / "nowhere.npz"))


def test_one_image_per_class_cannot_be_split(tmp_path):
    np.savez(tmp_path / "x.npz", train_images=np.zeros((2, 4, 4), np.uint8), train_labels=np.arange(2))
    with pytest.raises(ValueError, match="one image per class"):
        load_source("npz", str(tmp_path / "x.npz"))


def test_a_failed_download_says_where_the_files_belong(tmp_path, monkeypatch):
    def fail(self):  # noqa: ARG001
        raise OSError("name or service not known")

    monkeypatch.setattr("torchvision.datasets.CIFAR100.download", fail)
    monkeypatch.setattr("lit_cnn.data.sources.load.data_roots", list)
    with pytest.raises(
        ValueError, match=r"cifar100 is not in .* cannot be downloaded \(name or service.* set LIT_CNN_DATA to"
    ):
        load_source("cifar100", str(tmp_path))
