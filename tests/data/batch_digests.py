"""Prints digests of the order and the pixels of augmented training batches; run under other instruction sets."""

import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe

RAND_AUGMENT = ["--data.rand_augment.layers=2", "--data.rand_augment.magnitude=9"]
FOLDER = ["--data.source=imagefolder", "--data.batch_size=8", "--data.workers=0", "--data.image_size=32"]
PIPELINES = {
    "batched": RAND_AUGMENT,
    "batched crop": ["--data.crop.kind=random_resized", "--data.color_jitter.brightness=0.4"],
    "per image": [*FOLDER, *RAND_AUGMENT, "--data.crop.kind=random_resized"],
    "per image, AutoAugment": [*FOLDER, "--data.auto_augment=imagenet_v0", "--data.cutout.size=8"],
}


def make_folder(root: Path) -> None:
    """Twelve training and three validation images of 60x52 px of each of two classes."""
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 3)):
        for name in "ab":
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                coarse = Image.fromarray(random.integers(0, 256, (6, 7, 3), dtype=np.uint8))
                coarse.resize((60, 52)).save(root / split / name / f"{number}.png")


def digests(keys: list[str]) -> tuple[str, str]:
    """Of the rows that the first batches hold, and of their pixels."""
    cli = RecipeCLI(resolve_configs(["--config", "quickstart", *keys]))
    data = Recipe.of(cli).data
    data.setup()
    order, pixels = hashlib.sha256(), hashlib.sha256()
    for batch, _ in zip(data.train_dataloader(), range(4), strict=False):
        order.update(batch.index.numpy().tobytes())
        pixels.update(batch.images.contiguous().numpy().tobytes())
    return order.hexdigest(), pixels.hexdigest()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_folder(Path(folder))
        for name, keys in PIPELINES.items():
            path = [f"--data.path={folder}"] if keys[0] == FOLDER[0] else []
            sys.stdout.write(" ".join([*digests([*keys, *path]), name]) + "\n")


if __name__ == "__main__":
    main()
