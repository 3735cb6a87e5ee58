"""Measured speed and memory of a network on one device, with synthetic images.

Every figure is the median (or the 95th percentile) of repeats after a warm-up that is not counted. Layers are timed in
passes of their own, because reading the clock around each layer slows the whole.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers.batch_norm import explaining_single_values
from lit_cnn.data.batch import as_batch
from lit_cnn.data.image_size import Sides, sides_of
from lit_cnn.profiling.layer_clock import LayerClock, LayerTime, percentile
from lit_cnn.profiling.memory import PeakMemory
from lit_cnn.training.precision import autocast
from lit_cnn.training.step import plain_step

Precision = Literal["32-true", "bf16-mixed"]
PRECISIONS: tuple[Precision, ...] = ("32-true", "bf16-mixed")


def is_bf16(precision: object) -> bool:
    """Whether a recipe's ``trainer.precision``, whose null is float32, is bf16-mixed.

    Raises:
        ValueError: If it is none of the precisions that are timed.
    """
    found = {None: "32-true", "32": "32-true", 32: "32-true", "bf16": "bf16-mixed"}.get(precision, precision)  # type: ignore[call-overload]
    if found not in PRECISIONS:
        raise ValueError(
            f"trainer.precision {' and '.join(PRECISIONS)} can be timed, but the recipe has {precision!r}: "
            "override it with one of them"
        )
    return found == "bf16-mixed"


FEWEST, MOST = 3, 30
"""Repeats when their number is left open."""
_SECONDS = 3.0
"""Time after which an open number of repeats stops, once there are ``FEWEST``."""


@dataclass(frozen=True)
class TimingSettings:
    """What is measured, and how often.

    Args:
        device: "cpu", "cuda" or "cuda:1".
        precision: "32-true", or "bf16-mixed" for autocast.
        batch_size: Images per batch.
        image_size: Height and width in px.
        channels_last: Memory layout of images and weights.
        repeats: Timed passes per figure; None for as many as fit in 3 s, from 3 to 30.
        warmup: Passes before them that are not counted; None for 1 on the CPU and 5 on a GPU; two at least where memory
            is measured, in these passes.
    """

    device: str = "cpu"
    precision: Precision = "32-true"
    batch_size: int = 1
    image_size: int = 224
    channels_last: bool = True
    repeats: int | None = None
    warmup: int | None = None

    def __post_init__(self) -> None:
        for key, least in (("batch_size", 1), ("image_size", 1), ("repeats", 1), ("warmup", 0)):
            value = getattr(self, key)
            if value is not None and value < least:
                raise ValueError(f"{key} must be at least {least}, got {value}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")


@dataclass(frozen=True)
class Speed:
    """Milliseconds per batch over ``repeats`` passes, and images per second at the median."""

    median_ms: float
    p95_ms: float
    images_per_second: float
    repeats: int


@dataclass(frozen=True)
class Timing:
    """All that was measured of one network.

    Args:
        busy: The machine's load average over the minute before, None where the system has none. Above about half of the
            cores, other programs compete and times are too long.
        memory_how: How the peaks were measured; a peak is None where the platform does not report it.
        layers: Empty unless asked for.
        layer_repeats: Passes behind the figures of layers and stages; 0 if they were not measured.
    """

    settings: TimingSettings
    device_name: str
    threads: int
    busy: float | None
    inference: Speed
    training: Speed
    inference_peak_bytes: int | None
    training_peak_bytes: int | None
    memory_how: str
    layers: tuple[LayerTime, ...] = ()
    stages: tuple[LayerTime, ...] = ()
    layer_repeats: int = 0


def resolve_device(name: str) -> torch.device:
    """The device ``name``; "auto" is the GPU where there is one.

    Raises:
        ValueError: If this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"there is no device {name!r}; use cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r} is not supported here; use cpu, cuda or cuda:N")
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= there:
        raise ValueError(f"device {name!r} is not available: this machine has {there} CUDA devices; use --device cpu")
    return device


def measure(
    build: Callable[[], nn.Module],
    settings: TimingSettings,
    *,
    layers: bool = False,
    on_phase: Callable[[str], None] = lambda _: None,
) -> Timing:
    """Measure a network; memory is counted from before ``build`` is called, so that it includes the weights.

    Args:
        layers: Time every layer and stage too.
        on_phase: Told the name of each phase as it begins.

    Raises:
        ValueError: If the device is missing, the image too small, or batch norm has one value per channel to train on.
    """
    device = resolve_device(settings.device)
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    on_phase("inference")
    memory, warm = PeakMemory(device), replace(settings, warmup=0)
    network, images = place(build(), settings, in_channels=3)
    infer, train = _inference_step(network, images, settings), _training_step(network, images, settings)
    inference_peak = _warm_up(infer, memory, settings, device)
    inference = _speed(_repeat(infer, warm, device), settings)
    on_phase("training")
    training_peak = _warm_up(train, memory, settings, device)
    training = _speed(_repeat(train, warm, device), settings)
    whole = (settings, device_name(device), torch.get_num_threads(), busy, inference, training)
    timing = Timing(*whole, inference_peak, training_peak, memory.how)
    if not layers:
        return timing
    on_phase("layers")
    by_layer, by_stage, repeats = _time_layers(network, infer, settings, device)
    return replace(timing, layers=by_layer, stages=by_stage, layer_repeats=repeats)


