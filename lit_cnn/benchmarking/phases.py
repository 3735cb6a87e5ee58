"""A training step in its four parts: waiting for data, forward, backward, optimizer."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.profiling.timing import autocast, synchronize

Phase = tuple[float, float, float, float]
"""Seconds of data, forward (with the loss), backward, optimizer."""
PHASES = ("data", "forward", "backward", "optimizer")


@dataclass(frozen=True)
class StepParts:
    """What a training step is made of.

    Args:
        network: The network, on its device.
        next_batch: Returns images (N, C, H, W) as the network sees them and targets, on the device.
        loss: Loss of the network's output and the targets, 0-dim.
        optimizer: Its ``zero_grad`` is called before the forward pass.
        update: Clips where that belongs to the step, and updates the weights.
        bf16: Run forward and loss under bfloat16 autocast.
    """

    network: nn.Module
    next_batch: Callable[[], tuple[Tensor, Tensor]]
    loss: Callable[[Any, Tensor], Tensor]
    optimizer: torch.optim.Optimizer
    update: Callable[[], object]
    bf16: bool = False

    def run(self, clock: Callable[[], float] = time.perf_counter) -> Phase:
        """Do one step; on a GPU the device is waited for after each part."""
        device = next(self.network.parameters()).device
        self.network.train()
        times = [clock()]
        images, targets = self.next_batch()
        times.append(_now(device, clock))
        self.optimizer.zero_grad()
        with autocast(device, self.bf16):
            loss = self.loss(self.network(images), targets)
        times.append(_now(device, clock))
        loss.backward()
        times.append(_now(device, clock))
        self.update()
        times.append(_now(device, clock))
        data, forward, backward, optimizer = (after - before for before, after in itertools.pairwise(times))
        return data, forward, backward, optimizer

    def infer(self, images: Tensor, clock: Callable[[], float] = time.perf_counter) -> float:
        """Seconds of one evaluation pass over ``images`` (N, C, H, W)."""
        device = images.device
        self.network.eval()
        started = _now(device, clock)
        with torch.inference_mode(), autocast(device, self.bf16):
            self.network(images)
        return _now(device, clock) - started


def _now(device: torch.device, clock: Callable[[], float]) -> float:
    synchronize(device)
    return clock()
