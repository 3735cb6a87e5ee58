"""Inference time of every layer and stage, read around their forward passes."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from lit_cnn.profiling.counting import stage_of


@dataclass(frozen=True)
class LayerTime:
    """Milliseconds per batch of one layer ("features.stem.conv") or one stage ("features.stem", "head")."""

    name: str
    stage: str
    median_ms: float
    p95_ms: float


class LayerClock:
    """Adds up, pass by pass, the time in each module without children and in each stage.

    A module that a pass calls twice gets the sum. What a block computes between its modules (additions, padding) is in
    its stage's time and in no layer's.

    Args:
        network: The network whose passes are timed.
        synchronize: Waits until the device is idle; called before each reading of the clock.
    """

    def __init__(self, network: nn.Module, synchronize: Callable[[], None]) -> None:
        self._network = network
        self._synchronize = synchronize
        self._started: dict[str, float] = {}
        self._passes: list[dict[str, float]] = []
        modules = [(path, module) for path, module in network.named_modules() if path]
        self._leaves = [path for path, module in modules if not any(True for _ in module.children())]
        self._stages = [path for path, _ in modules if path != "features" and _is_stage(path)]

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Time every pass inside ``with``; call :meth:`new_pass` before each."""
        handles = []
        for path in {*self._leaves, *self._stages}:
            module = self._network.get_submodule(path)
            handles.append(module.register_forward_pre_hook(lambda *_, path=path: self._enter(path)))
            handles.append(module.register_forward_hook(lambda *_, path=path: self._leave(path)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def new_pass(self) -> None:
        self._passes.append({})

    def forget(self) -> None:
        """Drop the passes so far, as after a warm-up."""
        self._passes.clear()

    def layers(self) -> tuple[LayerTime, ...]:
        return self._rows(self._leaves)

    def stages(self) -> tuple[LayerTime, ...]:
        return self._rows(self._stages)

    def _enter(self, path: str) -> None:
        self._synchronize()
        self._started[path] = time.perf_counter()

    def _leave(self, path: str) -> None:
        self._synchronize()
        now = self._passes[-1]
        now[path] = now.get(path, 0.0) + time.perf_counter() - self._started[path]

    def _rows(self, paths: list[str]) -> tuple[LayerTime, ...]:
        rows = []
        for path in paths:
            times = [taken[path] * 1e3 for taken in self._passes if path in taken]
            if times:
                rows.append(LayerTime(path, stage_of(path), statistics.median(times), percentile(times, 0.95)))
        return tuple(rows)


def _is_stage(path: str) -> bool:
    parts = path.split(".")
    return len(parts) == (2 if parts[0] == "features" else 1)


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie, between neighbors by proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
