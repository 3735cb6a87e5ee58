"""A packed set trains like every other source: same guarantees of order, resuming, workers and processes."""

import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.batch import SKIPPED
from lit_cnn.data.loading.sampling import TrainSampler
from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import Evaluation
from lit_cnn.data.sources.folders import read_folder
from lit_cnn.data.sources.packing import Packing, pack_folder
from lit_cnn.data.sources.shards import is_remote, read_shards

pytest.importorskip("litdata")
TRAIN, VAL = 20, 5


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Three classes of 20 training and 5 validation JPEGs, in shards of a few images each."""
    root = tmp_path_factory.mktemp("packed")
    for split, count in (("train", TRAIN), ("val", VAL)):
        for label, name in enumerate(("cat", "dog", "eel")):
            (root / "images" / split / name).mkdir(parents=True)
            for number in range(count):
                noise = Image.effect_noise((30 + number, 24), 60 + 10 * label).convert("RGB")
                noise.save(root / "images" / split / name / f"{number:02d}.jpg", quality=95)
    pack_folder(root / "images", root / "shards", Packing(size=0, chunk_bytes=4000), advance=lambda *_: None)
    return root


def _data(path, source="litdata", workers=0, **options):
    return ImageData(
        source,
        str(path),
        image_size=8,
        batch_size=12,
        workers=workers,
        crop=Crop("random_resized"),
        rand_augment=RandAugment(1, 9),
        evaluation=Evaluation(crop_ratio=1.0),
        **options,
    )


def _assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_images_and_labels_are_those_of_the_folder(packed):
    splits, names = read_shards(str(packed / "shards"))
    found = read_folder(packed / "images")
    originals, expected = found.splits, found.class_names
    assert names == expected
    assert sorted(splits) == ["train", "val"]
    for name, split in splits.items():
        files = {read.content: label for read, label in _rows(originals[name])}
        assert {read.content: label for read, label in _rows(split)} == files
        assert sum(split.chunks) == len(split)
    assert len(splits["train"].chunks) > 5
    assert [read.content for read, _ in _rows(splits["val"])] == [read.content for read, _ in _rows(originals["val"])]


def _rows(split):
    return [(split.read(row), label) for row, label in enumerate(split.labels.tolist())]


def test_a_process_of_several_sees_the_whole_set(packed, monkeypatch):
    alone = read_shards(str(packed / "shards"))[0]["train"]
    expected = [read.content for read, _ in _rows(alone)]
    monkeypatch.setenv("WORLD_SIZE", "2")  # as torchrun sets it; litdata divides sets by it
    for rank in ("0", "1"):
        monkeypatch.setenv("GLOBAL_RANK", rank)
        split = read_shards(str(packed / "shards"))[0]["train"]
        assert split.chunks == alone.chunks
        assert [read.content for read, _ in _rows(split)] == expected


def test_a_set_that_lost_a_shard_is_refused(packed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(packed / "shards", copy)
    index = json.loads((copy / "val" / "index.json").read_text())
    index["chunks"].pop()
    (copy / "val" / "index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=r"val holds \d+ images, but 15 are recorded"):
        read_shards(str(copy))


def test_some_rows_in_another_order_and_another_process(packed):
    split = read_shards(str(packed / "shards"))[0]["train"]
    part = pickle.loads(pickle.dumps(split.take(torch.tensor([7, 3, 30])).take(torch.tensor([2, 0]))))
    assert [part.read(row).content for row in range(2)] == [split.read(30).content, split.read(7).content]
    assert part.labels.tolist() == split.labels[[30, 7]].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_batches_do_not_depend_on_workers(packed, workers):
    expected = list(_data(packed / "shards").train_dataloader())
    _assert_equal(list(_data(packed / "shards", workers=workers).train_dataloader()), expected)
    assert {tuple(batch.images.shape) for batch in expected} == {(12, 3, 8, 8)}


def test_an_epoch_sees_every_image_once_in_an_order_of_its_own(packed):
    loader = _data(packed / "shards").train_dataloader()
    orders = []
    for epoch in (0, 0, 1):
        loader.sampler.set_epoch(epoch)
        orders.append(torch.cat([batch.index for batch in loader]).tolist())
    assert orders[0] == orders[1] != orders[2]
    assert all(sorted(order) == list(range(3 * TRAIN)) for order in orders)
    other = _data(packed / "shards", seed=1).train_dataloader()
    assert torch.cat([batch.index for batch in other]).tolist() != orders[0]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("first", [1, 3])
def test_an_epoch_goes_on_in_its_middle_exactly(packed, workers, first):
    whole = list(_data(packed / "shards").train_dataloader())
    loader = _data(packed / "shards", workers=workers).train_dataloader()
    loader.sampler.first = first
    _assert_equal(list(loader), whole[first:])


def test_processes_share_the_same_global_batches(packed):
    split = read_shards(str(packed / "shards"))[0]["train"]
    alone = list(TrainSampler(60, 12, chunks=split.chunks))
    ranks = [list(TrainSampler(60, 12, rank, 2, chunks=split.chunks)) for rank in range(2)]
    for whole, *parts in zip(alone, *ranks, strict=True):
        assert np.concatenate([part.index for part in parts]).tolist() == whole.index.tolist()


def test_validation_is_that_of_the_folder(packed):
    ours = list(_data(packed / "shards").val_dataloader())
    _assert_equal(ours, list(_data(packed / "images", "imagefolder").val_dataloader()))
    assert torch.cat([batch.index for batch in ours]).tolist() == list(range(3 * VAL))


def test_a_broken_image_is_named_or_skipped(packed, tmp_path):
    """Every shard loses the first bytes of its last image."""
    copy = tmp_path / "copy"
    shutil.copytree(packed / "shards", copy)
    for shard in (copy / "train").glob("*.bin"):
        content = bytearray(shard.read_bytes())
        start = content.rfind(b"\xff\xd8\xff")
        content[start : start + 3] = b"xxx"
        shard.write_bytes(content)
    with pytest.raises(ValueError, match=r"the image \d+ of .*train cannot be decoded"):
        list(_data(copy).train_dataloader())
    with pytest.warns(UserWarning, match="skipped: the image"):
        batches = list(_data(copy, on_error="skip").train_dataloader())
    skipped = sum(int((batch.index == SKIPPED).sum()) for batch in batches)
    assert skipped == len(list((copy / "train").glob("*.bin")))


@pytest.fixture
def remote(packed, tmp_path, monkeypatch):
    """The set as one that litdata must fetch: its URL, and what is asked of the storage, by file."""
    from litdata.streaming import downloader

    monkeypatch.setattr("litdata.utilities.dataset_utilities._LITDATA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MAX_CACHE_SIZE", raising=False)
    fetched, ranges, real = [], [], downloader.LocalDownloaderWithCache.download_file

    def fetch(self, remote_path, local_path):
        if local_path.endswith(".bin") and not os.path.exists(local_path):
            fetched.append(os.path.relpath(remote_path.removeprefix("local:"), packed / "shards"))
        return real(self, remote_path, local_path)

    def fetch_range(self, remote_path, offset, length, local_path):  # noqa: ARG001
        ranges.append(os.path.relpath(remote_path.removeprefix("local:"), packed / "shards"))
        with open(remote_path.removeprefix("local:"), "rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    monkeypatch.setattr(downloader.LocalDownloaderWithCache, "download_file", fetch)
    monkeypatch.setattr(downloader.LocalDownloaderWithCache, "download_bytes", fetch_range)
    return f"local://{packed / 'shards'}", fetched, ranges


def _read_twice(url, fetched, ranges):
    """In each of two epochs, by a process of its own as it were: contents by row, files and ranges asked for."""
    for epoch in range(2):
        split = read_shards(url)[0]["train"]
        fetched.clear()
        ranges.clear()
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(epoch)).tolist()
        yield {row: split.read(row).content for row in order}, sorted(fetched), list(ranges)


LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
"""litdata leaves it to Python to close a shard that it has read from its cache."""


@LEFT_OPEN
def test_a_shard_is_fetched_once_for_all_epochs(packed, remote):
    url, *asked = remote
    local = read_shards(str(packed / "shards"))[0]["train"]
    expected = {row: local.read(row).content for row in range(len(local))}
    first, second = _read_twice(url, *asked)
    opening = ["train/chunk-0-0.bin"] * 2
    assert first == (expected, sorted(f"train/chunk-0-{number}.bin" for number in range(len(local.chunks))), opening)
    assert second == (expected, [], [])


@pytest.mark.parametrize("reason", ["no room", "a limit of the user's"])
def test_a_set_that_must_not_fill_the_disk_is_fetched_by_image(remote, tmp_path, monkeypatch, reason):
    if reason == "no room":
        monkeypatch.setattr("lit_cnn.data.sources.shards.SHARE_OF_DISK", 0.0)
    else:
        monkeypatch.setenv("MAX_CACHE_SIZE", "1GB")
    url, *asked = remote
    for contents, fetched, ranges in _read_twice(url, *asked):
        assert len(contents) == 3 * TRAIN
        assert fetched == []
        assert len(ranges) == 2 * len(contents)
    assert list((tmp_path / "cache").rglob("*.bin")) == []


@LEFT_OPEN
def test_a_remote_set_trains_like_the_folder_it_lies_in(packed, remote):
    expected = list(_data(packed / "shards").train_dataloader())
    _assert_equal(list(_data(remote[0], workers=2).train_dataloader()), expected)


def test_what_is_no_packed_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"is not a set of data\.source litdata .*lit-cnn data pack SRC DEST"):
        read_shards(str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"data\.path .* does not exist"):
        _data(tmp_path / "nowhere").setup()
    assert is_remote("s3://bucket/set")
    assert not is_remote("/data/set")
