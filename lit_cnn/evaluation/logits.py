"""A trained network over many views of many images: batches of equal size in, class probabilities out.

``stream`` is the one loop of every command that takes a checkpoint. Only ``fit`` validates in another, Lightning's,
which knows all ranks and both kinds of weights; it computes the same logits from the same batches.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from lit_cnn.evaluation.images import EvaluationImages, Prepare

if TYPE_CHECKING:
    from lit_cnn.evaluation.trained import Trained

Average = Literal["probabilities", "logits"]
Advance = Callable[[int], object]
"""Told the number of images that have been prepared since the last call."""

_WAITING = 8
"""Full batches that may wait for others of their size before all are run."""


class Inputs(NamedTuple):
    """k inputs of one size: their images' rows and their view numbers int64 (k,), pixels uint8 (k, C, H, W)."""

    rows: Tensor
    views: Tensor
    pixels: Tensor


class Block(NamedTuple):
    """Logits float (k, K) of k inputs, with the rows of their images and their view numbers int64 (k,)."""

    rows: Tensor
    views: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Outcome:
    """What a network, or several together, said of M images: those that could be read.

    Attributes:
        probabilities: float64 (M, K), rows add up to 1.
        labels: int64 (M,).
        rows: int64 (M,), theirs among the images.
        views: Mean number of views of an image.
        seconds: Wall-clock time, with reading and preparing the images.
    """

    probabilities: Tensor
    labels: Tensor
    rows: Tensor
    views: float
    seconds: float

    @property
    def images_per_second(self) -> float:
        """Whole images, however many views each has."""
        return len(self.labels) / self.seconds


def stream(
    trained: "Trained", images: EvaluationImages, prepare: Prepare, batch_size: int = 64, advance: Advance | None = None
) -> Iterator[Block]:
    """The logits of every view of every image.

    Views of one size share a batch, whichever image and scale they come from. Where all have one size, they come in the
    order of the images, and every batch but the last is full; else in no particular order.

    Raises:
        ValueError: If the network cannot be run at the size of a view.
    """
    waiting: dict[torch.Size, list[Inputs]] = {}
    for chunk in images.prepared(prepare):
        for part in chunk:
            for inputs in _numbered(part.rows, part.views):
                waiting.setdefault(inputs.pixels.shape[-2:], []).append(inputs)
        counts = {size: _count(parts) for size, parts in waiting.items()}
        crowded = sum(count % batch_size for count in counts.values()) > _WAITING * batch_size
        for size, count in counts.items():
            if crowded or count >= batch_size:
                whole = count if crowded else count - count % batch_size
                left = yield from _run(trained, waiting.pop(size), whole, batch_size)
                if left is not None:
                    waiting[size] = [left]
        if advance is not None:
            advance(sum(len(part.rows) for part in chunk))
    for parts in waiting.values():
        yield from _run(trained, parts, _count(parts), batch_size)


def _count(parts: list[Inputs]) -> int:
    return sum(len(inputs.rows) for inputs in parts)


def _numbered(rows: Tensor, groups: list[Tensor]) -> Iterator[Inputs]:
    """One ``Inputs`` for each group (n, v, C, H, W); views are counted through all groups."""
    first = 0
    for group in groups:
        images, views = group.shape[:2]
        numbers = torch.arange(first, first + views).repeat(images)
        yield Inputs(rows.repeat_interleave(views), numbers, group.flatten(0, 1))
        first += views


def _run(trained: "Trained", parts: list[Inputs], count: int, batch_size: int) -> Generator[Block, None, Inputs | None]:
    """Run the first ``count`` inputs; returns the others, or None if there is none."""
    rows, views, pixels = (torch.cat(column) for column in zip(*parts, strict=True))
    for start in range(0, count, batch_size):
        chosen = slice(start, min(start + batch_size, count))
        yield Block(rows[chosen], views[chosen], trained.logits(pixels[chosen]).cpu())
    if count == len(rows):
        return None
    return Inputs(*(column[count:].clone() for column in (rows, views, pixels)))  # a view would keep all the pixels


def collect(
    trained: "Trained",
    images: EvaluationImages,
    prepare: Prepare,
    *,
    average: Average = "probabilities",
    batch_size: int = 64,
    advance: Advance | None = None,
) -> Outcome:
    """Run every view of every image and average each image's views.

    Args:
        trained: The network.
        images: M images.
        prepare: From an image to its views.
        average: Mean of the softmax over the views, or softmax of the mean logits.
        batch_size: Views in one forward pass.
        advance: Called as images are done.

    Raises:
        ValueError: If the network cannot be run at the size of a view.
    """
    start = time.perf_counter()
    sums = torch.zeros(len(images), len(trained.class_names), dtype=torch.float64)
    seen = torch.zeros(len(images), dtype=torch.float64)
    for block in stream(trained, images, prepare, batch_size, advance):
        values = block.logits.double()
        sums.index_add_(0, block.rows, values.softmax(dim=1) if average == "probabilities" else values)
        seen.index_add_(0, block.rows, torch.ones(len(block.rows), dtype=torch.float64))
    read = seen > 0  # not so the broken files that are skipped
    means = sums[read] / seen[read, None]
    probabilities = means if average == "probabilities" else means.softmax(dim=1)
    rows = read.nonzero().flatten()
    return Outcome(probabilities, images.labels[rows], rows, float(seen[rows].mean()), time.perf_counter() - start)
