"""Timing of operations for a table of latencies, in rounds: each operation once, then each again.

An operation repeated in a row finds its weights in the processor's cache and takes 5 to 25 % less time than within a
network. In rounds, the other operations have taken the cache; the input, which in a network was written just before, is
written just before the clock starts. The whole network takes part in the rounds of its operations, so that a busy
machine slows both.
"""

import copy
import datetime
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_cnn.profiling.latency_table import Clock, LatencyTable, Row
from lit_cnn.profiling.operations import Operation, Parts, operations_of
from lit_cnn.profiling.prediction_errors import Prediction
from lit_cnn.profiling.timing import TimingSettings, enough, resolve_device, synchronize

CLOCKS: Mapping[Clock, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}
_AT_ONCE = 64
"""Operations in a round: more would only take memory."""
_IMAGE_CHANNELS = 4
"""The most channels of an image, which stays float32 in mixed precision; maps within a network have more, and are
bfloat16 there."""


@dataclass(frozen=True)
class TimedNetwork:
    """A network that is predicted and measured.

    Args:
        name: For people.
        build: Makes it on the current default device.
        image_size: Side of the images in px.
        used: Add those of its operations that the table lacks.
        in_channels: Channels of the images.
    """

    name: str
    build: Callable[[], nn.Module]
    image_size: int
    used: bool = True
    in_channels: int = 3


@dataclass(frozen=True)
class _Step:
    module: nn.Module
    inputs: Sequence[Tensor]


def time_networks(
    table: LatencyTable,
    networks: Sequence[TimedNetwork],
    settings: TimingSettings,
    *,
    clock: Callable[[], float] | None = None,
    on_network: Callable[[str], None] = lambda _: None,
) -> Iterator[Prediction]:
    """Add the operations of the networks that are used to the table, measure each network and predict it.

    Args:
        table: Extended in place, before each result.
        networks: Those that are not used must be last.
        settings: Condition and repeats; the image size is each network's.
        clock: Seconds; None for the one that the table's condition names.
        on_network: Called with the name of each as its timing begins.

    Yields:
        What each network was predicted to take and took, in the order of ``networks``.

    Raises:
        ValueError: Before anything is timed, if a network that is not used has an operation that neither the table nor
            the networks before it have, or an image is too small.
    """
    parts = [_parts(each) for each in networks]
    _check_covered(table, networks, parts)
    for network, own in zip(networks, parts, strict=True):
        on_network(network.name)
        device = resolve_device(settings.device)
        whole = network.build().to(device).eval()
        step = _step(whole, [(network.in_channels, network.image_size, network.image_size)], settings)
        new = {each: own[each][0] for each in table.missing(own)} if network.used else {}
        took = _time_and_add(table, new, settings, clock, step)
        predicted = table.total({operation: number for operation, (_, number) in own.items()})
        yield Prediction(network.name, network.image_size, network.used, predicted, took)


def time_operations(
    table: LatencyTable,
    parts: Parts,
    settings: TimingSettings,
    *,
    clock: Callable[[], float] | None = None,
    on_batch: Callable[[int], None] = lambda _: None,
) -> None:
    """Add those of ``parts`` that the table lacks, such as the operations of a search space.

    Args:
        table: Extended in place.
        parts: Operations and modules that compute them.
        settings: Condition and repeats.
        clock: Seconds; None for the one that the table's condition names.
        on_batch: Called with how many are about to be timed.
    """
    missing = table.missing(parts)
    for start in range(0, len(missing), _AT_ONCE):
        batch = missing[start : start + _AT_ONCE]
        on_batch(len(batch))
        _time_and_add(table, {each: parts[each][0] for each in batch}, settings, clock)


def _parts(network: TimedNetwork) -> Parts:
    with torch.device("meta"):
        built = network.build()
    return operations_of(built, network.image_size, network.in_channels)


def _check_covered(table: LatencyTable, networks: Sequence[TimedNetwork], parts: Sequence[Parts]) -> None:
    known = set(table.rows)
    for network, own in zip(networks, parts, strict=True):
        if network.used:
            known |= own.keys()
            continue
        missing = [operation.name for operation in own if operation not in known]
        if missing:
            raise ValueError(
                f"{network.name} at {network.image_size} px cannot be predicted, since no other network here has its "
                f"operation {missing[0]}: leave it out of --check, or name it without --check to add its operations"
            )


def _time_and_add(
    table: LatencyTable,
    modules: Mapping[Operation, nn.Module],
    settings: TimingSettings,
    clock: Callable[[], float] | None,
    whole: _Step | None = None,
) -> float:
    """Time in rounds, add the operations to the table; return the milliseconds of ``whole``, 0 if there is none."""
    filled = [_filled(operation, module, settings) for operation, module in modules.items()]
    steps = [*([whole] if whole else []), *filled]
    passes = _rounds(steps, settings, clock or CLOCKS[table.condition.clock])
    medians = [1e3 * statistics.median(times) for times in passes]
    today = datetime.date.today().isoformat()
    for operation, median in zip(modules, medians[len(steps) - len(modules) :], strict=True):
        table.rows[operation] = Row(median, len(passes[0]), today)
    return medians[0] if whole else 0.0


def _filled(operation: Operation, module: nn.Module, settings: TimingSettings) -> _Step:
    """The operation on the device, with weights that give ordinary numbers."""
    module = copy.deepcopy(module).to_empty(device=resolve_device(settings.device)).eval()
    with torch.no_grad():
        for tensor in itertools.chain(module.parameters(), module.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.01, 0.1)
            else:
                tensor.zero_()
    return _step(module, operation.inputs, settings)


def _step(module: nn.Module, shapes: Sequence[tuple[int, ...]], settings: TimingSettings) -> _Step:
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    device = resolve_device(settings.device)
    bf16 = settings.precision == "bf16-mixed" and shapes[0][0] > _IMAGE_CHANNELS
    kind = torch.bfloat16 if bf16 else torch.float32
    inputs = [torch.rand(settings.batch_size, *shape, device=device, dtype=kind) for shape in shapes]
    inputs = [each.to(memory_format=layout) if each.ndim == 4 else each for each in inputs]
    return _Step(module.to(memory_format=layout), inputs)


def _rounds(steps: Sequence[_Step], settings: TimingSettings, clock: Callable[[], float]) -> list[list[float]]:
    """Seconds of each pass of each step."""
    device = resolve_device(settings.device)
    warmup = (1 if device.type == "cpu" else 5) if settings.warmup is None else settings.warmup
    rounds: list[list[float]] = []
    with torch.inference_mode():
        for _ in range(warmup):
            for step in steps:
                _pass(step, settings, device, clock)
        while not enough([sum(times) for times in rounds], settings.repeats):
            rounds.append([_pass(step, settings, device, clock) for step in steps])
    return [list(times) for times in zip(*rounds, strict=True)] if steps else []


def _pass(step: _Step, settings: TimingSettings, device: torch.device, clock: Callable[[], float]) -> float:
    for each in step.inputs:
        each.mul_(1.0)
    # Without autocast's cache, each pass casts the weights, as each pass of a whole network does.
    bf16 = settings.precision == "bf16-mixed"
    cast = torch.autocast(device.type, torch.bfloat16, cache_enabled=False) if bf16 else nullcontext()
    with cast:
        synchronize(device)
        started = clock()
        step.module(*step.inputs)
        synchronize(device)
        return clock() - started
