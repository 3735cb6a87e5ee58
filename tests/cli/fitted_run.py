"""A tiny run of ``lit-cnn fit`` as users make it, for tests of what is done with its checkpoints."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lit_cnn.cli.main import main

NAMES = ["blue", "green", "red"]
RECIPE = """
about: {{title: tiny}}
model: {{architecture: cifar_resnet8, optimizer: {{learning_rate: 0.05, base_batch_size: null}}}}
data:
  source: imagefolder
  path: {images}
  image_size: 16
  batch_size: 8
  workers: 0
  file_index: false
  crop: {{kind: resize}}
  evaluation: {{crop_ratio: 1.0}}
ema: {{decay: 0.5, warmup: false, validate_raw: true}}
trainer: {{max_epochs: 2, accelerator: cpu, devices: 1, precision: 32-true, enable_progress_bar: false}}
tracking: {{mode: disabled}}
"""


@dataclass(frozen=True)
class FittedRun:
    """Where the run and what it was made of are.

    Args:
        folder: The run folder.
        images: ``{train,val,test}/{blue,green,red}/*.png``.
        recipe: The YAML file that was fitted.
    """

    folder: Path
    images: Path
    recipe: Path

    @property
    def best(self) -> Path:
        return self.folder / "checkpoints" / "best.ckpt"

    @property
    def last(self) -> Path:
        return self.folder / "checkpoints" / "last.ckpt"


def fit_tiny(folder: Path) -> FittedRun:
    """Train two epochs of three steps, with an average of the weights, on images of three colors."""
    for split, number in (("train", 8), ("val", 4), ("test", 2)):
        write_images(folder / "images" / split, number)
    recipe = folder / "tiny.yaml"
    recipe.write_text(RECIPE.format(images=folder / "images"))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main(["fit", "--config", str(recipe), "--runs", str(folder / "runs")])
    assert code == 0, said.getvalue()
    (run,) = (folder / "runs" / "tiny").iterdir()
    return FittedRun(run, folder / "images", recipe)


def write_images(folder: Path, number: int) -> None:
    """``number`` PNGs of noise in each class, brighter in the color of its name."""
    for channel, name in enumerate(reversed(NAMES)):
        (folder / name).mkdir(parents=True)
        for image in range(number):
            pixels = np.random.default_rng([number, channel, image]).integers(0, 120, (16, 16, 3), dtype=np.uint8)
            pixels[..., channel] += 100
            Image.fromarray(pixels).save(folder / name / f"{image}.png")
