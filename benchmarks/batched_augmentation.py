"""Augmentation of CIFAR-sized batches on one core: ours on the whole batch against torchvision's v2 image by image.

    python benchmarks/batched_augmentation.py                   # about 80 s

Both start from the set in memory (torchvision from PIL images, its faster way here) and end with a stacked uint8 batch.
A ratio above 1 says that ours is faster; the range is over pairs of runs in turn, A B A B.
"""

import argparse
import itertools
from dataclasses import replace

import torch
from interleaved import compare
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.erasing import Cutout
from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.augmentation.pipeline import Augmentation, Pipeline
from lit_cnn.data.augmentation.rand_augment import RandAugment

SIDE = 32
PLAIN = Augmentation(crop=Crop("pad"), flip=Flip(0.5))
FRAMING = [v2.RandomCrop(SIDE, padding=4), v2.RandomHorizontalFlip()]
ERASING = v2.RandomErasing(1.0, (0.25, 0.25), (1.0, 1.0))  # a square of 16 px, as near to cutout as torchvision comes
CASES = {
    "pad-crop, flip, cutout": (replace(PLAIN, cutout=Cutout(16)), [*FRAMING, v2.PILToTensor(), ERASING]),
    "pad-crop, flip, RandAugment (2 layers, magnitude 9 of torchvision's 30)": (
        replace(PLAIN, rand_augment=RandAugment(2, 9, "torchvision")),
        [*FRAMING, v2.RandAugment(2, 9), v2.PILToTensor()],
    ),
    "the same, magnitude drawn for each image (no such option in torchvision)": (
        replace(PLAIN, rand_augment=RandAugment(2, 9, "torchvision", magnitude_std=3.0)),
        [*FRAMING, v2.RandAugment(2, 9), v2.PILToTensor()],
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[128, 512], help="images of a batch")
    parser.add_argument("--seconds", type=float, default=12.0, help="per line")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for batch, (name, (settings, steps)) in itertools.product(options.batches, CASES.items()):
        # Smooth images: noise would make no difference to any operation's work but equalize's memory access.
        whole = Pipeline(settings, SIDE, fill=(125, 123, 114))
        images = functional.resize(torch.randint(0, 256, (batch, 3, 8, 8), dtype=torch.uint8), [SIDE, SIDE])
        pictures, pipeline = [functional.to_pil_image(image) for image in images], v2.Compose(steps)
        epochs = itertools.count()

        def ours(images: Tensor = images, whole: Pipeline = whole, epochs: itertools.count = epochs) -> None:
            rows = torch.arange(len(images))
            whole.augment_batch(images, Draws(0, next(epochs), rows, torch.zeros_like(rows)))

        def theirs(pictures: list = pictures, pipeline: v2.Compose = pipeline) -> None:
            torch.stack([pipeline(picture) for picture in pictures])

        result = compare(ours, theirs, options.seconds)
        print(
            f"batch {batch}, {name}: ours {batch / result.ours:,.0f} images/s a core, torchvision "
            f"{batch / result.theirs:,.0f}, ratio {result.ratio:.1f} ({result.lowest:.1f} to {result.highest:.1f}, "
            f"{result.pairs} pairs)"
        )


if __name__ == "__main__":
    main()
