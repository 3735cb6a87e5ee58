"""What a candidate of a search costs, found without training it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from lit_cnn.architectures import create_model
from lit_cnn.architectures.entry import Value
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.data.image_size import ImageSize, sides_of
from lit_cnn.profiling.counting import count_madds
from lit_cnn.profiling.latency_table import LatencyTable
from lit_cnn.profiling.timing import TimingSettings, inference_ms, training_step_ms
from lit_cnn.search.objectives import COSTS

MEASURED_LATENCY = "measured_latency_ms"
"""Inference of the whole network, measured here and now: to be noted with a trial, never to decide one."""


def costs_of(
    architecture: str,
    options: Mapping[str, Value],
    image_size: ImageSize,
    num_classes: int,
    in_channels: int,
    wanted: Collection[str],
    latency_table: LatencyTable | None = None,
    timing: TimingSettings | None = None,
) -> dict[str, float]:
    """The costs of a network.

    Parameters and multiply-adds are counted on the meta device, and the latency is the table's prediction, so these are
    the same for every worker of a search. A training step, and the latency of the whole network under
    ``measured_latency_ms``, are measured on this machine with the threads of this process.

    Args:
        architecture: Its name in the catalog.
        options: Its options.
        image_size: Of its images.
        num_classes: Its outputs.
        in_channels: Channels of its images.
        wanted: Any of params, madds, latency_ms, step_ms and measured_latency_ms.
        latency_table: Predicts latency_ms.
        timing: Condition of what is measured: device, precision, batch size, layout, repeats.

    Raises:
        ValueError: If a cost is unknown, or needs a table or a condition that is not given; if the table lacks an
            operation of the network, or its images are too small.
    """
    for cost in wanted:
        if cost not in (*COSTS, MEASURED_LATENCY):
            raise ValueError(f"a cost must be one of {', '.join((*COSTS, MEASURED_LATENCY))}, got {cost!r}")
    build = partial(_build, architecture, options, num_classes, in_channels)
    with on_meta():
        network = build()
    costs: dict[str, float] = {}
    if "params" in wanted:
        costs["params"] = sum(parameter.numel() for parameter in network.parameters())
    if "madds" in wanted:
        costs["madds"] = count_madds(network, image_size, in_channels=in_channels)
    if "latency_ms" in wanted:
        if latency_table is None:
            raise ValueError("latency_ms needs a latency table: `lit-cnn profile --latency-table FILE` makes one")
        costs["latency_ms"] = latency_table.predict(network, image_size, in_channels)
    for cost, measure in (("step_ms", training_step_ms), (MEASURED_LATENCY, inference_ms)):
        if cost in wanted:
            costs[cost] = measure(build(), _condition(cost, timing, image_size), in_channels)
    return costs


def _build(architecture: str, options: Mapping[str, Value], num_classes: int, in_channels: int) -> Network:
    named: dict[str, Any] = dict(options)
    return create_model(architecture, num_classes=num_classes, in_channels=in_channels, **named)


def _condition(cost: str, timing: TimingSettings | None, image_size: ImageSize) -> TimingSettings:
    """Under which a cost is measured."""
    if timing is None:
        raise ValueError(f"{cost} is measured, which needs a condition: device, precision and batch size")
    height, width = sides_of(image_size)
    if height != width:
        raise ValueError(f"{cost} is measured with square images, but the images have {height} x {width} pixels")
    return replace(timing, image_size=height)
