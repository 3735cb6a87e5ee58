"""A checkpoint of an untrained network, and photographs to verify exports on."""

from pathlib import Path

import numpy as np
from checkpoint_files import PREPROCESSING, write_checkpoint
from PIL import Image
from sklearn.datasets import load_sample_images

from lit_cnn.evaluation.trained import Trained, load_trained
from lit_cnn.exporting.real_images import RealImages, real_images

NAMES = ["blue", "green", "red"]


def untrained(folder: Path, architecture: str = "cifar_resnet8", **changes: object) -> Trained:
    """A small network that takes 16 px after resizing to 18."""
    known = {**PREPROCESSING, "resize": 18, "interpolation": "bicubic"}
    data = {"path": "/home/someone/private", "source": "imagefolder", "workers": 0}
    about = {"about": {"title": "tiny"}, "data": data, "trainer": {"devices": 1}}
    return load_trained(
        write_checkpoint(
            folder / "net.ckpt", NAMES, architecture=architecture, preprocessing=known, recipe=about, **changes
        )
    )


def photographs(folder: Path, trained: Trained, number: int = 6) -> RealImages:
    """Windows of photographs, each of its own size, as labeled image files."""
    for count in range(number):
        pixels = load_sample_images().images[count % 2][20 * count : 20 * count + 60 + count, : 40 + 13 * count]
        place = folder / "photographs" / NAMES[count % 3]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels)).save(place / f"{count}.png")
    return real_images(trained, str(folder / "photographs"), number)
