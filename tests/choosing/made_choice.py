"""Images on disk, and a choice between three candidates as if they had been trained."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lit_cnn.architectures.catalog import create_model
from lit_cnn.choosing.budget import Price, plan_budget
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.chosen import Chosen, conclude
from lit_cnn.choosing.evidence import Evidence
from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.rungs import Reached
from lit_cnn.choosing.wishes import Wishes
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.run_folder.checkpoint import FORMAT


def make_images(folder: Path, count: int = 12, side: int = 16) -> Path:
    """Three classes of noise around a color."""
    draws = np.random.default_rng(0)
    for name, color in {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.clip(draws.normal(color, 90, (side, side, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


CANDIDATES = [
    Candidate("known-96-pretrained", "efficientnet_lite0", 96, "timm:tf_efficientnet_lite0.in1k"),
    Candidate("fast-16", "cifar_resnet8", 16),
    Candidate("slow-16", "cifar_resnet20", 16),
    Candidate("weak-16", "cifar_vgg8", 16),
    Candidate("late-16", "cifar_resnet32", 16),
]


def make_choice(folder: Path) -> Chosen:
    """What is concluded where slow and fast tie, weak was stopped and late had no time."""
    return conclude_from(folder, make_evidence(folder, {"slow-16": 33, "fast-16": 32, "known-96-pretrained": 10}, 9))


def conclude_from(folder: Path, evidence: Evidence, start: HeadStart | None = None) -> Chosen:
    """What is concluded of a choice after 100 s."""
    wishes = Wishes(str(folder / "images"), 1200.0, limits=Limits(params=6e6))
    return conclude(folder, wishes, evidence, 100.0, start)


def make_evidence(folder: Path, right: dict[str, int], probed: int) -> Evidence:
    """What is known where candidates end with so many of 36 images right, and a probe had ``probed`` of them."""
    images = open_images(make_images(folder / "images"))
    costs = {
        each.name: {"params": 1e6 * n, "madds": 1e7 * n, "latency_ms": 2.0 * n, "memory_mb": 20.0}
        for n, each in zip((5, 1, 2, 3, 4), CANDIDATES, strict=True)
    }
    prices = [Price("known-96-pretrained", 1.0, 1.0), *(Price(each.name, 1.0) for each in CANDIDATES[1:])]
    budget = plan_budget(prices[:-1], 10_000, [5])
    prepared = Prepared(
        CANDIDATES,
        costs,
        {"big-16": ("params", "9M parameters, more than 6M")},
        {"late-16": "no time within the budget of 20m"},
        prices,
        budget,
        "a test's device",
        1,
        8.0,
        3.0,
    )
    names = [f"image{number}" for number in range(36)]
    answers = {name: {image: n < count for n, image in enumerate(names)} for name, count in right.items()}
    stands = [
        *(Reached(name, 30, count / 36, True, ("run",)) for name, count in right.items()),
        Reached("weak-16", 10, 0.3, False, ("run",)),
    ]
    probes = {"known-96-pretrained": {name: number < probed for number, name in enumerate(names)}}
    return Evidence(prepared, images, probes, stands, answers)


def make_weights(file: Path, architecture: str) -> Path:
    """A checkpoint of ten classes with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = create_model(architecture, num_classes=10, in_channels=3)
    checkpoint = {
        "format": FORMAT,
        "network": {"architecture": architecture, "options": {}, "num_classes": 10, "in_channels": 3},
        "state_dict": {f"net.{name}": value for name, value in network.state_dict().items()},
        "class_names": [f"class {number}" for number in range(10)],
        "preprocessing": Preprocessing((16, 16), 16, "shorter_side", "bilinear", (0.5,) * 3, (0.5,) * 3, 3).as_dict(),
        "global_step": 0,
    }
    torch.save(checkpoint, file)
    return file
