"""How fast a recipe's training batches come, alone and against their limit: decoding the same files and no more."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch.utils.data import Dataset, Sampler

from lit_cnn.benchmarking.contestants import endless
from lit_cnn.benchmarking.interleaving import Spread, ratios, spread, take_turns
from lit_cnn.data.batch import Batch
from lit_cnn.data.loading.datasets import PlannedLoader, make_loader
from lit_cnn.data.loading.sampling import BatchPlan
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.decoding import BrokenImage, PixelFormat
from lit_cnn.data.sources.load import ArraySplit, EncodedSplit
from lit_cnn.experiment.run_trainer import limit_to_images

BATCHES = 4
"""Batches of a turn for each worker, after those that were made in advance."""


@dataclass(frozen=True)
class DataSpeed:
    """Images per second of the loader alone, and of decoding alone with the same workers (None: nothing to decode).

    Args:
        workers: Processes of the loader.
        loader: Images per second of whole training batches.
        decoding: Images per second of decoding the files.
        share: The loader's over the decoding's, turn by turn.
    """

    workers: int
    loader: Spread
    decoding: Spread | None
    share: Spread | None


class DecodedFiles(Dataset[Batch]):
    """The files of a plan decoded, and only that: the batch holds no pixels; broken files are passed over."""

    def __init__(self, split: EncodedSplit, pixel_format: PixelFormat) -> None:
        self.split, self.pixel_format = split, pixel_format

    def __getitem__(self, plan: BatchPlan) -> Batch:
        for row in plan.index.clip(min=0).tolist():
            with contextlib.suppress(BrokenImage):  # where they are to stop a run, the loader of the recipe says so
                self.split.read(row, self.pixel_format).pixels()
        index, position = torch.from_numpy(plan.index), torch.from_numpy(plan.position)
        return Batch(torch.empty(0), index, index, position, torch.tensor(plan.weight))


def measure_data(data: ImageData, *, rounds: int | None = None, seconds: float = 10.0) -> DataSpeed:
    """Time the training loader of an ``ImageData`` interleaved with decoding alone, where it reads files.

    Args:
        data: The recipe's data, without a trainer.
        rounds: Turns; None for as many as fit in ``seconds``, at least 6.
        seconds: Time after which an open number of turns stops.
    """
    data.setup()
    limit_to_images(data)
    split, workers = data.loaded.train, data.train_dataloader().num_workers

    def decode_only(files: EncodedSplit) -> PlannedLoader:
        sampler = cast("Sampler[BatchPlan]", data.train_dataloader().sampler)
        return make_loader(DecodedFiles(files, data.pixel_format), sampler, workers)

    contestants = {"loader": turn(data.train_dataloader, workers)}
    if not isinstance(split, ArraySplit):
        contestants["decoding"] = turn(lambda: decode_only(split), workers)
    taken = take_turns(contestants, rounds=rounds, seconds=seconds)
    speeds = {name: [data.batch_size / each for each in times] for name, times in taken.items()}
    if "decoding" not in speeds:
        return DataSpeed(workers, spread(speeds["loader"]), None, None)
    share = ratios(speeds["loader"], speeds["decoding"])
    return DataSpeed(workers, spread(speeds["loader"]), spread(speeds["decoding"]), share)


def turn(
    make: Callable[[], Iterable[Batch]], workers: int, clock: Callable[[], float] = time.perf_counter
) -> Callable[[], float]:
    """A function that opens a loader and returns its seconds per batch (see ``seconds_per_batch``)."""

    def seconds() -> float:
        batches = endless(make())
        return seconds_per_batch(lambda: next(batches), workers, clock)

    return seconds


def seconds_per_batch(
    step: Callable[[], object], workers: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Seconds of a ``step`` that takes the next batch of a fresh loader, without those that were made in advance.

    Workers that began together deliver together: between two such bursts nothing comes, and inside one batches seem to
    cost nothing. So as many bursts are timed whatever the number of workers.
    """
    for _ in range(1 + 2 * workers):
        step()
    count = BATCHES * max(1, workers)
    started = clock()
    for _ in range(count):
        step()
    return (clock() - started) / count


def data_line(speed: DataSpeed) -> str:
    """One line for people."""
    text = (
        f"data: {speed.loader.median:,.0f} images/s [{speed.loader.low:,.0f}, {speed.loader.high:,.0f}] by the loader "
    )
    text += f"alone with {speed.workers} workers"
    if speed.decoding is None or speed.share is None:
        return text + "; the set is held in memory, so nothing is decoded"
    return text + f", {speed.share} of decoding the same files alone ({speed.decoding.median:,.0f} images/s)"
