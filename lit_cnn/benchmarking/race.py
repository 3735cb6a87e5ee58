"""Speeds of networks against each other and against the machine's limit, interleaved.

In every round the machine multiplies two large matrices, and then each contestant infers one batch and trains one step.
So a ratio or a share compares what ran within the same second or two, on whatever the machine gave just then.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lit_cnn.benchmarking.interleaving import Spread, ratios, spread, take_turns
from lit_cnn.benchmarking.phases import PHASES, TimedStep
from lit_cnn.data.image_size import ImageSize, as_stated
from lit_cnn.profiling.memory import PeakMemory
from lit_cnn.profiling.timing import device_name, synchronize

FORWARD_PASSES = 3
"""A training step multiplies about as much as three forward passes: one forward, two backward (inputs and weights)."""
GEMM = {"cpu": 2048, "cuda": 8192}
"""Rows and columns of the matrices that measure the limit."""
_LIMIT = "limit"


@dataclass(frozen=True)
class Contestant:
    """One network in the race.

    Args:
        label: Whose it is: "ours", "timm", "torchvision".
        build: Makes network, batches and optimizer; memory is counted from before it is called.
        images: The batch (N, C, H, W) for inference, on the device.
        madds: Multiply-adds of one image's forward pass.
    """

    label: str
    build: Callable[[], TimedStep]
    images: Tensor
    madds: int


@dataclass(frozen=True)
class Result:
    """What was measured of one contestant.

    Args:
        label: Whose network it is.
        training: Images per second of training steps.
        inference: Images per second of evaluation passes.
        phases: Median ms per training step of data, forward, backward and optimizer.
        training_share: Arithmetic achieved in training (2 x multiply-adds x 3 passes) over the matrix product's.
        inference_share: The same of inference (one pass).
        training_peak_bytes: Peak memory, weights included; None where the platform does not report it.
        inference_peak_bytes: The same of inference.
    """

    label: str
    training: Spread
    inference: Spread
    phases: dict[str, float]
    training_share: Spread
    inference_share: Spread
    training_peak_bytes: int | None
    inference_peak_bytes: int | None


@dataclass(frozen=True)
class Ratio:
    """Our images per second over another's: above 1 ours is faster."""

    against: str
    training: Spread
    inference: Spread


@dataclass(frozen=True)
class Bench:
    """One network's race; the first result is ours.

    Args:
        limit: GFLOP/s of the matrix product, in the race's precision.
        busy: Load average over the minute before, None where the system has none.
    """

    name: str
    image_size: ImageSize
    batch_size: int
    madds: int
    precision: str
    channels_last: bool
    device: str
    threads: int
    busy: float | None
    limit: Spread
    results: tuple[Result, ...]
    ratios: tuple[Ratio, ...]
    memory_how: str


@dataclass(frozen=True)
class Conditions:
    """Where and how a race is run; ``rounds`` None takes what fits in ``seconds``, at least 6."""

    device: torch.device
    bf16: bool = False
    channels_last: bool = True
    rounds: int | None = None
    seconds: float = 20.0


def race(
    name: str,
    contestants: Sequence[Contestant],
    conditions: Conditions,
    on_phase: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Benchmark the contestants in interleaved rounds, after warm-up passes that also measure peak memory.

    Args:
        name: Network.
        contestants: Ours first.
        conditions: Device, precision, and how long.
        on_phase: Told what begins.
    """
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    entries: dict[str, Callable[[], float]] = {_LIMIT: gemm(conditions)}
    phases: dict[str, list[tuple[float, ...]]] = {}
    peaks: dict[str, tuple[int | None, int | None]] = {}
    how = ""
    for each in contestants:
        on_phase(f"{name}: warming up {each.label}")
        memory = PeakMemory(conditions.device)
        parts = each.build()
        with memory:
            parts.infer(each.images)
        inference_peak, how = memory.peak, memory.how
        with memory:
            for _ in range(2):  # the optimizer's state is made at the end of the first step
                parts.run()
        peaks[each.label] = inference_peak, memory.peak
        phases[each.label] = []
        entries[f"{each.label} inference"] = lambda parts=parts, images=each.images: parts.infer(images)  # type: ignore[misc]
        entries[f"{each.label} training"] = _noting(parts, phases[each.label])
    on_phase(f"{name}: measuring interleaved")
    entries[_LIMIT]()
    seconds = take_turns(entries, rounds=conditions.rounds, seconds=conditions.seconds)
    first = contestants[0]
    batch, size = len(first.images), as_stated((first.images.shape[2], first.images.shape[3]))
    results = tuple(_result(each, seconds, phases[each.label], peaks[each.label], conditions) for each in contestants)
    return Bench(
        name=name,
        image_size=size,
        batch_size=batch,
        madds=first.madds,
        precision="bf16-mixed" if conditions.bf16 else "32-true",
        channels_last=conditions.channels_last,
        device=device_name(conditions.device),
        threads=torch.get_num_threads(),
        busy=busy,
        limit=spread([_gemm_operations(conditions) / taken / 1e9 for taken in seconds[_LIMIT]]),
        results=results,
        ratios=tuple(_ratio(first.label, each.label, seconds) for each in contestants[1:]),
        memory_how=how,
    )


def _noting(parts: TimedStep, phases: list[tuple[float, ...]]) -> Callable[[], float]:
    def step() -> float:
        phases.append(parts.run())
        return sum(phases[-1])

    return step


def _result(
    contestant: Contestant,
    seconds: dict[str, list[float]],
    phases: list[tuple[float, ...]],
    peaks: tuple[int | None, int | None],
    conditions: Conditions,
) -> Result:
    batch, label = len(contestant.images), contestant.label
    training, inference = seconds[f"{label} training"], seconds[f"{label} inference"]
    operations = 2.0 * contestant.madds * batch
    limits = [_gemm_operations(conditions) / taken for taken in seconds[_LIMIT]]
    medians = [spread(column).median * 1e3 for column in zip(*phases, strict=True)]
    return Result(
        label=label,
        training=spread([batch / taken for taken in training]),
        inference=spread([batch / taken for taken in inference]),
        phases=dict(zip(PHASES, medians, strict=True)),
        training_share=ratios([FORWARD_PASSES * operations / taken for taken in training], limits),
        inference_share=ratios([operations / taken for taken in inference], limits),
        training_peak_bytes=peaks[1],
        inference_peak_bytes=peaks[0],
    )


def _ratio(ours: str, other: str, seconds: dict[str, list[float]]) -> Ratio:
    both = [ratios(seconds[f"{other} {kind}"], seconds[f"{ours} {kind}"]) for kind in ("training", "inference")]
    return Ratio(other, *both)


def _gemm_operations(conditions: Conditions) -> float:
    return 2.0 * GEMM[conditions.device.type] ** 3


def gemm(conditions: Conditions, clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    """A function that multiplies two large square matrices in the race's precision and returns the seconds it took."""
    side, dtype = GEMM[conditions.device.type], torch.bfloat16 if conditions.bf16 else torch.float32
    left, right = (torch.randn(side, side, device=conditions.device, dtype=dtype) for _ in range(2))
    out = torch.empty_like(left)

    def multiply() -> float:
        synchronize(conditions.device)
        started = clock()
        torch.mm(left, right, out=out)
        synchronize(conditions.device)
        return clock() - started

    return multiply
