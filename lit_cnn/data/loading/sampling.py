"""Which samples form which micro-batch: the same global batches for any number of ranks and accumulation steps.

A sampler yields one ``BatchPlan`` per micro-batch, and a data set turns a plan into a ``Batch``. The order of an epoch
is a permutation keyed by (seed, epoch), which of a packed set stays within a few shards at a time; the global batch of
one optimizer step is the next slice of it, and rank r in accumulation step a takes the contiguous chunk number
a * world_size + r, where neighbors stay together in pairs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DistributedSampler

from lit_cnn.randomness import generator

WINDOW = 16
"""Shards of a packed set whose rows are shuffled together."""


@dataclass(frozen=True)
class BatchPlan:
    """The samples of one micro-batch.

    Attributes:
        epoch: epoch whose random draws apply.
        index: (N,) int64 rows of the split; -1 is padding.
        repeat: (N,) int64, which copy of a repeated sample this is (0 without repetition).
        position: (N,) int64 positions in the global batch.
        weight: factor on the micro-batch's mean loss (see ``Batch``).
        step: optimizer step since the start of the run, epoch * steps + step in the epoch; 0 in evaluation.
    """

    epoch: int
    index: np.ndarray
    repeat: np.ndarray
    position: np.ndarray
    weight: float
    step: int = 0


def _even_chunk(count: int, chunks: int, number: int) -> tuple[int, int]:
    """Bounds of chunk ``number`` when ``count`` items are split into ``chunks`` as evenly as possible, larger first."""
    size, larger = divmod(count, chunks)
    start = number * size + min(number, larger)
    return start, start + size + (number < larger)


def _dummy(epoch: int, position: int, step: int = 0) -> BatchPlan:
    """A micro-batch of one padding sample that weighs nothing, for a rank that has no sample left."""
    zero = np.zeros(1, dtype=np.int64)
    return BatchPlan(epoch, zero - 1, zero, zero + position, 0.0, step)


def chunked_order(sizes: Sequence[int], key: torch.Generator, window: int = WINDOW) -> np.ndarray:
    """A permutation (N,) of the rows of consecutive chunks of ``sizes`` for sequential reading: the chunks in random
    order, and the rows of ``window`` chunks at a time in random order."""
    starts = np.cumsum([0, *sizes])
    chunks = torch.randperm(len(sizes), generator=key).tolist()
    parts = []
    for begin in range(0, len(chunks), window):
        together = chunks[begin : begin + window]
        rows = np.concatenate([np.arange(starts[chunk], starts[chunk + 1]) for chunk in together])
        parts.append(rows[torch.randperm(len(rows), generator=key).numpy()])
    return np.concatenate(parts)


class _DividesByRank(DistributedSampler[BatchPlan]):
    """A sampler whose batches are one rank's already. Lightning's Trainer would take any other for undivided and keep
    the n-th part of it, unless it is told ``use_distributed_sampler=False``; nothing else of torch's sampler is used.
    """

    def __init__(self, rank: int, world_size: int) -> None:
        self.rank, self.world_size = rank, world_size


class TrainSampler(_DividesByRank):
    """Micro-batches of one rank for one epoch, optionally from the middle of it.

    Args:
        size: samples in the training split.
        global_batch: samples of one optimizer step over all ranks and accumulation steps.
        rank: this process.
        world_size: number of processes.
        accumulation: micro-batches of one optimizer step on one rank.
        seed: key of the order.
        drop_last: leave out the incomplete last global batch; otherwise it is split as evenly as pairs allow and an
            empty chunk becomes one padding sample of weight 0.
        epoch: epoch to start with.
        first: micro-batches of that epoch which are already consumed.
        repeats: copies of each image in a global batch (repeated augmentation, Hoffer et al. 2020). The number of steps
            does not change: an epoch then sees about 1/repeats of the images. Copies lie ceil(global_batch / repeats)
            positions apart; where repeats does not divide the batch, its last images have one copy less.
        chunks: sizes of the shards of a packed set, which make the order ``chunked_order``; None for a uniform one.

    Raises:
        ValueError: if ``global_batch`` is not divisible by ranks x accumulation, if no complete batch exists under
            ``drop_last``, or if ``repeats`` exceeds the batch.
    """

    def __init__(
        self,
        size: int,
        global_batch: int,
        rank: int = 0,
        world_size: int = 1,
        accumulation: int = 1,
        seed: int = 0,
        drop_last: bool = True,
        epoch: int = 0,
        first: int = 0,
        repeats: int = 1,
        chunks: Sequence[int] | None = None,
    ) -> None:
        parts = world_size * accumulation
        if global_batch % parts:
            raise ValueError(
                f"data.batch_size {global_batch} is the batch of one optimizer step and does not divide into "
                f"{world_size} devices x {accumulation} accumulated batches; choose a multiple of {parts}"
            )
        if not 1 <= repeats <= global_batch:
            raise ValueError(
                f"data.repeats is {repeats} but must lie between 1 and data.batch_size, which is {global_batch}"
            )
        if drop_last and global_batch > size:
            raise ValueError(
                f"data.batch_size {global_batch} is larger than the training set of {size} images; choose at most "
                f"{size} or set data.drop_last to false"
            )
        super().__init__(rank, world_size)
        self.size, self.global_batch, self.repeats, self.accumulation = size, global_batch, repeats, accumulation
        self.seed, self.drop_last = seed, drop_last
        self.epoch, self.first, self.chunks = epoch, first, chunks

    @property
    def steps(self) -> int:
        """Optimizer steps of a whole epoch."""
        return self.size // self.global_batch if self.drop_last else math.ceil(self.size / self.global_batch)

    def _chunk(self, count: int, turn: int) -> tuple[int, int]:
        """This rank's bounds in micro-batch ``turn``: neighbors 2i and 2i + 1, which mixing pairs, stay together."""
        chunks, number = self.world_size * self.accumulation, turn * self.world_size + self.rank
        start, stop = _even_chunk((count + 1) // 2, chunks, number)
        return min(2 * start, count), min(2 * stop, count)

    def __len__(self) -> int:
        """Micro-batches of a whole epoch, whatever ``first`` is."""
        return self.steps * self.accumulation

    def set_epoch(self, epoch: int) -> None:
        """Move to ``epoch``; a different one starts at its first micro-batch."""
        if epoch != self.epoch:
            self.epoch, self.first = epoch, 0

    def __iter__(self) -> Iterator[BatchPlan]:
        # The order is fixed here, not at the first ``next``: Lightning calls iter() first and set_epoch() afterwards.
        key = generator(self.seed, "order", self.epoch)
        chunks = self.chunks
        order = torch.randperm(self.size, generator=key).numpy() if chunks is None else chunked_order(chunks, key)
        return self._plans(order, self.epoch, self.first)

    def _plans(self, order: np.ndarray, epoch: int, first: int) -> Iterator[BatchPlan]:
        distinct = math.ceil(self.global_batch / self.repeats)
        for number in range(first, len(self)):
            step, turn = divmod(number, self.accumulation)
            count = min(self.global_batch, self.size - step * self.global_batch)
            images = order[step * distinct :][: math.ceil(count / self.repeats)]
            start, stop = self._chunk(count, turn)
            total = epoch * self.steps + step
            if start == stop:
                yield _dummy(epoch, start, total)
                continue
            position = np.arange(start, stop)
            weight = (stop - start) * self.world_size * self.accumulation / count
            yield BatchPlan(epoch, images[position % len(images)], position // len(images), position, weight, total)


class EvalSampler(_DividesByRank):
    """Every sample exactly once over all ranks, in the order of the split, with equally many batches on every rank.

    Args:
        size: samples in the split.
        batch: samples of one rank's batch.
        rank: this process.
        world_size: number of processes.
    """

    def __init__(self, size: int, batch: int, rank: int = 0, world_size: int = 1) -> None:
        super().__init__(rank, world_size)
        self.size, self.batch = size, batch

    def __len__(self) -> int:
        """Batches of each rank."""
        return math.ceil(self.size / (self.batch * self.world_size))

    def __iter__(self) -> Iterator[BatchPlan]:
        together = self.batch * self.world_size
        for begin in range(0, self.size, together):
            count = min(together, self.size - begin)
            start, stop = _even_chunk(count, self.world_size, self.rank)
            if start == stop:
                yield _dummy(0, start)
                continue
            position = np.arange(start, stop)
            yield BatchPlan(0, begin + position, np.zeros_like(position), position, 1.0)
