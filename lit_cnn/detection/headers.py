"""Width and height of image files from their first bytes, for annotations that do not state them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage, attempt
from lit_cnn.data.sources.extensions import register_plugins
from lit_cnn.data.sources.folders import read_file

_HEAD = 2**16
"""Bytes that hold the header of most files."""
_THREADS = 8
"""File systems on a network answer many questions at once."""


def image_size(path: str) -> tuple[int, int]:
    """Width and height in pixels of the upright image.

    Raises:
        FileNotFoundError: If the file is not there.
        BrokenImage: If it cannot be read, or its header says nothing.
    """
    register_plugins()
    try:
        with open(path, "rb") as stream:
            height, width = EncodedImage(stream.read(_HEAD), path).sides()
    except (BrokenImage, OSError):  # a header may be longer, and read_file says what is wrong
        height, width = read_file(path).sides()
    return width, height


def image_sizes(paths: Iterable[str]) -> Iterator[tuple[int, int] | BrokenImage | OSError]:
    """``image_size`` of files in turn, or what is wrong with them."""
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(lambda path: attempt(lambda: image_size(path)), paths)
