"""The counts of networks as a picture."""

from collections.abc import Sequence
from pathlib import Path

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.profiling.counting import NetworkCount
from lit_cnn.reports.budget import Budget
from lit_cnn.reports.comparison import Point, draw_comparison


def draw_counts(counts: Sequence[NetworkCount], out_png: Path) -> Path:
    """Draw where parameters and multiply-adds sit, and the papers' accuracies over them; returns ``out_png``."""
    budgets, points = [], []
    for count in counts:
        budgets.append(Budget(count.name, count.image_size, count.shares("params"), count.shares("madds")))
        entry = find_entry(count.name)
        if entry.paper.top1 is not None:
            images = "ImageNet" if entry.num_classes == 1000 else f"{entry.num_classes} classes (CIFAR)"
            points.append(Point(count.name, entry.paper.top1, entry.madds, entry.params, images))
    return draw_comparison(budgets, points, out_png)
