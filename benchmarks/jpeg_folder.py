"""Preparing the JPEGs of a folder for training on one core: ours against torchvision's reference pipeline, and decoding
alone.

    LIT_CNN_DATA=... python benchmarks/jpeg_folder.py           # the flowers under the data root, about 2 min

The reference is ImageFolder with RandomResizedCrop, flip, (RandAugment,) to tensor, to float and normalize, image by
image. Ours ends with a uint8 batch: the device normalizes. A ratio above 1 says that ours is faster; the range is over
pairs of runs in turn, A B A B. Decoding alone is Pillow's; the share may exceed 1, as ours decodes with simplejpeg.
Ours converts the colors of embedded profiles to sRGB, which torchvision does not; the lines without profiles leave that
out, so that both do the same work.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch
from interleaved import CLOCKS, compare
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.loading.datasets import FolderBatches
from lit_cnn.data.loading.sampling import BatchPlan
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.load import resolve_data_path

BATCH = 32
KINDS = (("full", "convert"), ("reduced", "convert"), ("full", "ignore"))
"""``data.decode`` and ``data.color_profile``."""


def ours(path: Path, size: int, *, layers: int, decode: str, profile: str) -> FolderBatches:
    """The training batches of the folder."""
    settings = RandAugment(layers, 9, "torchvision")
    keys = {"decode": decode, "color_profile": profile, "rand_augment": settings, "batch_size": BATCH}
    data = ImageData("imagefolder", str(path), image_size=size, **keys)
    return data.train_dataloader().dataset


def reference(path: Path, size: int, *, layers: int) -> ImageFolder:
    """torchvision's data set with its reference transforms."""
    train = path / "train" if (path / "train").is_dir() else path
    augment = [v2.RandAugment(layers, 9)] if layers else []
    normalize = v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    steps = [v2.RandomResizedCrop(size), v2.RandomHorizontalFlip(), *augment, v2.PILToTensor()]
    return ImageFolder(str(train), v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True), normalize]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--path", default="flowers", help="image folder")
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 112], help="sides of the result in px")
    parser.add_argument("--seconds", type=float, default=8.0, help="per line")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: processor time, where other programs run")
    options = parser.parse_args()
    keep_freed_memory()  # as every command does, here for both sides
    torch.set_num_threads(1)
    torch.manual_seed(0)
    path = resolve_data_path(options.path)
    print("| size, work | decode | ours, images/s | torchvision | ratio | Pillow's decoding alone | share of that |")
    print("|---|---|---|---|---|---|---|")
    for size, layers in itertools.product(options.sizes, (0, 2)):
        theirs = reference(path, size, layers=layers)
        rows = np.linspace(0, len(theirs) - 1, BATCH).astype(np.int64)
        for decode, profile in KINDS:
            batches, epochs = ours(path, size, layers=layers, decode=decode, profile=profile), itertools.count()

            def our_batch(batches: FolderBatches = batches, epochs: itertools.count = epochs, rows=rows) -> None:
                batches[BatchPlan(next(epochs), rows, np.zeros_like(rows), np.arange(BATCH), 1.0)]

            def their_batch(theirs: ImageFolder = theirs, rows: np.ndarray = rows) -> None:
                torch.stack([theirs[row][0] for row in rows.tolist()])

            def decoding(theirs: ImageFolder = theirs, rows: np.ndarray = rows) -> None:
                for row in rows.tolist():
                    Image.open(theirs.imgs[row][0]).load()

            result = compare(our_batch, their_batch, options.seconds, options.clock)
            alone = compare(our_batch, decoding, options.seconds / 2, options.clock)
            print(
                f"| {size} px{', RandAugment' if layers else ''} "
                f"| {decode}{'' if profile == 'convert' else ', no profiles'} | {BATCH / result.ours:,.0f} "
                f"| {BATCH / result.theirs:,.0f} | {result.ratio:.2f} ({result.lowest:.2f} to {result.highest:.2f}) "
                f"| {BATCH / alone.theirs:,.0f} | {alone.ratio:.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
