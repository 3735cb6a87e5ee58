"""A training step in its four parts: waiting for data, forward, backward, optimizer."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lit_cnn.data.batch import Batch
from lit_cnn.profiling.timing import synchronize
from lit_cnn.training.precision import autocast
from lit_cnn.training.step import TrainingStep

Phase = tuple[float, float, float, float]
"""Seconds of data, forward (with the loss), backward, optimizer."""
PHASES = ("data", "forward", "backward", "optimizer")


@dataclass(frozen=True)
class TimedStep:
    """A training step and the batches it trains on.

    Args:
        step: The step.
        next_batch: Waits for the next batch, as the network sees it, on the device.
    """

    step: TrainingStep
    next_batch: Callable[[], Batch]

    def run(self, clock: Callable[[], float] = time.perf_counter) -> Phase:
        """Do one step; on a GPU the device is waited for after each part."""
        network = self.step.network
        device = next(network.parameters()).device
        network.train()
        times = [clock()]

        def note() -> None:
            times.append(_now(device, clock))

        batch = self.next_batch()
        note()
        self.step.run(batch, after_part=note)
        data, forward, backward, optimizer = (after - before for before, after in itertools.pairwise(times))
        return data, forward, backward, optimizer

    def infer(self, images: Tensor, clock: Callable[[], float] = time.perf_counter) -> float:
        """Seconds of one evaluation pass over ``images`` (N, C, H, W)."""
        device = images.device
        self.step.network.eval()
        started = _now(device, clock)
        with torch.inference_mode(), autocast(device, self.step.bf16):
            self.step.network(images)
        return _now(device, clock) - started


def _now(device: torch.device, clock: Callable[[], float]) -> float:
    synchronize(device)
    return clock()
