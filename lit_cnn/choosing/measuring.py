"""What a candidate costs, on this machine: counted, and measured in a process of its own.

Memory is what a fresh process needs above what it had: within one process what an earlier network left to the
allocator would make the next look small.
"""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from typing import Any

import torch

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.profiling.counting import count_madds
from lit_cnn.profiling.memory import PeakMemory
from lit_cnn.profiling.timing import Precision, TimingSettings, inference_ms, resolve_device, training_step_ms

REPEATS = 2
"""Passes for what trainings cost; the latency, which decides, is of as many as fit in 3 s."""
STEP_IMAGES = 16
"""Images of a timed step of training at most; a larger batch takes longer in proportion."""
PRELOADED = ("__main__", "lit_cnn.data.loading.datasets", "lit_cnn.choosing.measuring")
"""What the processes need not import each."""


BUSY = 0.5
"""Load of each core from which on measured times are doubtful."""


@dataclass(frozen=True)
class Condition:
    """Under which latency and memory are measured, and trainings are timed.

    Args:
        device: cpu, cuda or cuda:N.
        precision: Of the network that is used.
        batch_size: Images of a batch whose latency is measured.
        threads: Of the CPU, for the batch whose latency is measured; None for as many as PyTorch takes.
        training_precision: Of the trainings.
    """

    device: str = "cpu"
    precision: Precision = "32-true"
    batch_size: int = 1
    threads: int | None = None
    training_precision: Precision = "32-true"

    def words(self, threads: int) -> str:
        """The condition in words, with the CPU's threads that were taken."""
        images = "1 image" if self.batch_size == 1 else f"{self.batch_size} images"
        counted = f", {threads} {'thread' if threads == 1 else 'threads'}" if self.device == "cpu" else ""
        return f"a batch of {images}, precision {self.precision}, on {self.device}{counted}"


def count_candidate(candidate: Candidate, num_classes: int, in_channels: int) -> dict[str, float]:
    """Parameters, multiply-adds of an image and features that the classifier reads, without computing anything.

    Raises:
        ValueError: If the network cannot be built, or its images are too small.
    """
    with on_meta():
        network = build(candidate, num_classes, in_channels)
    params = sum(parameter.numel() for parameter in network.parameters())
    return {
        "params": float(params),
        "madds": float(count_madds(network, candidate.image_size, in_channels=in_channels)),
        "features": float(network.num_features),
    }


def build(candidate: Candidate, num_classes: int, in_channels: int) -> Network:
    """The network with random weights."""
    options: dict[str, Any] = dict(candidate.options)
    return create_model(candidate.architecture, num_classes=num_classes, in_channels=in_channels, **options)


def measure_candidate(
    candidate: Candidate, num_classes: int, in_channels: int, condition: Condition, batch_size: int
) -> dict[str, float]:
    """Latency, memory, and what training costs, measured in a fresh process.

    Args:
        candidate: What is measured.
        num_classes: Its outputs.
        in_channels: Channels of its images.
        condition: How.
        batch_size: Images of a training step.

    Returns:
        latency_ms and memory_mb (where the system reports it) under the condition; step_ms, of a training step;
        image_ms, of an image of a large batch in evaluation.

    Raises:
        ValueError: If the network cannot be run at this size, or its process dies, such as for lack of memory.
    """
    forked = "forkserver" in multiprocessing.get_all_start_methods()
    if forked:
        _start_server()
    context: Any = multiprocessing.get_context("forkserver" if forked else "spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_measure, args=(theirs, candidate, num_classes, in_channels, condition, batch_size), daemon=True
    )
    process.start()
    theirs.close()
    try:
        found: Mapping[str, Any] = mine.recv()
    except EOFError:
        found = {"error": f"{candidate.name} cannot be measured: its process died, as when memory runs out"}
    except BaseException:  # Ctrl-C
        process.kill()
        raise
    finally:
        mine.close()
        process.join()
    if "error" in found:
        raise ValueError(found["error"])
    return dict(found)


def _start_server() -> None:
    """Start the process from which the measuring ones are forked. Ctrl-C, which reaches every process of a terminal, is
    blocked in all of them from the start: this process ends them."""
    multiprocessing.set_forkserver_preload(list(PRELOADED))
    resource_tracker.ensure_running()  # it unblocks what is blocked below
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _measure(
    answer: Connection,
    candidate: Candidate,
    num_classes: int,
    in_channels: int,
    condition: Condition,
    batch_size: int,
) -> None:
    """What the process does: send the figures, or one sentence."""
    keep_freed_memory()  # as in the commands that will use the network
    try:
        answer.send(figures(candidate, num_classes, in_channels, condition, batch_size))
    except (ValueError, RuntimeError) as error:
        answer.send({"error": f"{candidate.name} cannot be measured: {str(error).splitlines()[0]}"})
    finally:
        answer.close()


def figures(
    candidate: Candidate, num_classes: int, in_channels: int, condition: Condition, batch_size: int
) -> dict[str, float]:
    """What ``measure_candidate`` measures, in this process; the threads of the condition are those of the latency."""
    threads = torch.get_num_threads()
    if condition.threads is not None:
        torch.set_num_threads(condition.threads)
    used = TimingSettings(
        device=condition.device,
        precision=condition.precision,
        batch_size=condition.batch_size,
        image_size=candidate.image_size,
    )
    memory = PeakMemory(resolve_device(condition.device))
    network = build(candidate, num_classes, in_channels)
    found = {"latency_ms": inference_ms(network, used, in_channels, memory)}
    if memory.peak is not None:
        found["memory_mb"] = memory.peak / 1e6
    torch.set_num_threads(threads)
    images = max(min(batch_size, STEP_IMAGES), 2)
    training = replace(used, precision=condition.training_precision, batch_size=images, repeats=REPEATS)
    found["image_ms"] = inference_ms(network, training, in_channels) / images
    found["step_ms"] = training_step_ms(network, training, in_channels) * batch_size / images
    return found


def load_average() -> float | None:
    """Of the machine over the last minute; None where it does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy_words(load: float | None) -> str | None:
    """That the machine was too busy to measure times, as a sentence without its stop; None where it was not."""
    if load is None or load <= BUSY * (os.cpu_count() or 1):
        return None
    return f"the machine was busy (load average {load:.1f}): the times are too long"
