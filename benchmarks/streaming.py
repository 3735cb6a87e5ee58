"""A packed set of litdata shards against loose files: images/s on one core, and memory over a ten times larger set.

    python benchmarks/streaming.py                      # about 90 s

The images are made up: waves with noise, JPEGs of about 30 kB. Every set is read for a whole epoch, without workers, by
a process of its own for the memory; the speed of both sources is compared in turn, A B A B.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from interleaved import CLOCKS, compare
from PIL import Image

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.data.batch import Batch
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.packing import Packing, pack_folder

BATCH = 32
READ = """
import resource, sys
import torch
from lit_cnn.data.module import ImageData
torch.set_num_threads(1)
loader = ImageData("litdata", sys.argv[1], image_size=64, batch_size=32, workers=0).train_dataloader()
rss = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
images, first = 0, None
for batch in loader:
    images += len(batch.index)
    first = first or rss()
print(images, first, rss(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def make(folder: Path, count: int) -> None:
    """A folder of two classes with ``count`` JPEGs in all; the pixels of 50 are stored again and again."""
    row, column = np.mgrid[0:256, 0:340]
    random = np.random.default_rng(0)
    pictures = []
    for number in range(50):
        wave = 128 + 90 * np.sin(row / (9 + number) + column / 17)
        pixels = wave[..., None] + random.normal(0, 12, (256, 340, 3))
        pictures.append(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))
    for number in range(count):
        path = folder / f"class{number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures[number % len(pictures)].save(path, quality=85)


def batches(source: str, path: Path) -> "itertools.chain[Batch]":
    """Training batches of one epoch after the other."""
    loader = ImageData(source, str(path), image_size=224, batch_size=BATCH, workers=0).train_dataloader()
    return itertools.chain.from_iterable(iter(loader) for _ in itertools.count())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=600, help="of the small set; the large one has ten times as many")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: processor time, where other programs run")
    options = parser.parse_args()
    keep_freed_memory()  # as every command does, here for both sides
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        for name, count in (("small", options.images), ("large", 10 * options.images)):
            make(Path(place) / name, count)
            packing = Packing(size=0, chunk_bytes=2 * 2**20)
            pack_folder(Path(place) / name, Path(place) / f"{name}.packed", packing, advance=lambda *_: None)
            command = [sys.executable, "-c", READ, str(Path(place) / f"{name}.packed")]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            images, first, last, peak = (float(value) for value in done.stdout.split())
            size = sum(path.stat().st_size for path in (Path(place) / f"{name}.packed").rglob("*.bin"))
            print(
                f"{images:,.0f} images, {size / 2**20:,.0f} MiB of shards: {first:.0f} MiB after the first batch, "
                f"{last:.0f} MiB after the epoch, at most {peak:.0f} MiB"
            )
        packed, loose = (
            batches(source, Path(place) / name)
            for source, name in (("litdata", "small.packed"), ("imagefolder", "small"))
        )
        result = compare(lambda: next(packed), lambda: next(loose), 15.0, options.clock)
        print(
            f"224 px: shards {BATCH / result.ours:,.0f} images/s a core, folder {BATCH / result.theirs:,.0f}, ratio "
            f"{result.ratio:.2f} ({result.lowest:.2f} to {result.highest:.2f}, {result.pairs} pairs)"
        )


if __name__ == "__main__":
    main()
