"""The 1000 classes of ImageNet: index, synset and name, in the order that all published weights share.

``data/imagenet_classes.csv`` is written by ``tests/pretrained/imagenet_classes.py`` from timm and torchvision.
"""

import csv
import functools
from collections.abc import Collection, Sequence
from importlib.resources import files
from typing import NamedTuple


class ImageNetClass(NamedTuple):
    """One class: its number among the logits, the name of its folder in ImageNet, and a unique English name."""

    number: int
    synset: str
    name: str


@functools.cache
def imagenet_classes() -> tuple[ImageNetClass, ...]:
    """All of them by index."""
    text = (files("lit_cnn.pretrained") / "data" / "imagenet_classes.csv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines()[1:])
    return tuple(ImageNetClass(int(number), synset, name) for number, synset, name in rows)


def namings(class_names: Sequence[str]) -> tuple[list[str], ...]:
    """The ways in which folders may name a network's classes, in the order of its logits: its own names, and where they
    are ImageNet's also synsets and indices."""
    own, known = list(class_names), imagenet_classes()
    if own != [row.name for row in known]:
        return (own,)
    return own, [row.synset for row in known], [str(row.number) for row in known]


def naming_of(folders: Collection[str], class_names: Sequence[str]) -> list[str]:
    """The naming that most of the ``folders`` follow; the network's own where none does."""
    return max(namings(class_names), key=lambda names: len(set(names) & set(folders)))
