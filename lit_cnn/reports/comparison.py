"""Networks side by side: their budgets, and the papers' accuracy against multiply-adds and parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from lit_cnn.reports.budget import Budget, bar_inches, draw_budgets
from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes, write_figure
from lit_cnn.reports.names import shortened

_WIDTH = 11.0
_SCATTER = 4.4
"""Height of the scatter in inches."""
COLORS = (BLUE, RED, GRAY)
"""Of the data sets on which accuracies were measured, in the order in which they come."""
_LARGEST = 1500.0
"""Area in square points of the largest bubble."""


@dataclass(frozen=True)
class Point:
    """A network in the scatter.

    Args:
        name: Network.
        top1: The paper's top-1 accuracy in percent.
        madds: Multiply-adds of one image.
        params: Parameters.
        images: What the accuracy was measured on, "ImageNet" or another; each has its color.
    """

    name: str
    top1: float
    madds: int
    params: int
    images: str = "ImageNet"


def draw_comparison(budgets: Sequence[Budget], points: Sequence[Point], out_png: Path) -> Path:
    """Draw the budgets, and below them the scatter if there are two points or more.

    Returns:
        ``out_png``; parent folders are made.

    Raises:
        ValueError: If there is no budget.
    """
    bars = bar_inches(len(budgets))
    below = _SCATTER + 1.0 if len(points) > 1 else 0.0
    height = 0.85 + bars + 0.45 + below
    figure = new_figure(_WIDTH, height)
    left, width = 2.75, _WIDTH - 2.75 - 0.85
    axes = figure.add_axes((left / _WIDTH, (height - 0.85 - bars) / height, width / _WIDTH, bars / height))
    draw_budgets(axes, budgets)
    title = "Where parameters and multiply-adds sit, from the first stage to the head"
    figure.text(0.3 / _WIDTH, 1 - 0.32 / height, title, fontsize=12, fontweight="bold", color=INK)
    if len(points) > 1:
        figure.text(0.3 / _WIDTH, (below - 0.1) / height, "Accuracy in the papers and its price", fontsize=12,
                    fontweight="bold", color=INK)  # fmt: skip
        absent = [budget.name for budget in budgets if budget.name not in {point.name for point in points}]
        if absent:
            note = shortened("no top-1 in the paper: " + ", ".join(absent), 90)
            figure.text(1 - 0.35 / _WIDTH, (below - 0.1) / height, note, fontsize=9, color=GRAY, ha="right")
        side = 0.85
        axes = figure.add_axes((side / _WIDTH, 0.6 / height, (_WIDTH - 1.2) / _WIDTH, (_SCATTER - 0.05) / height))
        draw_scatter(figure, axes, points)
    return write_figure(figure, out_png)


def draw_scatter(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Top-1 over multiply-adds (logarithmic), bubble area in proportion to parameters, names next to the bubbles."""
    plain_axes(axes)
    most = max(point.params for point in points)
    kinds = list(dict.fromkeys(point.images for point in points))
    areas = [max(12.0, _LARGEST * point.params / most) for point in points]
    for images, color in zip(kinds, COLORS, strict=False):
        chosen = [(point, area) for point, area in zip(points, areas, strict=True) if point.images == images]
        axes.scatter([point.madds for point, _ in chosen], [point.top1 for point, _ in chosen],
                     [area for _, area in chosen], color=color, alpha=0.45, edgecolors=color, linewidths=1.0,
                     label=images)  # fmt: skip
    axes.set_xscale("log")
    lowest, highest = min(point.madds for point in points), max(point.madds for point in points)
    axes.set_xlim(lowest / 1.9, highest * 1.9)
    bottom, top = min(point.top1 for point in points), max(point.top1 for point in points)
    margin = max(1.0, 0.16 * (top - bottom))
    axes.set_ylim(bottom - margin, top + margin)
    axes.xaxis.set_major_formatter(FuncFormatter(_operations))
    axes.xaxis.set_minor_formatter(FuncFormatter(_operations))
    axes.tick_params(which="minor", labelsize=8)
    axes.set_xlabel(f"multiply-adds per image (bubble area: parameters, the largest {most / 1e6:.3g} M)", color=INK)
    axes.set_ylabel("top-1 in the paper (%), by its own protocol", color=INK)
    if len(kinds) > 1:
        marks = [Line2D([], [], marker="o", linewidth=0, alpha=0.6, color=color) for color in COLORS[: len(kinds)]]
        axes.legend(marks, kinds, loc="lower right", frameon=False, fontsize=9)
    place_names(figure, axes, points, areas)


