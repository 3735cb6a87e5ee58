"""Every family of the catalog as an ONNX file, run by ONNX Runtime on photographs: agreement, difference, size, time.

    OMP_NUM_THREADS=1 python benchmarks/export_families.py                # the smallest of each, 5 to 15 minutes
    OMP_NUM_THREADS=1 python benchmarks/export_families.py 'nfnet*' vgg11 # networks by name, at small images

Weights are random, with the statistics of photographs in the batch norms and no gain of zero; networks have ten classes
and, where two hidden linear layers would fill hundreds of megabytes, 256 units in them. The photographs are 32 windows
of the two that scikit-learn has. Images are resized in the graph by the nearest pixel, whose levels are exact: deep
networks of random weights turn one gray level into another class, and what is examined here are their operations.
"""

import argparse
import fnmatch
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model, find_entry, list_models
from lit_cnn.architectures.entry import Entry
from lit_cnn.data.normalization import normalize
from lit_cnn.data.preprocessing import Preprocessing, evaluate_images
from lit_cnn.evaluation.trained import load_trained
from lit_cnn.exporting.exporting import export_verified
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.latency import latency
from lit_cnn.exporting.real_images import real_images
from lit_cnn.run_folder.checkpoint import FORMAT

CLASSES, WINDOWS = 10, 32
SIDES = {"alexnet*": 99, "nasnet_a_[ml]*": 96, "amoebanet_a_n6*": 97}
"""Height and width in px of networks that 64 (or 32, for CIFAR's) are too few for."""


class Row(NamedTuple):
    """One network: what was exported, and how the file compares with the network."""

    name: str
    side: int
    seconds: float
    nodes: int
    megabytes: float
    agreed: int
    relative: float
    network_ms: float
    file_ms: float


def smallest_of_families() -> list[str]:
    """Of each file of lit_cnn/architectures that the catalog builds from, the network with the fewest parameters."""
    smallest: dict[str, Entry] = {}
    for entry in map(find_entry, list_models()):
        family = entry.build.__module__
        if family not in smallest or entry.params < smallest[family].params:
            smallest[family] = entry
    return [entry.name for entry in smallest.values()]


def photographs(folder: Path) -> None:
    """Windows of all sizes and shapes, as PNG files."""
    pictures = load_sample_images().images
    draw = torch.Generator().manual_seed(0)
    for number in range(WINDOWS):
        pixels = pictures[number % len(pictures)]
        height, width = (int(torch.randint(100, side, (), generator=draw)) for side in pixels.shape[:2])
        top = int(torch.randint(0, pixels.shape[0] - height + 1, (), generator=draw))
        left = int(torch.randint(0, pixels.shape[1] - width + 1, (), generator=draw))
        Image.fromarray(pixels[top : top + height, left : left + width]).save(folder / f"{number:02d}.png")


def side_of(entry: Entry) -> int:
    stated = next((side for pattern, side in SIDES.items() if fnmatch.fnmatchcase(entry.name, pattern)), 64)
    return 32 if entry.task == "cifar" else stated


def made_up_checkpoint(name: str, path: Path, images: Tensor) -> None:
    """A checkpoint of random weights.

    Args:
        name: Of the catalog.
        path: Where.
        images: uint8 (N, 3, H, W) whose statistics batch norms get.
    """
    entry = find_entry(name)
    side = side_of(entry)
    options = {"hidden": 256} if "hidden" in entry.options() else {}
    torch.manual_seed(0)
    network = create_model(name, num_classes=CLASSES, **options)  # type: ignore[arg-type]
    known = Preprocessing((side, side), round(side / 0.875), "shorter_side", "nearest", (0.5,) * 3, (0.25,) * 3, 3)
    settle(network, normalize(evaluate_images(images, known), known.mean, known.std))
    described = {"architecture": name, "options": options, "num_classes": CLASSES, "in_channels": 3}
    state = {f"net.{key}": value for key, value in network.state_dict().items()}
    names = [f"class {number}" for number in range(CLASSES)]
    checkpoint = {"format": FORMAT, "network": described, "state_dict": state, "class_names": names}
    torch.save({**checkpoint, "preprocessing": known.as_dict()}, path)


@torch.no_grad()
def settle(network: nn.Module, images: Tensor) -> None:
    """Gains of zero become one, and batch norms get the images' statistics, as in a network that was trained."""
    for name, parameter in network.named_parameters():
        if name.endswith(("gain", "norm.weight")) and not parameter.any():
            parameter.fill_(1.0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    network.train()(images)


def export_family(name: str, folder: Path) -> Row:
    """Export one network to ONNX, verified on the photographs of ``folder``.

    Raises:
        ValueError: If the file does not agree with the network.
    """
    files = sorted(folder.glob("*.png"))[:16]
    sample = torch.stack([torch.as_tensor(load(file)).permute(2, 0, 1) for file in files])
    made_up_checkpoint(name, folder / "made_up.ckpt", sample)
    trained = load_trained(folder / "made_up.ckpt")
    images, form = real_images(trained, str(folder), WINDOWS), GraphForm()
    started = time.perf_counter()
    exported = export_verified(trained, folder / "made_up.onnx", "onnx", form, images)
    seconds = time.perf_counter() - started
    timed, found = latency(trained, [exported.run], form, images), exported.verification
    return Row(
        name,
        side_of(find_entry(name)),
        seconds,
        exported.facts["nodes"],
        exported.size / 1e6,
        found.agreed,
        found.difference / found.logit,
        timed.network_ms,
        timed.file_ms[0],
    )


def load(file: Path) -> Tensor:
    """The middle of a photograph, uint8 (100, 100, 3)."""
    with Image.open(file) as image:
        left, top = (image.width - 100) // 2, (image.height - 100) // 2
        pixels = image.crop((left, top, left + 100, top + 100))
        return torch.frombuffer(bytearray(pixels.tobytes()), dtype=torch.uint8).view(100, 100, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names of the catalog, or shell patterns")
    options = parser.parse_args()
    matching = [name for pattern in options.names for name in fnmatch.filter(list_models(), pattern)]
    print(f"threads: {torch.get_num_threads()}, load average {os.getloadavg()[0]:.1f} before\n")
    print("| network | px | operations | MB | same class | largest difference / largest logit | network ms | file ms |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as place:
        photographs(Path(place))
        for name in matching or smallest_of_families():
            row = export_family(name, Path(place))
            print(
                f"| {row.name} | {row.side} | {row.nodes} | {row.megabytes:.1f} | {row.agreed} of {WINDOWS} | "
                f"{row.relative:.0e} | {row.network_ms:.1f} | {row.file_ms:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
