"""Timing of operations for a table of latencies, within the networks that they are part of.

An operation alone, repeated in a row, finds its weights in the processor's cache and takes up to a fifth less time than
in a network of many weights. So a network is replayed: its operations run in their order with its weights, with a
reading of the clock around each, and what an operation reads is written just before, as by the operation before it.
Passes of the whole network alternate with the replays, so that a busy machine slows both.

The time of an operation is its mean over the middle half of the replays, ordered by their totals. Medians of single
operations do not add up to that of the network: what interrupts a pass hits few of its operations, and so the median of
none. An operation that several networks have is timed in each of them, and the mean over the networks is its time: how
much of its weights the cache has kept depends on the network.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.latency_table import Clock, LatencyTable, Row
from lit_cnn.profiling.operations import Operation, instances_of, operations_of
from lit_cnn.profiling.prediction_errors import Prediction
from lit_cnn.profiling.timing import TimingSettings, enough, place, synchronize, warmup_passes
from lit_cnn.training.precision import autocast

CLOCKS: Mapping[Clock, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


@dataclass(frozen=True)
class TimedNetwork:
    """A network that is predicted and measured.

    Args:
        name: For people.
        build: Makes it on the default device.
        image_size: Side of the images in px.
        used: Whether those of its operations that the table lacks are added.
        in_channels: Channels of the images.
    """

    name: str
    build: Callable[[], nn.Module]
    image_size: int
    used: bool = True
    in_channels: int = 3


def spread(networks: Sequence[TimedNetwork]) -> list[TimedNetwork]:
    """Those that are not used evenly among the others: a machine's speed drifts, and times taken together compare."""
    groups = [[each for each in networks if each.used == used] for used in (True, False)]
    placed = [((number + 0.5) / len(group), each) for group in groups for number, each in enumerate(group)]
    return [each for _, each in sorted(placed, key=lambda pair: pair[0])]


@dataclass(frozen=True)
class MeasuredNetwork:
    """Median milliseconds of a batch through a whole network, and its operations."""

    network: TimedNetwork
    operations: Counter[Operation]
    ms: float

    def against(self, table: LatencyTable) -> Prediction:
        """Beside what the table predicts.

        Raises:
            ValueError: If the table lacks one of the operations.
        """
        network = self.network
        return Prediction(network.name, network.image_size, network.used, table.total(self.operations), self.ms)


def time_networks(
    table: LatencyTable,
    networks: Sequence[TimedNetwork],
    settings: TimingSettings,
    *,
    clock: Callable[[], float] | None = None,
    on_network: Callable[[str], None] = lambda _: None,
) -> Iterator[MeasuredNetwork]:
    """Measure networks, and add the operations of those that are used to the table.

    Args:
        table: Extended in place, before each result; times that it has at the start stay as they are.
        networks: In the order in which they are timed, see :func:`spread`.
        settings: Condition and repeats; the image size is each network's.
        clock: Seconds; None for the one that the table's condition names.
        on_network: Called with the name of each as its timing begins.

    Yields:
        Each network, in the order of ``networks``.

    Raises:
        ValueError: Before anything is timed, if a network that is not used has an operation that neither the table nor
            a network that is used has, or an image is too small.
    """
    operations, known = [_counted(network) for network in networks], set(table.rows)
    _check_covered(known, networks, operations)
    for network, own in zip(networks, operations, strict=True):
        on_network(network.name)
        wanted = own.keys() - known if network.used else set()
        replay = _Replay(network, settings, bool(wanted), clock or CLOCKS[table.condition.clock])
        whole, replays = replay.run()
        for operation, row in _rows([instance.operation for instance in replay.instances], replays).items():
            if operation in wanted:
                table.rows[operation] = row.averaged(table.rows.get(operation))
        yield MeasuredNetwork(network, own, 1e3 * statistics.median(whole))


def _rows(operations: Sequence[Operation], replays: Sequence[Sequence[float]]) -> dict[Operation, Row]:
    """The times of operations from the seconds of all in each replay."""
    quarter = len(replays) // 4
    middle = sorted(replays, key=sum)[quarter : len(replays) - quarter]
    times: dict[Operation, list[float]] = {}
    for operation, *seconds in zip(operations, *middle, strict=True):
        times.setdefault(operation, []).extend(seconds)
    today = date.today().isoformat()
    return {each: Row(1e3 * statistics.fmean(seconds), len(seconds), 1, today) for each, seconds in times.items()}


def _counted(network: TimedNetwork) -> Counter[Operation]:
    with on_meta():
        built = network.build()
    return operations_of(built, network.image_size, network.in_channels)


def _check_covered(
    known: Collection[Operation], networks: Sequence[TimedNetwork], operations: Sequence[Counter[Operation]]
) -> None:
    pairs = list(zip(networks, operations, strict=True))
    known = set(known).union(*(own for network, own in pairs if network.used))
    for network, own in pairs:
        missing = [operation.name for operation in own if operation not in known]
        if missing:
            raise ValueError(
                f"{network.name} at {network.image_size} px cannot be predicted, since no other network here has its "
                f"operation {missing[0]}: leave it out of --check, or name it without --check to add its operations"
            )


class _Replay:
    """Passes of a whole network, and of its operations one by one where they are wanted."""

    def __init__(
        self, network: TimedNetwork, settings: TimingSettings, in_parts: bool, clock: Callable[[], float]
    ) -> None:
        self.settings = replace(settings, image_size=network.image_size)
        self.network, self.images = place(network.build().eval(), self.settings, network.in_channels)
        self.clock = clock
        with torch.inference_mode(), self._cast():
            self.instances = instances_of(self.network, self.images) if in_parts else []

    def run(self) -> tuple[list[float], list[list[float]]]:
        """Seconds of the network in each round, and of its operations."""
        warmup = warmup_passes(self.settings, self.images.device)
        whole: list[float] = []
        replays: list[list[float]] = []
        with torch.inference_mode():
            for _ in range(warmup):
                self._round()
            while not enough(whole, self.settings.repeats):
                taken, replay = self._round()
                whole.append(taken)
                replays.append(replay)
        return whole, replays

    def _round(self) -> tuple[float, list[float]]:
        taken = self._seconds(self.network, [self.images])
        return taken, [self._seconds(module, self._written(each, dtype)) for each, module, dtype in self.instances]

    def _written(self, operation: Operation, dtype: torch.dtype) -> list[Tensor]:
        """What the operation reads, just written."""
        layout = torch.channels_last if self.settings.channels_last else torch.contiguous_format
        return [
            torch.empty(
                (self.settings.batch_size, *shape),
                dtype=dtype,
                device=self.images.device,
                memory_format=layout if len(shape) == 3 else torch.contiguous_format,
            ).fill_(0.5)
            for shape in operation.inputs
        ]

    def _seconds(self, module: nn.Module, inputs: Sequence[Tensor]) -> float:
        device = self.images.device
        with self._cast():
            synchronize(device)
            started = self.clock()
            module(*inputs)
            synchronize(device)
            return self.clock() - started

    def _cast(self) -> AbstractContextManager[Any]:
        return autocast(self.images.device, self.settings.precision == "bf16-mixed")
