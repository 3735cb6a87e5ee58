"""What is asked of litdata that it does not document: an upgrade of litdata is adapted to here.

Each function has a test that says what to change when litdata has moved what it uses.
"""

from pathlib import Path
from typing import TYPE_CHECKING

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
