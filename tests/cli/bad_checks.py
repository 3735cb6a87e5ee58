"""What ``lit-cnn check`` finds in image folders that can be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bad_case import Case
from PIL import Image


def picture(seed: int) -> Image.Image:
    """Sixteen patches of random colors, 64x64."""
    colors = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(colors).resize((64, 64), Image.Resampling.BICUBIC)


def check(change: Callable[[Path], Any], *options: str) -> Callable[[Path], list[str]]:
    """Check ``set/{train,val}/{cat,dog}`` of three pictures each that ``change`` has spoiled."""

    def arguments(folder: Path) -> list[str]:
        for number, (split, name) in enumerate((s, n) for s in ("train", "val") for n in ("cat", "dog")):
            (folder / "set" / split / name).mkdir(parents=True)
            for row in range(3):
                picture(10 * number + row).save(folder / "set" / split / name / f"{row}.png")
        change(folder / "set")
        return ["check", str(folder / "set"), *options]

    return arguments


def first(folder: Path) -> Image.Image:
    return Image.open(folder / "train" / "cat" / "0.png")


def transparent(folder: Path) -> None:
    image = first(folder).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(folder / "train" / "cat" / "0.png")


def dark(folder: Path) -> None:
    for path in (folder / "val").rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(path).convert("L")).astype(np.uint16) * 4).save(path)


CHECKS = [
    Case(
        "checks of data sets",
        "one image with two labels",
        check(lambda folder: first(folder).save(folder / "train" / "dog" / "copy.bmp")),
        "one image has 2 labels (cat, dog): PATH/set/train/cat/0.png, PATH/set/train/dog/copy.bmp",
    ),
    Case(
        "checks of data sets",
        "one image in two splits",
        check(lambda folder: first(folder).save(folder / "val" / "cat" / "copy.png")),
        "the same image is in two splits, so that the accuracy is flattered",
    ),
    Case(
        "checks of data sets",
        "a smaller JPEG of it in another split",
        check(lambda folder: first(folder).resize((40, 40)).save(folder / "val" / "cat" / "small.jpg", quality=70)),
        "nearly the same image is in train and val",
        0,
    ),
    Case(
        "checks of data sets",
        "a smaller JPEG of it in another split, with --strict",
        check(lambda folder: first(folder).resize((40, 40)).save(folder / "val" / "cat" / "small.jpg"), "--strict"),
        "nearly the same image is in train and val",
    ),
    Case(
        "checks of data sets",
        "a link to nothing",
        check(lambda folder: (folder / "train" / "cat" / "gone.jpg").symlink_to(folder / "nowhere.jpg")),
        "the image PATH/set/train/cat/gone.jpg is a link to nothing; restore its target or remove it",
    ),
    Case(
        "checks of data sets",
        "an image that is all black",
        check(lambda folder: Image.new("RGB", (64, 64)).save(folder / "val" / "dog" / "failed.png")),
        "1 image is black throughout: PATH/set/val/dog/failed.png",
        0,
    ),
    Case("checks of data sets", "transparent pixels", check(transparent), "1 image has transparent pixels", 0),
    Case(
        "checks of data sets",
        "16-bit images that hold 10 bits",
        check(dark),
        "of 65535 and become nearly black: set data.levels to [0, 1023]",
        0,
    ),
    Case(
        "checks of data sets",
        "a thin image",
        check(lambda folder: picture(99).resize((900, 12)).save(folder / "val" / "dog" / "thin.png")),
        "1 image is over 50 times as long as wide: PATH/set/val/dog/thin.png",
        0,
    ),
]
