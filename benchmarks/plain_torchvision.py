"""A training as one writes it with torch and torchvision alone: one of the rivals of ``whole_commands.py``.

    python benchmarks/plain_torchvision.py DATA --network resnet18 --image-size 96 --batch-size 32 --epochs 2

DATA is a folder with train/<class>/ and val/<class>/, or an npz with train_images, train_labels, val_images and
val_labels. It is what torchvision's reference training does, without what this comparison does not need: images are
transformed one by one in a DataLoader, SGD follows a cosine, the weights are averaged after every step, the average is
validated and a checkpoint written after every epoch. The last line of its output is what it did, as JSON.
"""

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PADDED_UP_TO = 64
"""Pixels up to which images are padded and cropped, as on CIFAR; larger ones are cropped at random and resized."""


class ArrayImages(Dataset[tuple[Any, int]]):
    """Images of an npz, transformed one at a time, as torchvision's CIFAR10 gives them."""

    def __init__(self, path: Path, split: str, transform: Callable[[Image.Image], Any] | None = None) -> None:
        with np.load(path) as arrays:
            self.images, self.labels = arrays[f"{split}_images"], arrays[f"{split}_labels"].ravel()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = Image.fromarray(self.images[index])
        return image if self.transform is None else self.transform(image), int(self.labels[index])


def arguments_of(description: str | None) -> argparse.Namespace:
    """The command line that both plain scripts have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--channels-last", action="store_true")
    return parser.parse_args()


def loaders(options: argparse.Namespace) -> tuple[DataLoader[Any], DataLoader[Any], int]:
    """Training and validation batches, and the number of classes."""
    size, last = options.image_size, [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    if size <= PADDED_UP_TO:
        crop: list[nn.Module] = [transforms.RandomCrop(size, padding=4)]
        center: list[nn.Module] = []
    else:
        crop = [transforms.RandomResizedCrop(size, scale=(0.25, 1.0))]
        center = [transforms.Resize(round(size / 0.875)), transforms.CenterCrop(size)]
    training = transforms.Compose([*crop, transforms.RandomHorizontalFlip(), *last])
    evaluation = transforms.Compose([*center, *last])
    train: Dataset[Any]
    val: Dataset[Any]
    if options.data.is_dir():
        train = torchvision.datasets.ImageFolder(str(options.data / "train"), training)
        val = torchvision.datasets.ImageFolder(str(options.data / "val"), evaluation)
        classes = len(train.classes)
    else:
        train, val = ArrayImages(options.data, "train", training), ArrayImages(options.data, "val", evaluation)
        classes = int(train.labels.max()) + 1
    batch, workers = options.batch_size, options.workers
    return (
        DataLoader(train, batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0),
        DataLoader(val, batch, num_workers=workers, persistent_workers=workers > 0),
        classes,
    )


def validate(network: nn.Module, batches: DataLoader[Any], layout: torch.memory_format) -> float:
    """Top-1 in percent."""
    network.eval()
    right = seen = 0
    with torch.inference_mode():
        for images, targets in batches:
            right += int((network(images.to(memory_format=layout)).argmax(dim=1) == targets).sum())
            seen += len(targets)
    return 100 * right / seen


def train(
    options: argparse.Namespace,
    network: nn.Module,
    batches: DataLoader[Any],
    validation: DataLoader[Any],
    average: nn.Module,
    update: Callable[[nn.Module], object],
) -> None:
    """Train ``network``, keep its ``average``, and print what was done as the last line."""
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=options.learning_rate, momentum=0.9, weight_decay=1e-4)
    steps = options.epochs * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 + 0.5 * math.cos(math.pi * step / steps))
    seen, accuracy, best = 0, 0.0, -1.0
    for epoch in range(options.epochs):
        network.train()
        total: Tensor = torch.zeros(())
        for images, targets in batches:
            loss = nn.functional.cross_entropy(network(images.to(memory_format=layout)), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            update(network)
            total += loss.detach()
            seen += len(targets)
        accuracy = validate(average, validation, layout)
        print(f"epoch {epoch + 1}: loss {float(total) / len(batches):.4f}, accuracy {accuracy:.2f}", flush=True)
        state = {"network": network.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, "last.pt")
        if accuracy > best:
            best = accuracy
            torch.save(state, "best.pt")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(json.dumps({"images": seen, "accuracy": accuracy, "parameters": parameters}))


def main() -> None:
    options = arguments_of(__doc__)
    batches, validation, classes = loaders(options)
    network = torchvision.models.get_model(options.network, num_classes=classes)
    if options.channels_last:
        network = network.to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
    train(options, network, batches, validation, average, average.update_parameters)


if __name__ == "__main__":
    main()