def _operations(value: float, _: int | None = None) -> str:
    leading = round(value / 10 ** math.floor(math.log10(value)))
    if leading not in (1, 2, 5):
        return ""
    return f"{value / 1e9:g} G" if value >= 1e9 else f"{value / 1e6:g} M"


def place_names(figure: Figure, axes: Axes, points: Sequence[Point], areas: Sequence[float]) -> list[Bbox]:
    """Write each name where it covers no bubble, no other name and no edge, as near its bubble as can be.

    A name that had to move away gets a thin line to its bubble.

    Returns:
        The boxes of the names in pixels, in the order of ``points``.
    """
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    per_point = figure.dpi / 72
    pixels = axes.transData.transform(np.array([(point.madds, point.top1) for point in points], dtype=float))
    centers = [(float(x), float(y)) for x, y in pixels]
    radii = [math.sqrt(area / math.pi) * per_point for area in areas]
    bubbles = [Bbox.from_extents(x - r, y - r, x + r, y + r) for (x, y), r in zip(centers, radii, strict=True)]
    frame = axes.get_window_extent(renderer)
    taken: list[Bbox] = []
    boxes: dict[int, Bbox] = {}
    for index in sorted(range(len(points)), key=lambda i: areas[i]):
        text = axes.text(0, 0, points[index].name, fontsize=9, color=INK, ha="center", va="center", transform=None)
        size = text.get_window_extent(renderer)
        x, y, moved = _best_place(centers[index], radii[index], size, frame, [*bubbles, *taken])
        text.set_transform(axes.transData)
        ends = axes.transData.inverted().transform(np.array([centers[index], (x, y)]))
        text.set_position((float(ends[1, 0]), float(ends[1, 1])))
        boxes[index] = _box(x, y, size)
        taken.append(boxes[index])
        if moved:
            axes.plot(ends[:, 0], ends[:, 1], color=GRAY, linewidth=0.7, zorder=0.9)
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    return [boxes[index] for index in range(len(points))]


def _best_place(
    center: tuple[float, float], radius: float, size: Bbox, frame: Bbox, others: list[Bbox]
) -> tuple[float, float, bool]:
    """Middle of the name's box with the least overlap, the nearest first; whether it is away from the bubble."""
    best, least = (center[0], center[1], True), math.inf
    for ring in (4, 14, 28, 44, 64, 90, 120):
        for step in range(16):
            angle = 2 * math.pi * step / 16
            x = center[0] + math.cos(angle) * (radius + ring + size.width / 2)
            y = center[1] + math.sin(angle) * (radius + ring + size.height / 2)
            box = _box(x, y, size)
            covered = sum(_shared(box, other) for other in others) + size.width * size.height - _shared(box, frame)
            if covered < 1.0:
                return x, y, ring > 14
            if covered < least:
                best, least = (x, y, ring > 14), covered
    return best


def _box(x: float, y: float, size: Bbox) -> Bbox:
    return Bbox.from_extents(x - size.width / 2, y - size.height / 2, x + size.width / 2, y + size.height / 2)


def _shared(a: Bbox, b: Bbox) -> float:
    """Area that two boxes share."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return width * height if width > 0 and height > 0 else 0.0
