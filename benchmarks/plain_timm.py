"""The training of ``plain_torchvision.py`` with timm's network, loader and average: a rival of ``whole_commands.py``.

    python benchmarks/plain_timm.py DATA --network resnet18 --image-size 96 --batch-size 32 --epochs 2

Data sets, transforms and batches are those of ``timm.data.create_dataset`` and ``create_loader``; up to 64 px the crop
at random is replaced by a padded one, as timm's scripts for CIFAR do.
"""

import argparse
from typing import Any

import timm
import torch
from plain_torchvision import MEAN, PADDED_UP_TO, STD, ArrayImages, arguments_of, train
from timm.data import create_dataset, create_loader
from timm.utils import ModelEmaV3
from torch.utils.data import DataLoader
from torchvision import transforms


def loaders(options: argparse.Namespace) -> tuple[DataLoader[Any], DataLoader[Any], int]:
    """Training and validation batches, and the number of classes."""
    small = options.image_size <= PADDED_UP_TO
    sets: Any
    if options.data.is_dir():
        sets = [create_dataset("", root=str(options.data), split=split) for split in ("train", "val")]
        classes = len(sets[0].reader.class_to_idx)
    else:
        sets = [ArrayImages(options.data, split) for split in ("train", "val")]
        classes = int(sets[0].labels.max()) + 1
    batches, validation = (
        create_loader(
            dataset,
            (3, options.image_size, options.image_size),
            options.batch_size,
            is_training=training,
            scale=(0.25, 1.0),
            color_jitter=0.0,
            interpolation="bilinear",
            mean=MEAN,
            std=STD,
            num_workers=options.workers,
            crop_pct=1.0 if small else 0.875,
            device=torch.device("cpu"),
            use_prefetcher=False,
        )
        for dataset, training in zip(sets, (True, False), strict=True)
    )
    if small:
        batches.dataset.transform.transforms[0] = transforms.RandomCrop(options.image_size, padding=4)
    return batches, validation, classes


def main() -> None:
    options = arguments_of(__doc__)
    batches, validation, classes = loaders(options)
    network = timm.create_model(options.network, num_classes=classes)
    if options.channels_last:
        network = network.to(memory_format=torch.channels_last)
    average = ModelEmaV3(network, decay=0.99)
    train(options, network, batches, validation, average.module, average.update)


if __name__ == "__main__":
    main()
