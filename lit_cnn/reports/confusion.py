"""Which classes a network takes for which."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from lit_cnn.reports.canvas import GRAY, INK, new_figure, write_figure
from lit_cnn.reports.names import cells, distinct

_TEXT_UP_TO = 20
"""Number of classes up to which counts and names are written."""
_CELL = 0.44
"""Side of a cell in inches, where counts are written."""
_NAME_LENGTH = 16


def draw_confusion(
    matrix: ArrayLike, class_names: Sequence[str], out_png: Path, *, title: str = "", counted: str = "images"
) -> Path:
    """Draw a confusion matrix: color is the share of the true class, text the count.

    Args:
        matrix: int (K, K); entry (i, j) counts images of class i that were called j.
        class_names: K names.
        out_png: The picture; parent folders are made.
        title: Which images and weights were counted.
        counted: What the counts are of.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If the matrix is not K × K.
    """
    return write_figure(confusion_figure(matrix, class_names, title, counted), out_png)


def confusion_figure(matrix: ArrayLike, class_names: Sequence[str], title: str = "", counted: str = "images") -> Figure:
    """What ``draw_confusion`` writes."""
    counts = _checked(matrix, class_names)
    classes = len(class_names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    written = classes <= _TEXT_UP_TO
    longest = max(cells(name) for name in distinct(class_names, _NAME_LENGTH)) if written else 3
    side = max(3.2, _CELL * classes) if written else 6.5
    left, bottom = 0.45 + 0.075 * longest, 0.5 + 0.055 * longest
    width, height = left + side + 1.15, bottom + side + 0.6
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    correct, total = int(counts.trace()), int(counts.sum())
    share = f", {100 * correct / total:.1f} % correct" if total else ""
    heading = f"{title + ': ' if title else ''}{total:,} {counted}{share}"
    start = min(left, max(0.15, width - 0.09 * len(heading))) / width  # a long heading begins further left
    figure.text(start, 1 - 0.38 / height, heading, fontsize=11, fontweight="bold", color=INK, parse_math=False)
    figure.text((left + side / 2) / width, 0.15 / height, "predicted", color=INK, ha="center")
    figure.text(0.22 / width, (bottom + side / 2) / height, "true", color=INK, rotation=90, va="center", ha="center")
    for spine in axes.spines.values():
        spine.set_visible(False)
    if written:
        _write_counts(axes, counts, shares, class_names)
    else:
        axes.tick_params(colors=GRAY, labelcolor=INK, labelsize=8)
    bar = figure.colorbar(
        picture, cax=figure.add_axes(((left + side + 0.15) / width, bottom / height, 0.14 / width, side / height))
    )
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    bar.ax.tick_params(labelsize=8, length=0, labelcolor=INK)
    bar.outline.set_visible(False)
    bar.set_label("share of the true class", color=INK, fontsize=9)
    return figure


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray, class_names: Sequence[str]) -> None:
    names = distinct(class_names, _NAME_LENGTH)
    numbers = range(len(names))
    axes.set_xticks(numbers, names, rotation=45, ha="right", rotation_mode="anchor", fontsize=9)
    axes.set_yticks(numbers, names, fontsize=9)
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    size = 9 if counts.max() < 1000 else 7
    for i in numbers:
        for j in numbers:
            if counts[i, j]:
                color = "white" if shares[i, j] > 0.55 else INK
                axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=size, color=color)


def most_confused(matrix: ArrayLike, class_names: Sequence[str], count: int) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes.

    Returns:
        At most ``count`` rows (true class, predicted class, images, share of the true class), falling by images, then
        by share.

    Raises:
        ValueError: If the matrix is not K × K.
    """
    counts = _checked(matrix, class_names)
    totals = counts.sum(axis=1)
    mistakes = [
        (class_names[i], class_names[j], int(counts[i, j]), float(counts[i, j] / totals[i]))
        for i, j in np.argwhere(counts)
        if i != j
    ]
    return sorted(mistakes, key=lambda row: (-row[2], -row[3]))[:count]


def _checked(matrix: ArrayLike, class_names: Sequence[str]) -> np.ndarray:
    classes, counts = len(class_names), np.asarray(matrix)
    if counts.shape != (classes, classes):
        raise ValueError(
            f"the confusion matrix of {classes} classes has the shape {(classes, classes)}, got {counts.shape}"
        )
    return counts.astype(np.int64)
