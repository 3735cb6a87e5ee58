"""The airbench94 design (Jordan, 2024, arXiv:2404.00498) as a plain loop on the CPU: what ``time_to_94.py`` races with.

    LIT_CNN_DATA=... python benchmarks/airbench94.py [--seed 0] [--precision bfloat16] [--epochs 9.9]

Written from the paper's description and its published constants: whitened stem with a bias for three epochs, filters
that begin as the identity, biases of norms at 64 times the rate and gains fixed at one, norms that forget fast, label
smoothing, Nesterov momentum with a triangular rate, Lookahead every five steps, images mirrored in every other epoch
and shifted by up to two pixels over reflected borders, and at the end the mean of mirrored and shifted views. Other
than on its GPU weights are kept in float32 and products computed in bfloat16 by autocast, or all is float32.

It trains on the 45,000 images of cifar10.npz and prints as JSON the seconds of training (data in memory and whitening
included) and top-1 in percent on its test images, with one view, with its mirror image, and with all views.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from lit_cnn import create_model
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.training.whitening import whiten_first_convolution

EPOCHS, BATCH, SHIFT, WHITENED = 9.9, 1024, 2, 5000
RATE, MOMENTUM, DECAY, BIAS_FACTOR = 11.5, 0.85, 0.0153, 64.0
"""Rate and decay are of 1,024 images with losses summed, before the factor of ``Loop.__init__``."""
SMOOTHING, STEM_BIAS_EPOCHS = 0.2, 3
START, PEAK, END = 0.2, 0.23, 0.07
"""Of the rate: first and last share of the peak, and where in the run the peak is."""
LOOKAHEAD_EVERY, LOOKAHEAD_DECAY = 5, 0.95**5
MEAN, STD = torch.tensor((0.4914, 0.4822, 0.4465)), torch.tensor((0.2470, 0.2435, 0.2616))


def read_split(path: Path, split: str) -> tuple[Tensor, Tensor]:
    """Images uint8 (N, 3, 32, 32) and labels (N,)."""
    with np.load(path) as arrays:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"].ravel()
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels.astype(np.int64))


def normalized(images: Tensor) -> Tensor:
    """uint8 (N, 3, H, W) as the network sees them."""
    scaled = (images.float() / 255 - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1)
    return scaled.to(memory_format=torch.channels_last)


def shifted(images: Tensor, side: int = 32) -> Tensor:
    """A window of ``side`` pixels at a random place of each of the padded images."""
    places = torch.randint(images.shape[-1] - side + 1, (2, len(images)))
    cropped = torch.empty(len(images), 3, side, side, dtype=images.dtype)
    for y in range(images.shape[-2] - side + 1):
        for x in range(images.shape[-1] - side + 1):
            here = (places[0] == y) & (places[1] == x)
            cropped[here] = images[here, :, y : y + side, x : x + side]
    return cropped


def make_network() -> nn.Module:
    """The network of the catalog with the design's norms: their gains stay at one, and they forget fast."""
    network = create_model("cifar_vgg8")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum, module.eps = 0.4, 1e-12
            module.weight.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


