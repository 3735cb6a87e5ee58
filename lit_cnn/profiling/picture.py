"""The counts of networks as a picture."""

from collections.abc import Sequence
from pathlib import Path

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.entry import Entry
from lit_cnn.profiling.counting import NetworkCount
from lit_cnn.reports import front
from lit_cnn.reports.budget import Budget
from lit_cnn.reports.comparison import Point, draw_comparison


def draw_counts(counts: Sequence[NetworkCount], out_png: Path) -> Path:
    """Draw where parameters and multiply-adds sit, and the papers' accuracies over them; returns ``out_png``."""
    budgets = [Budget(count.name, count.image_size, count.shares("params"), count.shares("madds")) for count in counts]
    return draw_comparison(budgets, _points([find_entry(count.name) for count in counts]), out_png)


def draw_front(entries: Sequence[Entry], out_png: Path) -> Path:
    """Draw the papers' accuracies over parameters and multiply-adds; returns ``out_png``.

    Raises:
        ValueError: If no paper states an accuracy.
    """
    return front.draw_front(_points(entries), out_png)


def _points(entries: Sequence[Entry]) -> list[Point]:
    """Each network once, with the counts at which its paper measured."""
    images = {"imagenet": "ImageNet", "cifar": "CIFAR-10"}
    return [
        Point(entry.name, entry.paper.top1, entry.madds, entry.params, images[entry.task])
        for entry in {entry.name: entry for entry in entries}.values()
        if entry.paper.top1 is not None
    ]
