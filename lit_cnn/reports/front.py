"""Networks by accuracy and cost, with the front of those that none of the others beats in both."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from lit_cnn.reports import pareto
from lit_cnn.reports.canvas import BLUE, GRAY, INK, ROSE, new_figure, plain_axes, write_figure
from lit_cnn.reports.comparison import Point

_PANEL = 6.2
_TALL = 5.4
"""Width and height of a panel in inches."""
_LINE = 12.0
"""Least distance between two names in points."""


def pareto_front(points: Sequence[Point], cost: str) -> list[Point]:
    """The points that no other one beats in accuracy at the same cost or less, the cheapest first.

    Args:
        points: Networks whose accuracies can be compared.
        cost: "params" or "madds".
    """
    ordered = sorted(points, key=lambda point: (getattr(point, cost), -point.top1))
    return [ordered[number] for number in pareto.pareto_front([(getattr(p, cost), -p.top1) for p in ordered])]


def draw_front(points: Sequence[Point], out_png: Path) -> Path:
    """Draw top-1 over parameters and over multiply-adds, each data set in a row of its own, with the front's names.

    Args:
        points: Networks; only those of the same ``images`` are compared.
        out_png: The picture; parent folders are made.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no point.
    """
    if not points:
        raise ValueError("none of these networks has an accuracy in its paper, so there is nothing to draw")
    kinds = list(dict.fromkeys(point.images for point in points))
    width, height = 2 * _PANEL, len(kinds) * _TALL + 0.5
    figure = new_figure(width, height)
    title = "Top-1 in the papers and its price; named are those that no other one beats in both"
    figure.text(0.3 / width, 1 - 0.32 / height, title, fontsize=12, fontweight="bold", color=INK)
    for row, images in enumerate(kinds):
        chosen = [point for point in points if point.images == images]
        for column, cost in enumerate(("params", "madds")):
            left, bottom = column * _PANEL + 0.75, height - 0.5 - (row + 1) * _TALL + 0.65
            place = left / width, bottom / height, (_PANEL - 0.95) / width, (_TALL - 0.9) / height
            _draw_panel(figure, figure.add_axes(place), chosen, cost, images)
    return write_figure(figure, out_png)


def _draw_panel(figure: Figure, axes: Axes, points: Sequence[Point], cost: str, images: str) -> None:
    plain_axes(axes)
    front = pareto_front(points, cost)
    beaten = [point for point in points if point not in front]
    axes.scatter([getattr(point, cost) for point in beaten], [point.top1 for point in beaten], 22, color=ROSE)
    costs = [getattr(point, cost) for point in front]
    axes.step(costs, [point.top1 for point in front], where="post", color=BLUE, linewidth=1.2)
    axes.scatter(costs, [point.top1 for point in front], 34, color=BLUE, zorder=3)
    axes.set_xscale("log")
    every, accuracies = [getattr(point, cost) for point in points], [point.top1 for point in points]
    axes.set_xlim(min(every) / (max(every) / min(every)) ** 0.35 / 1.5, max(every) * 1.5)
    low, spread = min(accuracies), max(max(accuracies) - min(accuracies), 1.0)
    room, heights = 1.1, [float("inf")]
    while heights[-1] > axes.get_window_extent().y1 - _LINE and room < 4:  # until the names above fit
        axes.set_ylim(low - 0.05 * spread, low + room * spread)
        room, heights = room + 0.1, _name_heights(figure, axes, front, cost)
    axes.set_yticks([tick for tick in axes.get_yticks() if low - 0.05 * spread <= tick <= 100])
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1,) if max(every) > 300 * min(every) else (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(_millions))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("parameters" if cost == "params" else "multiply-adds of one image", color=INK)
    axes.set_ylabel(f"top-1 on {images} (%)", color=INK)
    _write_names(figure, axes, front, cost, heights)


def _name_heights(figure: Figure, axes: Axes, front: Sequence[Point], cost: str) -> list[float]:
    """In pixels, from the lowest up: above the point, and lifted where the name below is too near."""
    pixel, heights = figure.dpi / 72, [float("-inf")]
    for point in front:
        y = float(axes.transData.transform((getattr(point, cost), point.top1))[1])
        heights.append(max(y + 8 * pixel, heights[-1] + _LINE * pixel))
    return heights[1:]


def _write_names(figure: Figure, axes: Axes, front: Sequence[Point], cost: str, heights: Sequence[float]) -> None:
    """Left above the front, where no point lies."""
    for point, height in zip(front, heights, strict=True):
        place = getattr(point, cost), point.top1
        above = (height - float(axes.transData.transform(place)[1])) / (figure.dpi / 72)
        axes.annotate(
            point.name, place, xytext=(-14, above), textcoords="offset points", ha="right", va="center", fontsize=8,
            color=INK, arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2,
                                   "relpos": (1, 0.5)},
        )  # fmt: skip


def _millions(value: float, _: int | None = None) -> str:
    return f"{value / 1e9:g} G" if value >= 1e9 else f"{value / 1e6:g} M"
