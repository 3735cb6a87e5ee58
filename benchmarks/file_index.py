"""Start-up of an image folder of ImageNet's size: reading the index against listing the directories.

What is timed first is all of ``load_source``: the index, and the validation images held out where there is no val/.

    python benchmarks/file_index.py                     # about 60 s: a listing of 1.28 million names, made up
    python benchmarks/file_index.py --files 100         # the same with 100 times as many real, empty files as classes

The index is read for all 1.28 million names; directories are really listed for ``--files`` empty files a class, and the
time per file carried over to 1280 a class.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from interleaved import compare

from lit_cnn.data.sources.file_index import Listing, PathTable, save_listing
from lit_cnn.data.sources.folders import read_folder
from lit_cnn.data.sources.load import load_source

CLASSES = [f"n{number:08d}" for number in range(1000)]
FILES = 1280


def make(root: Path, files: int) -> None:
    """Class folders with ``files`` empty files each."""
    for name in CLASSES:
        (root / name).mkdir(parents=True)
        for number in range(files):
            (root / name / f"{name}_{number}.JPEG").touch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20, help="real files of each of the 1000 classes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
        root, small = Path(place) / "large" / "train", Path(place) / "small" / "train"
        make(root, 1)
        make(small, options.files)
        names = (f"{root}/{name}/{name}_{number}.JPEG" for name in CLASSES for number in range(FILES))
        folders = [str(root), *(f"{root}/{name}" for name in CLASSES)]
        listing = Listing(PathTable.of(names, str(root)), CLASSES, [FILES] * len(CLASSES), folders)
        save_listing(root, listing, time.time_ns() + 3600 * 10**9)  # as if nothing had changed for an hour
        total = len(CLASSES) * FILES
        whole = compare(
            lambda: load_source("imagefolder", str(root), file_index=True),
            lambda: read_folder(root.parent, indexed=True),
            10.0,
        )
        print(f"{total:,} files: source {whole.ours:.2f} s, of it the index {whole.theirs:.2f} s, {whole.pairs} pairs")
        result = compare(lambda: read_folder(root.parent, indexed=True), lambda: read_folder(small.parent), 15.0)
        listed = result.theirs * total / (len(CLASSES) * options.files)
        print(
            f"{total:,} files: index {result.ours:.2f} s; listing {len(CLASSES) * options.files:,} files "
            f"{result.theirs:.2f} s, which makes {listed:.1f} s for {total:,} (directory entries in memory): "
            f"{listed / result.ours:.0f} times as long, {result.pairs} pairs in turn"
        )


if __name__ == "__main__":
    main()
