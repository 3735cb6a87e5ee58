"""Annotated images and detections made by hand, and many by chance, for the tests of what is counted on them."""

from collections.abc import Sequence

import numpy as np
import torch

from lit_cnn.detection.boxes import AnnotatedImage, AnnotatedSplit, Detections

Box = tuple[float, float, float, float]


def image(
    boxes: Sequence[Box],
    labels: Sequence[int],
    difficult: Sequence[int] = (),
    crowd: Sequence[int] = (),
    name: str = "a",
    areas: Sequence[float] | None = None,
) -> AnnotatedImage:
    """An image of 640 × 480 pixels; ``difficult`` and ``crowd`` are the places of such boxes."""
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    sides = array[:, 2:] - array[:, :2]
    stated = sides.prod(axis=1) if areas is None else np.array(areas, dtype=np.float32)
    places = np.arange(len(array))
    marks = np.isin(places, difficult), np.isin(places, crowd)
    return AnnotatedImage(f"{name}.jpg", 640, 480, array, np.array(labels, dtype=np.int64), *marks, stated, name)


def split(images: Sequence[AnnotatedImage], classes: int = 2) -> AnnotatedSplit:
    names = tuple("abcdefgh"[:classes])
    return AnnotatedSplit("", images, names, tuple(range(1, classes + 1)))


def detections(boxes: Sequence[Box], scores: Sequence[float], labels: Sequence[int]) -> Detections:
    columns = torch.tensor(boxes).reshape(-1, 4).float(), torch.tensor(scores).float()
    return Detections(*columns, torch.tensor(labels, dtype=torch.int64))


def nothing() -> Detections:
    return detections([], [], [])


def random_set(count: int, classes: int = 3, seed: int = 0) -> tuple[AnnotatedSplit, list[Detections]]:
    """Images of up to 12 objects, some difficult or crowds, and what a middling detector would find in them."""
    random = np.random.default_rng(seed)
    images, found = [], []
    for number in range(count):
        objects = int(random.integers(0, 13))
        corners, sides = random.uniform(0, 400, (objects, 2)), random.uniform(8, 150, (objects, 2))
        boxes, labels = np.concatenate([corners, corners + sides], axis=1), random.integers(0, classes, objects)
        marked = np.flatnonzero(random.random(objects) < 0.1)
        images.append(image(boxes, labels, marked[::2], marked[1::2], name=str(number)))
        strays = np.tile(random.uniform(0, 300, (6, 2)), 2) + np.array([0, 0, 40, 40])
        said = np.concatenate([labels, random.integers(0, classes, 6)])
        scores = random.random(objects + 6)
        order = np.argsort(-scores)
        places = np.concatenate([boxes + random.normal(0, 4, boxes.shape), strays])
        found.append(detections(places[order], scores[order], said[order]))
    return split(images, classes), found
