"""Images on disk, and a choice between three candidates as if they had been trained."""

from pathlib import Path

import numpy as np
from PIL import Image

from lit_cnn.choosing.budget import Price, plan_budget
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.chosen import Chosen, Evidence, conclude
from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.rungs import Reached
from lit_cnn.choosing.wishes import Wishes


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
        budget,
        "a test's device",
        1,
        8.0,
        3.0,
    )
    names = [f"image{number}" for number in range(36)]
    right = {"slow-16": 33, "fast-16": 32, "known-96-pretrained": 10}
    answers = {name: {image: n < count for n, image in enumerate(names)} for name, count in right.items()}
    stands = [
        Reached("slow-16", 30, 33 / 36, True, ("run",)),
        Reached("fast-16", 30, 32 / 36, True, ("run",)),
        Reached("known-96-pretrained", 30, 10 / 36, True, ("run",)),
        Reached("weak-16", 10, 0.3, False, ("run",)),
    ]
    probes = {"known-96-pretrained": {name: number < 9 for number, name in enumerate(names)}}
    wishes = Wishes(str(folder / "images"), 1200.0, limits=Limits(params=6e6))
    return conclude(folder, wishes, Evidence(prepared, images, probes, stands, answers, 100.0))
