"""Tiny image files in folders, for the tests of sources."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image


def draw(root: Path, *names: str) -> None:
    """A file of one color for each name, in the format of its extension; text where it has another extension."""
    known = Image.registered_extensions()
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in known:
            Image.new("RGB", (6, 4), (number % 256, 0, 0)).save(path)
        else:
            path.write_text("not an image")


def class_folders(root: Path, *splits: str, classes: Iterable[str] = ("cat", "dog"), count: int = 2) -> None:
    """Class folders in each split's folder, with ``count`` images each; "" makes them in ``root`` itself."""
    draw(root, *(f"{split or '.'}/{name}/{n}.png" for split in splits for name in classes for n in range(count)))