def inference_speeds(
    networks: Sequence[nn.Module], settings: TimingSettings, sides: Sides | None = None
) -> list[float]:
    """Images per second of each network, interleaved so that a busy machine slows all; medians of the passes.

    Args:
        networks: On the device.
        settings: How.
        sides: Height and width of the images in px; None for the settings' square.
    """
    device = torch.device(settings.device)
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    height, width = sides or sides_of(settings.image_size)
    steps = []
    for network in networks:
        channels = next(weight for weight in network.parameters() if weight.ndim == 4).shape[1]
        images = torch.randn(settings.batch_size, channels, height, width).to(device=device, memory_format=layout)
        steps.append(_inference_step(network.to(memory_format=layout), images, settings))
    once = replace(settings, repeats=1, warmup=0)
    for step in steps:
        _repeat(step, once, device)
    passes = [[_repeat(step, once, device)[0] for step in steps] for _ in range(settings.repeats or FEWEST)]
    return [settings.batch_size / statistics.median(times) for times in zip(*passes, strict=True)]


def inference_ms(
    network: nn.Module, settings: TimingSettings, in_channels: int = 3, memory: PeakMemory | None = None
) -> float:
    """Median milliseconds of one batch through the network in evaluation.

    Args:
        network: Placed on the device.
        settings: How.
        in_channels: Channels of the images.
        memory: Has the peak of the passes that warm up afterwards.

    Raises:
        ValueError: If the device is missing or the image too small.
    """
    network, images = place(network, settings, in_channels)
    step = _inference_step(network, images, settings)
    if memory is not None:
        _warm_up(step, memory, settings, images.device)
        settings = replace(settings, warmup=0)
    times = _repeat(step, settings, images.device)
    return 1e3 * statistics.median(times)


def training_step_ms(network: nn.Module, settings: TimingSettings, in_channels: int = 3) -> float:
    """Median milliseconds of one training step: forward pass, cross-entropy, backward pass, SGD's update.

    Raises:
        ValueError: If the device is missing, the image too small, or batch norm has one value per channel to train on.
    """
    network, images = place(network, settings, in_channels)
    times = _repeat(_training_step(network, images, settings), settings, images.device)
    return 1e3 * statistics.median(times)


def place(network: nn.Module, settings: TimingSettings, in_channels: int) -> tuple[nn.Module, Tensor]:
    """The network and images for it, on the device and in the layout of the settings."""
    device = resolve_device(settings.device)
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    images = torch.randn(settings.batch_size, in_channels, settings.image_size, settings.image_size)
    return network.to(device).to(memory_format=layout), images.to(device=device, memory_format=layout)


def device_name(device: torch.device) -> str:
    """Human-readable device name: the GPU's, or "CPU" with the processor's where the system reports it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return "CPU"


def _inference_step(network: nn.Module, images: Tensor, settings: TimingSettings) -> Callable[[], None]:
    def step() -> None:
        network.eval()
        with torch.inference_mode(), autocast(images.device, settings.precision == "bf16-mixed"):
            network(images)

    return step


def _training_step(network: nn.Module, images: Tensor, settings: TimingSettings) -> Callable[[], None]:
    """A plain step on the same batch every time."""
    step = plain_step(network, settings.precision == "bf16-mixed")
    batch = as_batch((images, torch.zeros(len(images), dtype=torch.int64, device=images.device)), place=0)

    left = f"batch_size {settings.batch_size} leaves at {settings.image_size} px; use --batch-size 2 or more"

    def run() -> None:
        network.train()
        with explaining_single_values(left):
            step.run(batch)

    return run


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _repeat(step: Callable[[], None], settings: TimingSettings, device: torch.device) -> list[float]:
    """Seconds of each timed pass."""
    for _ in range(warmup_passes(settings, device)):
        step()
    times: list[float] = []
    while not enough(times, settings.repeats):
        synchronize(device)
        started = time.perf_counter()
        step()
        synchronize(device)
        times.append(time.perf_counter() - started)
    return times


def _warm_up(
    step: Callable[[], None], memory: PeakMemory, settings: TimingSettings, device: torch.device
) -> int | None:
    """Peak memory of the passes that warm up: on the CPU a thread reads it, which would slow the timed ones.

    There are two at least, since an optimizer makes its state at the end of the first step.
    """
    with memory:
        for _ in range(max(2, warmup_passes(settings, device))):
            step()
    return memory.peak


def warmup_passes(settings: TimingSettings, device: torch.device) -> int:
    """Passes that are not counted."""
    if settings.warmup is not None:
        return settings.warmup
    return 1 if device.type == "cpu" else 5


def enough(times: list[float], repeats: int | None) -> bool:
    """Whether passes that took so many seconds are as many as ``TimingSettings.repeats`` asks for."""
    if repeats is not None:
        return len(times) >= repeats
    return len(times) >= FEWEST and (sum(times) >= _SECONDS or len(times) >= MOST)


def _speed(times: list[float], settings: TimingSettings) -> Speed:
    median = statistics.median(times)
    return Speed(median * 1e3, percentile(times, 0.95) * 1e3, settings.batch_size / median, len(times))


def _time_layers(
    network: nn.Module, step: Callable[[], None], settings: TimingSettings, device: torch.device
) -> tuple[tuple[LayerTime, ...], tuple[LayerTime, ...], int]:
    clock = LayerClock(network, lambda: synchronize(device))

    def timed() -> None:
        clock.new_pass()
        step()

    with clock.attached():
        timed()
        clock.forget()
        repeats = len(_repeat(timed, replace(settings, warmup=0), device))
    return clock.layers(), clock.stages(), repeats
