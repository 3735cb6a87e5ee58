"""What ImageNet recipes cost on many GPUs: compute, input and all-reduce, worked out from per-image figures.

    python benchmarks/imagenet_costs.py [--link 8=200 64=25] [--markdown]

Measured here: the time one core takes to decode, crop and resize a JPEG of ImageNet's usual 500 x 375 px (photographs
of $LIT_CNN_DATA/flowers enlarged, else a synthetic picture). Counted: multiply-adds and gradient bytes of the recipe's
network. Others' figures: images/s of one GPU (RATES), bytes of ImageNet's files, and the links' bandwidth, which you
give. No GPU has been run for this table.
"""

import argparse
import datetime
import io
import os
import platform
import random
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from PIL import Image
from rich.console import Console
from rich.table import Table

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.benchmarking.cost import cost_of
from lit_cnn.data.sources.load import data_roots

RECIPES = Path(__file__).parent.parent / "recipes"
IMAGES = 1_281_167
BYTES_PER_IMAGE = 147_897_477_120 / IMAGES
"""ILSVRC2012's archive of training images divided by their number: 115 kB."""
GRADIENT_BYTES = 4


class Rate(NamedTuple):
    """Training images per second of one GPU, as others published it."""

    images_per_second: float
    source: str


A100 = "A100, AMP, NVIDIA DeepLearningExamples"
RTX3090 = "RTX 3090, AMP, timm's training benchmark"
RATES = {
    "vgg16": Rate(546.1, RTX3090),
    "resnet50": Rate(2470, A100),
    "resnet_rs": Rate(1686.5, f"{RTX3090}, ResNet-RS-50 at 160 px"),
    "nfnet_f0": Rate(600.1, f"{RTX3090}, NCHW"),
    "efficientnet_b0": Rate(2489, A100),
    "efficientnet_v2_s": Rate(950, f"{A100}, 300 px"),
}
"""By recipe; the sizes are those of the benchmark, which need not be the recipe's."""


class Cost(NamedTuple):
    """One recipe on ``gpus`` GPUs; ``hours`` if all-reduce hides behind the backward pass, ``longest`` if none of it
    does. The images/s are those of the compute alone."""

    recipe: str
    gpus: int
    images_per_gpu: int
    images_per_second: float
    hours: float
    longest: float
    decode_cores: float
    megabytes_per_second: float
    step_ms: float
    allreduce_ms: float


def pictures() -> list[Image.Image]:
    """Forty photographs, or one synthetic picture."""
    files = [file for root in data_roots() for file in sorted((root / "flowers" / "train").glob("*/*.jpg"))[::10]]
    if files:
        return [Image.open(file).convert("RGB") for file in files]
    return [Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8))]


def encode(image: Image.Image) -> bytes:
    """A JPEG of 500 x 375 px, quality 90."""
    stream = io.BytesIO()
    image.resize((500, 375), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def decode_milliseconds(side: int, repeats: int = 200) -> float:
    """Median over ``repeats``: decode, cut a random half of the area, resize it to ``side`` px."""
    encoded, times = [encode(image) for image in pictures()], []
    drawn = random.Random(0)
    for number in range(repeats):
        start = time.perf_counter()
        image = Image.open(io.BytesIO(encoded[number % len(encoded)])).convert("RGB")
        left, top = drawn.randrange(146), drawn.randrange(109)
        image.resize((side, side), Image.Resampling.BILINEAR, box=(left, top, left + 354, top + 266))
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def work_out(name: str, gpus: int, link: float, decode_ms: float) -> Cost:
    """``link`` is what one GPU sends and receives at once in a ring all-reduce, in gigabytes per second."""
    recipe: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
    rate = RATES[name].images_per_second * gpus
    seen = cost_of(recipe).images
    assert seen is not None
    batch_size = recipe["data"]["batch_size"]
    gradient = GRADIENT_BYTES * find_entry(recipe["model"]["architecture"]).params
    step_ms = 1000 * batch_size / rate
    allreduce_ms = 2 * (gpus - 1) / gpus * gradient / link / 1e6
    return Cost(
        recipe=name,
        gpus=gpus,
        images_per_gpu=batch_size // gpus,
        images_per_second=rate,
        hours=seen / rate / 3600 * max(1.0, allreduce_ms / step_ms),
        longest=seen / rate / 3600 * (1 + allreduce_ms / step_ms),
        decode_cores=rate * decode_ms / 1000,
        megabytes_per_second=rate * BYTES_PER_IMAGE / 1e6,
        step_ms=step_ms,
        allreduce_ms=allreduce_ms,
    )


def cells(cost: Cost) -> list[str]:
    return [
        cost.recipe,
        str(cost.gpus),
        str(cost.images_per_gpu),
        f"{cost.images_per_second:,.0f}",
        f"{cost.hours:,.1f} to {cost.longest:,.1f}",
        f"{cost.decode_cores:,.0f}",
        f"{cost.megabytes_per_second:,.0f}",
        f"{cost.step_ms:,.1f}",
        f"{cost.allreduce_ms:.1f}",
    ]


HEADERS = (
    "recipe",
    "GPUs",
    "batch a GPU",
    "images/s",
    "hours",
    "decoding cores",
    "input MB/s",
    "compute ms a step",
    "all-reduce ms",
)


def parse_links(pairs: list[str]) -> dict[int, float]:
    return {int(gpus): float(link) for gpus, link in (pair.split("=") for pair in pairs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--link", nargs="+", default=["8=200", "64=25"], metavar="GPUS=GB/s", help="numbers of GPUs")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    decode_ms = decode_milliseconds(224)
    costs = [
        work_out(name, gpus, link, decode_ms) for name in RATES for gpus, link in parse_links(options.link).items()
    ]
    print(f"{platform.machine()}, one core of {os.cpu_count()}, {datetime.date.today()}: {decode_ms:.2f} ms to decode,")
    print(f"crop and resize one JPEG of 500 x 375 px to 224 px ({1000 / decode_ms:.0f} images/s a core)\n")
    if options.markdown:
        print("| " + " | ".join(HEADERS) + " |\n|" + " --- |" * len(HEADERS))
        for cost in costs:
            print("| " + " | ".join(cells(cost)) + " |")
        return
    table = Table(*HEADERS)
    for cost in costs:
        table.add_row(*cells(cost))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