class Loop:
    """The training, step by step.

    Args:
        path: The npz.
        seed: Of weights, order and shifts.
        bfloat16: Whether products are computed in bfloat16.
        epochs: How many, with a fraction.
    """

    def __init__(self, path: Path, seed: int = 0, bfloat16: bool = True, epochs: float = EPOCHS) -> None:
        torch.manual_seed(seed)
        images, self.labels = read_split(path, "train")
        self.padded = pad(images.float(), (SHIFT,) * 4, mode="reflect").to(torch.uint8)
        self.mirrored = torch.rand(len(images)) < 0.5
        self.network, self.bfloat16 = make_network(), bfloat16
        whiten_first_convolution(self.network, normalized(images[:WHITENED]))
        self.per_epoch = len(images) // BATCH
        self.steps, self.done = math.ceil(epochs * self.per_epoch), 0
        factor = 1024 * (1 + 1 / (1 - MOMENTUM))  # of Nesterov's steps, and the sum over a batch
        rate, decay = RATE / factor, DECAY * BATCH / factor
        norms = {id(each.bias) for each in self.network.modules() if isinstance(each, nn.BatchNorm2d)}
        trained = [each for each in self.network.parameters() if each.requires_grad]
        biases, others = ([each for each in trained if (id(each) in norms) == own] for own in (True, False))
        groups = [
            {"params": biases, "lr": rate * BIAS_FACTOR, "weight_decay": decay / (rate * BIAS_FACTOR)},
            {"params": others, "lr": rate, "weight_decay": decay / rate},
        ]
        self.optimizer = torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.slow = [tensor.clone() for tensor in self._floats()]
        self.batches = self._batches()

    def _rate(self, step: int) -> float:
        """The triangle, as a share of the peak."""
        return float(np.interp(step / self.steps, (0, PEAK, 1), (START, 1, END)))

    def _floats(self) -> list[Tensor]:
        return [tensor for tensor in self.network.state_dict().values() if tensor.is_floating_point()]

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless; images are mirrored in every other epoch, half of them in the even ones."""
        epoch = 0
        while True:
            order = torch.randperm(len(self.labels))
            for rows in order[: self.per_epoch * BATCH].split(BATCH):
                images = normalized(shifted(self.padded[rows]))
                mirrored = self.mirrored[rows] ^ bool(epoch % 2)
                yield torch.where(mirrored[:, None, None, None], images.flip(3), images), self.labels[rows]
            epoch += 1

    def step(self) -> None:
        """Train on the next batch."""
        self.network.train()
        stem = next(each for each in self.network.modules() if isinstance(each, nn.Conv2d))
        assert stem.bias is not None
        stem.bias.requires_grad_(self.done < STEM_BIAS_EPOCHS * self.per_epoch)
        images, labels = next(self.batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(images)
        cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING, reduction="sum").backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()
        self.done += 1
        if self.done == self.steps:
            self._look_ahead(1.0)
        elif self.done % LOOKAHEAD_EVERY == 0:
            self._look_ahead(LOOKAHEAD_DECAY * (self.done / self.steps) ** 3)

    @torch.no_grad()
    def _look_ahead(self, decay: float) -> None:
        """Move the slow weights towards the network's, which then go on from there."""
        for slow, tensor in zip(self.slow, self._floats(), strict=True):
            slow.lerp_(tensor, 1 - decay)
            tensor.copy_(slow)

    @torch.no_grad()
    def accuracies(self, path: Path) -> dict[str, float]:
        """Top-1 in percent on the test images by views."""
        self.network.eval()
        images, labels = read_split(path, "test")
        found = {"center": 0, "mirrored": 0, "all": 0}
        for part, target in zip(normalized(images).split(500), labels.split(500), strict=True):
            padded = pad(part, (1,) * 4, mode="reflect")
            views = [part, padded[..., :32, :32], padded[..., 2:, 2:]]
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                center, *others = [(self.network(view), self.network(view.flip(3))) for view in views]
            mirrored, (upper, lower) = sum(center), (sum(pair) for pair in others)
            scores = {"center": center[0], "mirrored": mirrored, "all": 0.5 * mirrored + 0.25 * (upper + lower)}
            for name, score in scores.items():
                found[name] += int((score.argmax(dim=1) == target).sum())
        return {name: 100 * right / len(labels) for name, right in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    options = parser.parse_args()
    path, began = resolve_data_path("cifar10.npz"), time.perf_counter()
    loop = Loop(path, options.seed, options.precision == "bfloat16", options.epochs)
    while loop.done < loop.steps:
        loop.step()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "steps": loop.steps, **loop.accuracies(path)}))


if __name__ == "__main__":
    main()
