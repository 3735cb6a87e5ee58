"""Reliability diagrams: how often a network is right, by how sure it is (Niculescu-Mizil and Caruana, 2005)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from lit_cnn.reports.canvas import BLUE, GRAY, INK, ROSE, new_figure, plain_axes, write_figure

LIGHT_BLUE = "#a9c6e8"


@dataclass(frozen=True)
class ReliabilityPanel:
    """One diagram of B bins of equal width over (0, 1].

    Attributes:
        title: Its heading.
        counts: (B,) images.
        confidence: (B,) mean confidence of a bin.
        accuracy: (B,) share of right predictions of a bin.
    """

    title: str
    counts: Sequence[int]
    confidence: Sequence[float]
    accuracy: Sequence[float]


def draw_reliability(panels: Sequence[ReliabilityPanel], out_png: Path) -> Path:
    """Draw panels side by side, below each the share of images in every bin.

    Args:
        panels: One or more.
        out_png: The picture; parent folders are made.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no panel, or one of its lists has another length.
    """
    return write_figure(reliability_figure(panels), out_png)


def reliability_figure(panels: Sequence[ReliabilityPanel]) -> Figure:
    """What ``draw_reliability`` writes."""
    if not panels or any(len({len(p.counts), len(p.confidence), len(p.accuracy)}) != 1 for p in panels):
        raise ValueError("a reliability diagram needs a count, a confidence and an accuracy for each bin")
    left, right, bottom, columns = (0.095, 0.965, 0.19, 2) if len(panels) > 1 else (0.16, 0.94, 0.27, 1)
    figure = new_figure(4.4 * len(panels) + 0.3, 5.9)
    grid = figure.add_gridspec(2, len(panels), height_ratios=[3.6, 1], hspace=0.12, wspace=0.25)
    grid.update(left=left, right=right, top=0.93, bottom=bottom)
    tallest = max(max(panel.counts) / max(sum(panel.counts), 1) for panel in panels)
    for column, panel in enumerate(panels):
        upper, lower = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        _draw_bars(upper, panel)
        _draw_shares(lower, panel, tallest)
        if column == 0:
            upper.set_ylabel("accuracy", color=INK)
            lower.set_ylabel("images", color=INK)
    keys = [
        Patch(color=BLUE, label="accuracy, up to the confidence"),
        Patch(color=ROSE, label="too sure: confidence above accuracy"),
        Patch(color=LIGHT_BLUE, label="not sure enough: accuracy above confidence"),
        Line2D([], [], color=GRAY, linestyle="--", label="perfect calibration"),
    ]
    figure.legend(handles=keys, loc="lower center", ncols=columns, frameon=False, fontsize=9, labelcolor=INK)
    return figure


class BarParts(NamedTuple):
    """The bars of the bins that hold an image, each a part that is reached with one of two gaps above it.

    Attributes:
        centers: Middle of the bin, on the axis of confidence.
        reached: The lower of accuracy and confidence.
        too_sure: How much higher the confidence is; 0 where it is not.
        too_modest: How much higher the accuracy is; 0 where it is not.
    """

    centers: np.ndarray
    reached: np.ndarray
    too_sure: np.ndarray
    too_modest: np.ndarray


def bar_parts(panel: ReliabilityPanel) -> BarParts:
    """What a panel's bars are made of."""
    bins = len(panel.counts)
    present = np.array(panel.counts) > 0
    accuracy, confidence = np.array(panel.accuracy)[present], np.array(panel.confidence)[present]
    reached = np.minimum(accuracy, confidence)
    return BarParts((np.arange(bins)[present] + 0.5) / bins, reached, confidence - reached, accuracy - reached)


def _draw_bars(axes: Axes, panel: ReliabilityPanel) -> None:
    parts, width = bar_parts(panel), 0.92 / len(panel.counts)
    plain_axes(axes)
    axes.bar(parts.centers, parts.reached, width, color=BLUE)
    axes.bar(parts.centers, parts.too_sure, width, bottom=parts.reached, color=ROSE)
    axes.bar(parts.centers, parts.too_modest, width, bottom=parts.reached, color=LIGHT_BLUE)
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_title(panel.title, fontsize=11, fontweight="bold", color=INK, loc="left")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.tick_params(labelbottom=False)


def _draw_shares(axes: Axes, panel: ReliabilityPanel, tallest: float) -> None:
    bins, total = len(panel.counts), max(sum(panel.counts), 1)
    plain_axes(axes)
    axes.bar((np.arange(bins) + 0.5) / bins, np.array(panel.counts) / total, 0.92 / bins, color=GRAY)
    axes.set(xlim=(0, 1), ylim=(0, 1.08 * tallest))
    axes.set_xlabel(f"confidence ({total:,} images)", color=INK)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
