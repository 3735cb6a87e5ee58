"""What is asked of litdata that it does not document: an upgrade of litdata is adapted to here.

Each function has a test that says what to change when litdata has moved what it uses.
"""

import json
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from litdata import StreamingDataset


def is_remote_set(shards: "StreamingDataset") -> bool:
    """Whether the set is read over the network."""
    return shards.input_dir.url is not None


def folder_of(shards: "StreamingDataset") -> Path:
    """The local folder of the set; of a remote one that into which litdata downloads, with its ``index.json``."""
    return Path(str(shards.input_dir.path))


def download_whole_shards(shards: "StreamingDataset", limit: int) -> None:
    """Let random access download whole shards and keep up to ``limit`` bytes of them, instead of single images."""
    shards.max_cache_size = limit
    shards[0]  # the reader exists from the first sample on
    shards.on_demand_bytes = False


def images_of_shards(shards: "StreamingDataset") -> tuple[int, ...]:
    """Images of each shard, in the order of the set."""
    shards[0]  # the reader of intervals exists from the first sample on
    assert shards.cache is not None
    return tuple(int(last - first) for first, _, _, last in shards.cache.get_chunk_intervals())


class LocalShards:
    """The samples of a set of bytes on this machine, read from where they lie in its shards.

    litdata finds a sample by way of its caches and threads, which takes longer than to read a file. A shard holds the
    number of samples, where each begins and the last ends (uint32 each), and the samples, each after its length.

    Args:
        folder: The set's.
        chunks: ``index.json``'s.
    """

    def __init__(self, folder: Path, chunks: list[dict[str, Any]]) -> None:
        self.files = [folder / chunk["filename"] for chunk in chunks]
        self.ends = list(accumulate(chunk["chunk_size"] for chunk in chunks))
        self.places: dict[int, np.ndarray] = {}

    @classmethod
    def of(cls, path: str) -> "LocalShards | None":
        """The set in a folder; None where there is no such folder, or litdata has to unpack what is in it."""
        index = Path(path) / "index.json"
        if not index.is_file():
            return None
        stated = json.loads(index.read_text())
        config = stated["config"]
        packed = any(config.get(key) for key in ("compression", "encryption", "ipc_compression", "compression_level"))
        plain = config.get("item_loader") == "PyTreeLoader" and config.get("data_format") == ["bytes"] and not packed
        return cls(index.parent, stated["chunks"]) if plain else None

    def __getitem__(self, number: int) -> bytes:
        """A sample."""
        shard = bisect_right(self.ends, number)
        if shard not in self.places:
            samples = self.ends[shard] - (self.ends[shard - 1] if shard else 0)
            self.places[shard] = np.fromfile(self.files[shard], np.uint32, samples + 1, offset=4)
        within = number - (self.ends[shard - 1] if shard else 0)
        begin, end = self.places[shard][within : within + 2].tolist()
        with open(self.files[shard], "rb", buffering=0) as stream:
            stream.seek(begin + 4)
            return stream.read(end - begin - 4)
