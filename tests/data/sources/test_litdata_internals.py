"""What lit_cnn/data/sources/litdata_internals.py uses of litdata is there, and does what is said of it."""

import json
from pathlib import Path

import pytest

from lit_cnn.data.sources.litdata_internals import (
    LocalShards,
    download_whole_shards,
    folder_of,
    images_of_shards,
    is_remote_set,
)

litdata = pytest.importorskip("litdata")
MOVED = "litdata no longer has StreamingDataset.{}: adapt {} in lit_cnn/data/sources/litdata_internals.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven samples in shards of at most three."""
    from litdata.streaming import Cache

    folder = tmp_path_factory.mktemp("set")
    cache = Cache(str(folder), chunk_size=3)
    for number in range(7):
        cache[number] = bytes([number]) * 100
    cache.done()
    cache.merge(1)
    return folder


def test_a_set_on_the_disk_is_read_where_it_lies(folder: Path) -> None:
    shards = litdata.StreamingDataset(str(folder))
    for name in ("url", "path"):
        assert hasattr(shards.input_dir, name), MOVED.format(f"input_dir.{name}", "is_remote_set and folder_of")
    assert not is_remote_set(shards)
    assert folder_of(shards) == folder


def test_the_images_of_each_shard_are_counted_in_order(folder: Path) -> None:
    shards = litdata.StreamingDataset(str(folder))
    message = MOVED.format("cache.get_chunk_intervals, or it means something else", "images_of_shards")
    assert hasattr(shards, "cache"), message
    shards[0]
    assert hasattr(shards.cache, "get_chunk_intervals"), message
    assert images_of_shards(litdata.StreamingDataset(str(folder))) == (3, 3, 1), message


def test_samples_are_read_in_place_as_litdata_reads_them(folder: Path) -> None:
    local = LocalShards.of(str(folder))
    assert local is not None, "a set's index.json states its format otherwise: adapt LocalShards.of"
    shards = litdata.StreamingDataset(str(folder))
    for number in (6, 0, 3, 2, 5, 1, 4):
        assert local[number] == bytes(shards[number]) == bytes([number]) * 100, "adapt LocalShards.__getitem__"


def test_what_litdata_has_to_unpack_is_left_to_it(folder: Path, tmp_path: Path) -> None:
    stated = json.loads((folder / "index.json").read_text())
    changes = (
        {"compression": "zstd"},
        {"encryption": {"level": "chunk"}},
        {"data_format": ["jpeg"]},
        {"item_loader": ""},
    )
    for change in changes:
        (tmp_path / "index.json").write_text(json.dumps({**stated, "config": {**stated["config"], **change}}))
        assert LocalShards.of(str(tmp_path)) is None
    assert LocalShards.of(str(tmp_path / "nothing")) is None


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # litdata leaves closing a shard to Python
def test_a_remote_set_is_kept_in_whole_shards(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litdata.utilities.dataset_utilities._LITDATA_CACHE_DIR", str(tmp_path / "cache"))
    shards = litdata.StreamingDataset(f"local://{folder}")
    assert is_remote_set(shards)
    index = json.loads((folder_of(shards) / "index.json").read_text())
    assert [chunk["chunk_size"] for chunk in index["chunks"]] == [3, 3, 1], "a set's index.json is written otherwise"
    assert {"filename", "chunk_bytes"} <= index["chunks"][0].keys(), "adapt _keep_shards in data/sources/shards.py"
    for name in ("max_cache_size", "on_demand_bytes"):
        assert hasattr(shards, name), MOVED.format(name, "download_whole_shards")
    download_whole_shards(shards, 2**30)
    assert [bytes(shards[number])[0] for number in range(7)] == list(range(7))
    kept = sorted(path.name for path in folder_of(shards).glob("*.bin"))
    assert kept == sorted(chunk["filename"] for chunk in index["chunks"]), (
        "random access to a remote set does not keep whole shards any more: adapt download_whole_shards"
    )
