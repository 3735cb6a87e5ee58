"""The images of one split as they are stored, before any preprocessing: what every evaluation starts from."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import BrokenImage
from lit_cnn.data.sources.load import Split
from lit_cnn.randomness import generator

if TYPE_CHECKING:  # prediction starts faster without Lightning
    from lit_cnn.data.module import ImageData

SplitName = Literal["val", "test"]

Prepare = Callable[[Tensor, Tensor], list[Tensor]]
"""From uint8 images (n, C, H, W) of one size and their rows int64 (n,) to the network's uint8 inputs, in one tensor
(n, views, C, height, width) for each size of input."""


class Prepared(NamedTuple):
    """Inputs of n images: ``rows`` int64 (n,) of the split, and the tensors that a ``Prepare`` returned."""

    rows: Tensor
    views: list[Tensor]


@dataclass(frozen=True)
class EvaluationImages:
    """M images with labels.

    Attributes:
        split: Where they are: in memory or in files.
        in_channels: 1 for gray, 3 for RGB.
        origin: What was read, for people.
        workers: Processes that decode and prepare; 0 does it in this one.
    """

    split: Split
    in_channels: int
    origin: str
    workers: int = 0

    def __len__(self) -> int:
        return len(self.split)

    @property
    def labels(self) -> Tensor:
        """int64 (M,)."""
        return self.split.labels

    def image(self, row: int) -> Tensor:
        """uint8 (C, H, W), of the image's own size."""
        if isinstance(self.split, ArraySplit):
            return self.split.images[row]
        return self.split.read(row, self.in_channels).pixels()

    def sample(self, count: int) -> "EvaluationImages":
        """``count`` images drawn without replacement, always the same, in order; all of them where there are fewer."""
        rows = torch.randperm(len(self), generator=generator("evaluation sample"))[:count].sort().values
        return replace(self, split=self.split.take(rows))

    def prepared(self, prepare: Prepare) -> DataLoader[list[Prepared]]:
        """Every image once, in order; images of files come one by one since each has its own size."""
        chunks = PreparedChunks(self, prepare, size=256 if isinstance(self.split, ArraySplit) else 4)
        return DataLoader(chunks, batch_size=None, num_workers=self.workers)


class PreparedChunks(Dataset[list[Prepared]]):
    """Chunk number i holds the images from i * size on, prepared.

    Args:
        images: What is prepared.
        prepare: How.
        size: Images of a chunk.
    """

    def __init__(self, images: EvaluationImages, prepare: Prepare, size: int) -> None:
        self.images, self.prepare, self.size = images, prepare, size

    def __len__(self) -> int:
        return -(-len(self.images) // self.size)

    def __getitem__(self, number: int) -> list[Prepared]:
        if not 0 <= number < len(self):
            raise IndexError(number)
        rows = torch.arange(number * self.size, min((number + 1) * self.size, len(self.images)))
        if isinstance(self.images.split, ArraySplit):
            return [Prepared(rows, self.prepare(self.images.split.images[rows], rows))]
        return [Prepared(row, self.prepare(self.images.image(int(row))[None], row)) for row in rows.split(1)]


class Complaints(Dataset[str]):
    """What is wrong with the image of each row; empty for those that can be decoded."""

    def __init__(self, images: EvaluationImages) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> str:
        try:
            self.images.image(row)
        except (BrokenImage, OSError) as error:
            return str(error) or type(error).__name__
        return ""


def without_broken(images: EvaluationImages) -> EvaluationImages:
    """The images whose files can be decoded, for which each is decoded once; a warning counts the others.

    Raises:
        ValueError: If there are none.
    """
    batches = DataLoader(Complaints(images), batch_size=64, num_workers=images.workers, collate_fn=list)
    complaints = [text for batch in batches for text in batch]
    rows = torch.tensor([row for row, text in enumerate(complaints) if not text], dtype=torch.int64)
    broken = [text for text in complaints if text]
    if not broken:
        return images
    if not len(rows):
        raise ValueError(f"none of the {len(images)} images of {images.origin} can be evaluated: {broken[0]}")
    warnings.warn(
        f"skipped {len(broken)} of {len(images)} images of {images.origin}, the first: {broken[0]}", stacklevel=2
    )
    return replace(images, split=images.split.take(rows))


def evaluation_images(data: "ImageData", split: SplitName) -> EvaluationImages:
    """The validation or test images of a data module; under ``data.on_error`` skip those ``without_broken``.

    Raises:
        ValueError: If the source has no test split, or all of its files are to be skipped.
    """
    chosen = data.loaded.val if split == "val" else data.loaded.test
    if chosen is None:
        raise ValueError(f"{data.loaded.origin} has no test split; use the validation split instead.")
    workers = data.workers
    if workers is None:
        workers = 0 if isinstance(chosen, ArraySplit) else min(8, os.cpu_count() or 1)
    images = EvaluationImages(chosen, data.in_channels, data.loaded.origin, workers)
    return without_broken(images) if data.on_error == "skip" and not isinstance(chosen, ArraySplit) else images
