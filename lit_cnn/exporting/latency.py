"""Time of one image through exported files and through the network, interleaved so that a busy machine slows all."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from lit_cnn.data.image_size import in_words
from lit_cnn.data.preprocessing import evaluate_images
from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.real_images import RealImages
from lit_cnn.exporting.verifying import Run, graph_input

FEWEST, MOST, SECONDS = 5, 50, 3.0
"""Rounds of passes: at least, at most, and the time after which no further one begins."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one pass: medians.

    Attributes:
        network_ms: Of the network in eager mode.
        file_ms: Of each file.
        condition: What was timed, in words.
    """

    network_ms: float
    file_ms: tuple[float, ...]
    condition: str


@torch.inference_mode()
def latency(trained: Trained, runs: Sequence[Run], form: GraphForm, images: RealImages) -> Latency:
    """Time the first image: from its decoded pixels to logits, or without preprocessing from the normalized crop."""
    known = trained.preprocessing
    pixels, _ = next(iter(images.decoded(known.in_channels)))
    one = pixels[:1]
    inputs = graph_input(trained, form, one, evaluate_images(one, known)).expand(form.batch or 1, -1, -1, -1)
    several = one.expand(form.batch or 1, -1, -1, -1)

    def network() -> None:
        trained.logits(evaluate_images(several, known) if form.with_preprocessing else inputs)

    times = interleaved([network, *(lambda run=run: run(inputs) for run in runs)])
    size = in_words((one.shape[-2], one.shape[-1]) if form.with_preprocessing else known.image_size)
    what = "from uint8 pixels to logits" if form.with_preprocessing else "from the normalized crop to logits"
    batch = "one image" if len(inputs) == 1 else f"{len(inputs)} images"
    number = torch.get_num_threads()
    threads = f"{number} thread{'s' if number > 1 else ''}"
    condition = (
        f"latency of {batch} of {size} pixels, {what}, float32 network in eager mode on the CPU, "
        f"{threads}, medians of {len(times[0])} interleaved passes"
    )
    network_ms, *file_ms = (1e3 * statistics.median(each) for each in times)
    return Latency(network_ms, tuple(file_ms), condition)


def interleaved(steps: Sequence[Callable[[], object]]) -> list[list[float]]:
    """Seconds of each step in each round, after one that is not counted."""
    for step in steps:
        step()
    times: list[list[float]] = [[] for _ in steps]
    begun = time.perf_counter()
    while len(times[0]) < FEWEST or (len(times[0]) < MOST and time.perf_counter() - begun < SECONDS):
        for step, taken in zip(steps, times, strict=True):
            started = time.perf_counter()
            step()
            taken.append(time.perf_counter() - started)
    return times
