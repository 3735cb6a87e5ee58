"""Images with true boxes, for a classifier that never saw a box: read as those of a detector, in the classifier's
classes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.preprocessing import Preprocessing, evaluate_images
from lit_cnn.data.sources.wording import few
from lit_cnn.detection.annotations import Annotated, as_files, take
from lit_cnn.detection.batches import require_annotated_size
from lit_cnn.detection.boxes import AnnotatedImage, AnnotatedSplit
from lit_cnn.evaluation.images import EvaluationImages, workers_of
from lit_cnn.evaluation.trained import Trained
from lit_cnn.pretrained.imagenet import naming_of

SplitName = Literal["train", "val", "test"]


@dataclass(frozen=True, eq=False)
class BoxedImages:
    """N images, each with at least one true box.

    Attributes:
        images: The files, in the order of ``boxes``; without labels.
        split: What they are of.
        annotated: The same with what was annotated, in the same order.
        boxes: Of each image the boxes of each class, the number of the network's class -> (M, 4) float64 left, top,
            right, bottom in pixels of the file; difficult objects are there, crowds are not.
        notes: Sentences on what was left out.
    """

    images: EvaluationImages
    split: SplitName
    annotated: AnnotatedSplit
    boxes: Sequence[Mapping[int, Tensor]]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.boxes)


def mean_box_size(split: AnnotatedSplit) -> tuple[float, float]:
    """Width and height of a box as shares of its image's, averaged over all boxes but crowds."""
    shares = [
        (image.boxes[~image.crowd][:, 2:] - image.boxes[~image.crowd][:, :2]) / (image.width, image.height)
        for image in split.images
    ]
    wide, high = np.concatenate(shares).mean(axis=0).tolist()
    return wide, high


def present_split(annotated: Annotated, stated: SplitName | None) -> SplitName:
    """The stated split; None: test, else val, else train, the first that is there.

    Raises:
        ValueError: If it is not there.
    """
    order: tuple[SplitName, ...] = ("test", "val", "train")
    there = [name for name in order if name in annotated.splits]
    if stated is None:
        return there[0]
    if stated not in there:
        raise ValueError(f"{annotated.origin} has no {stated} split with annotations, only {few(sorted(there))}")
    return stated


def boxed_images(
    trained: Trained, annotated: Annotated, split: SplitName, workers: int | None, max_pixels: int
) -> BoxedImages:
    """The images of a split that have a box, with its boxes in the network's classes.

    Args:
        trained: The network. ImageNet's classes may be named by synset or index too.
        annotated: Of the folder.
        split: One that is there.
        workers: Processes that decode; None: as many as help.
        max_pixels: Pixels from which on a file is refused.

    Raises:
        ValueError: If a box is of a class that the network does not have, or there is no box.
    """
    chosen = annotated.splits[split]
    numbers = _class_numbers(trained, annotated.origin, chosen)
    rows = [row for row, image in enumerate(chosen.images) if not image.crowd.all()]
    if not rows:
        raise ValueError(f"the {split} images of {annotated.origin} have no box")
    kept = take(chosen, np.array(rows))
    without = len(chosen) - len(rows)
    notes = [f"{without} of {len(chosen)} {split} images have no box: left out"] if without else []
    notes += [sentences[0] for sentences in chosen.findings.values()]
    files = as_files(kept)
    pixels = replace(trained.preprocessing.pixel_format, max_pixels=max_pixels)
    images = EvaluationImages(files, pixels, annotated.origin, workers_of(workers, files))
    return BoxedImages(
        images,
        split,
        kept,
        [_by_class(image, numbers) for image in kept.images],
        tuple(notes),
    )


def _class_numbers(trained: Trained, origin: str, split: AnnotatedSplit) -> dict[int, int]:
    """Label of the annotations -> number of the network's class, of those that a box has."""
    present = {int(label) for image in split.images for label in image.labels[~image.crowd]}
    names = {label: split.class_names[label] for label in sorted(present)}
    known = {name: number for number, name in enumerate(naming_of(set(names.values()), trained.class_names))}
    unknown = [name for name in names.values() if name not in known]
    if unknown:
        raise ValueError(
            f"{origin} has boxes of {few(unknown)}, which {trained.name} does not know: its classes are "
            f"{few(trained.class_names)}; name the boxes as the checkpoint names its classes"
        )
    return {label: known[name] for label, name in names.items()}


def _by_class(image: AnnotatedImage, numbers: Mapping[int, int]) -> dict[int, Tensor]:
    found: dict[int, Tensor] = {}
    for label in np.unique(image.labels[~image.crowd]).tolist():
        rows = (image.labels == label) & ~image.crowd
        found[numbers[label]] = torch.tensor(image.boxes[rows], dtype=torch.float64)
    return found


@dataclass(frozen=True)
class CropAndSides:
    """From an image uint8 (1, C, H, W) to its evaluation crop (1, C, height, width) and the height and width that its
    file has, int64 (1, 2).

    Args:
        preprocessing: Of the crop.
        annotated: What was annotated of the image of each row.

    Raises:
        BrokenImage: If the file is not of the annotated size.
    """

    preprocessing: Preprocessing
    annotated: AnnotatedSplit

    def __call__(self, images: Tensor, rows: Tensor) -> list[Tensor]:
        for image, row in zip(images, rows.tolist(), strict=True):
            stated = self.annotated.images[row]
            require_annotated_size(os.path.join(self.annotated.root, stated.path), image, stated)
        sides = torch.tensor([images.shape[-2:]]).expand(len(rows), 2)
        return [evaluate_images(images, self.preprocessing), sides]
